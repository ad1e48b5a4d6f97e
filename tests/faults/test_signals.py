"""A server is stopped, told to read its configuration again, and loses a worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.test_stream import NOT_JSON, body_of, read_all
from tests.server import Server, eventually, serving

ROWS = 300_000
CONFIG = """
[connectors.company]
title = "Company"
[sources.shop]
url = "sqlite:///shop.db"
tokens = ["{token}"]
timeout = {timeout}
[sources.shop.queries.many]
sql = '''WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
SELECT i, 'text of row ' || i AS t FROM n'''
"""


def config(token: str, timeout: str = "60") -> str:
    return CONFIG.format(token=token, timeout=timeout, rows=ROWS)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "shop.db").touch()
    return tmp_path


@pytest.fixture
def server(directory: Path) -> Iterator[Server]:
    with serving(directory, config("the-first")) as running:
        yield running


def begun(server: Server, token: str = "the-first") -> tuple[socket.socket, bytes]:
    """An answer of which so little has been read that it cannot be at its end."""
    raw = server.open("/api/company/data", token, table="many")
    start = raw.recv(1000)
    assert b" 200 " in start[:20]
    return raw, start


def opens(server: Server, token: str) -> bool:
    try:
        return server.form("/api/company/check", token).status == 200
    except OSError:  # a connection that a stopping worker had not accepted yet
        return False


def test_sigterm_lets_an_answer_finish_and_refuses_new_ones(server: Server) -> None:
    raw, start = begun(server)
    with raw:
        server.process.send_signal(signal.SIGTERM)

        def refused() -> bool:
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
            except ConnectionRefusedError:
                return True
            return False

        eventually(refused)
        assert server.process.poll() is None
        header, *rows = json.loads(body_of(start + read_all(raw)))
    assert header == ["I", "T"]
    assert len(rows) == ROWS
    assert server.process.wait(20) == 0
    assert "outcome=complete" in server.lines()


def test_sigterm_ends_an_answer_that_takes_too_long(directory: Path) -> None:
    arguments = {"GUNICORN_CMD_ARGS": "--graceful-timeout 1"}
    with serving(directory, config("the-first"), **arguments) as server:
        raw, start = begun(server)
        with raw:
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(10)
            assert time.monotonic() - began < 5
            with pytest.raises(ValueError, match=NOT_JSON):
                json.loads(body_of(start + read_all(raw)))


def test_sighup_takes_a_new_configuration_and_lets_answers_finish(
    server: Server, directory: Path
) -> None:
    raw, start = begun(server)
    with raw:
        (directory / "connector.toml").write_text(config("the-second"))
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: opens(server, "the-second"))
        eventually(lambda: not opens(server, "the-first"))
        header, *rows = json.loads(body_of(start + read_all(raw)))
    assert header == ["I", "T"]
    assert len(rows) == ROWS
    # The last worker that knew the old one goes.
    eventually(lambda: len(server.workers()) == 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (config("the-second-token", timeout="-1"), "sources.shop.timeout: has to be between"),
        (None, "connector.toml: cannot be read"),
    ],
    ids=["refused", "missing"],
)
def test_sighup_keeps_the_old_configuration_if_the_new_one_is_bad(
    server: Server, directory: Path, bad: str | None, reason: str
) -> None:
    path = directory / "connector.toml"
    if bad is None:
        path.unlink()
    else:
        path.write_text(bad)
    old = server.workers()
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "The new configuration is not used, the old one stays" in server.lines())
    assert reason in server.lines()
    eventually(lambda: not set(old) & set(server.workers()))
    assert opens(server, "the-first")
    # A worker that comes later does not stumble over the file either.
    kill_and_wait(server)
    assert opens(server, "the-first")
    assert "the-second-token" not in server.lines()
    path.write_text(config("the-third"))
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: opens(server, "the-third"))


def kill_and_wait(server: Server) -> None:
    """Kill a worker, and wait until another one takes its place."""
    victim, *_ = before = server.workers()
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(server.workers()) == len(before) and victim not in server.workers())
    eventually(lambda: opens(server, "the-first"))


def test_a_killed_worker_loses_only_its_own_answers(directory: Path) -> None:
    with serving(directory, config("the-first"), WEB_CONCURRENCY="2") as server:
        answers = []
        by_worker: dict[int, list[int]] = {}
        deadline = time.monotonic() + 20
        while len(by_worker) < 2 and time.monotonic() < deadline:
            number = len(answers)
            answers.append(begun(server))
            by_worker.setdefault(serving_worker(server, answers[number][0]), []).append(number)
        victim, other = by_worker
        os.kill(victim, signal.SIGKILL)
        for number, (raw, start) in enumerate(answers):
            with raw:
                body = body_of(start + read_all(raw))
            if number in by_worker[other]:
                assert len(json.loads(body)) == ROWS + 1
            else:
                with pytest.raises(ValueError, match=NOT_JSON):
                    json.loads(body)
        eventually(lambda: len(server.workers()) == 2 and victim not in server.workers())
        assert opens(server, "the-first")


def serving_worker(server: Server, client: socket.socket) -> int:
    """The worker that has the other end of a connection."""
    # Both ends: the client's port alone may also be that of a connection to another server.
    ends = [server.port, client.getsockname()[1]]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (inode,) = [r[9] for r in rows if [int(end[-4:], 16) for end in r[1:3]] == ends]
    for worker in server.workers():
        for descriptor in Path(f"/proc/{worker}/fd").iterdir():
            if str(descriptor.readlink()) == f"socket:[{inode}]":
                return worker
    raise AssertionError("no worker has the connection")
