"""The demonstration, and the commands that the README sends to its portal."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.server import free_port

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
READ_VARIABLES = "set -a; . var/demo.env; set +a"


@contextmanager
def shell(directory: Path, line: str) -> Iterator[subprocess.Popen[str]]:
    """What a terminal runs, as long as it is looked at."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", line],
        cwd=directory,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "WEB_CONCURRENCY": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.read()


def test_commands_of_another_terminal_reach_the_portal_of_the_demonstration(
    tmp_path: Path,
) -> None:
    assert READ_VARIABLES in (ROOT / "README.md").read_text(encoding="utf-8")
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "var").mkdir()
    with closing(sqlite3.connect(tmp_path / "var" / "flights.db")) as connection:
        connection.execute(
            "CREATE TABLE flights (time_hour DATETIME, carrier TEXT, dep_delay INTEGER)"
        )
    port, portal_port = free_port(), free_port()
    portal = f"http://127.0.0.1:{portal_port}"
    with shell(tmp_path, "b24-connector demo --build") as build:
        assert build.wait(30) == 0
    with ExitStack() as running:
        running.enter_context(
            shell(tmp_path, f"exec b24-connector demo --port {port} --portal {portal}")
        )
        emulator = running.enter_context(
            shell(
                tmp_path,
                f"{READ_VARIABLES}; exec python -m emulator --port {portal_port} --table flights "
                f"--application-url http://127.0.0.1:{port} --client-id local.demo "
                "--setting token=$DEMO_TOKEN",
            )
        )
        assert any(line.startswith("Report: ") for line in emulator.stdout or ())
        status = running.enter_context(
            shell(tmp_path, f"{READ_VARIABLES}; exec b24-connector status")
        )
        said = told(status)
        assert status.wait(30) == 0, said
        assert f"Portal {portal}" in said
        assert "company: registered and up to date" in said
        assert (tmp_path / "var" / "demo.env").stat().st_mode & 0o777 == 0o600


def test_without_its_variables_a_command_names_one_and_the_file_says_where_it_is(
    tmp_path: Path,
) -> None:
    (tmp_path / "config").symlink_to(ROOT / "config")
    with shell(tmp_path, "exec b24-connector status") as status:
        said = told(status)
        assert status.wait(30) == 2
    config, key, reason = said.strip().split(": ")
    assert (config, key) == ("config/connector.toml", "sources.flights.tokens.0")
    assert reason == "needs the environment variable DEMO_TOKEN"
    (line,) = [x for x in (ROOT / config).read_text().splitlines() if "DEMO_TOKEN" in x]
    assert "var/demo.env" in line
