"""The service starts with a sound configuration only, says what is wrong, and stops when told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.engines import sqlite_engine
from tests.server import Server, eventually, free_port, serving, start

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent

SOUND = """
[connectors.company]
title = "Company"
[sources.shop]
url = "sqlite:///source.db"
tokens = ["of-shop"]
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("server")
    with sqlite_engine(made) as engine:
        engine.execute("CREATE TABLE orders (id INTEGER)")
        yield made


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[Server]:
    with serving(directory, SOUND, CONNECTOR_SOURCES__SHOP__TOKENS="from-the-environment") as made:
        yield made


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of ours to its end."""
    return subprocess.run(
        [str(BIN / "b24-connector"), *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


BROKEN = [
    ("[connectors", "is not valid TOML"),
    (SOUND + "timeout = 0", "sources.shop.timeout: has to be between"),
    (SOUND.replace('"of-shop"', '"${NOT_SET}"'), "sources.shop.tokens.0: needs the environment"),
    (SOUND.replace("sqlite", "db2"), "sources.shop.url: no adapter for db2://"),
    (
        SOUND.replace("sqlite:///", "postgresql://u:p@h:port/"),
        "sources.shop.url: is not an address",
    ),
]


@pytest.mark.parametrize(("config", "reason"), BROKEN, ids=[reason for _, reason in BROKEN])
def test_a_broken_configuration_stops_the_start(tmp_path: Path, config: str, reason: str) -> None:
    process, log = start(tmp_path, config, free_port())
    assert process.wait(30) == 2
    assert log.read_text().strip().startswith(f"connector.toml: {reason}")
    assert "Traceback" not in log.read_text()


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    for command in ("serve", "check-config", "doctor"):
        done = run(command, "--config", "nowhere.toml", cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("nowhere.toml: cannot be read: ")


def procfile(config: Path, port: int) -> subprocess.Popen[str]:
    """The process that a platform starts: the line of the Procfile, and PORT."""
    kind, _, command = (ROOT / "Procfile").read_text().strip().partition(": ")
    assert kind == "web"
    return subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        cwd=ROOT,
        env=os.environ
        | {"PATH": f"{BIN}:{os.environ['PATH']}", "CONNECTOR_CONFIG": str(config)}
        | {"PORT": str(port), "WEB_CONCURRENCY": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_procfile_serves_at_the_port_of_the_platform(directory: Path, tmp_path: Path) -> None:
    config = tmp_path / "connector.toml"
    config.write_text(SOUND.replace("source.db", f"{directory}/source.db"))
    port = free_port()
    process = procfile(config, port)
    try:
        server = Server(port, process, tmp_path)  # type: ignore[arg-type]
        eventually(lambda: answers(server), 30)
        assert server.form("/api/company/data", "of-shop", table="orders").json == [["ID"]]
    finally:
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=40)
    assert process.returncode == 0, printed


def answers(server: Server) -> bool:
    try:
        return server.request("GET", "/healthz").status == 200
    except OSError:
        return False


def test_the_procfile_refuses_a_broken_configuration(tmp_path: Path) -> None:
    config = tmp_path / "connector.toml"
    config.write_text(SOUND + "timeout = 0")
    process = procfile(config, free_port())
    printed, _ = process.communicate(timeout=40)
    assert process.returncode != 0
    assert f"{config}: sources.shop.timeout: has to be between" in printed
    assert "Traceback" not in printed


def test_it_stops_when_told_and_frees_its_port(directory: Path, tmp_path: Path) -> None:
    config = SOUND.replace("source.db", f"{directory}/source.db")
    with serving(tmp_path, config) as server:
        assert server.form("/api/company/check", "of-shop").status == 200
        workers = server.workers()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(40) == 0
        assert not answers(server)
        assert workers
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_check_config_says_yes_or_why_not(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(SOUND)
    done = run("check-config", "--config", "x.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "x.toml: 1 connector, 1 source: fine\n"
    path.write_text(SOUND + "timeout = 0\nnonsense = 1")
    done = run("check-config", cwd=tmp_path, CONNECTOR_CONFIG="x.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "x.toml: sources.shop.timeout: " in done.stderr
    assert "x.toml: sources.shop.nonsense: is not a setting" in done.stderr


def test_check_config_names_every_logo_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    logos = {"a": "missing.png", "b": "text.png", "c": "data:,x", "d": "https://127.0.0.1:1/x.png"}
    tiles = [f'[connectors.{name}]\ntitle = "T"\nlogo = "{at}"\n' for name, at in logos.items()]
    (tmp_path / "x.toml").write_text(SOUND + "".join(tiles))
    done = run("check-config", "--config", "x.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "x.toml: connectors.a.logo: The logo missing.png cannot be read: "
        "No such file or directory.",
        "x.toml: connectors.b.logo: The logo text.png is not an image: "
        "PNG, JPEG, GIF, WebP or SVG.",
        "x.toml: connectors.c.logo: The logo is a data URI, but not one such as "
        "data:image/png;base64,….",
    ]


def test_token_makes_a_new_token_and_its_digest(tmp_path: Path) -> None:
    made = set()
    for _ in range(2):
        done = run("token", cwd=tmp_path)
        found = re.search(r"^token +(\S+)\ndigest +sha256:([0-9a-f]{64})$", done.stdout, re.M)
        assert found, done
        assert sha256(found[1].encode()).hexdigest() == found[2]
        assert len(found[1]) >= 40
        made.add(found[1])
    assert len(made) == 2


def test_doctor_lists_what_is_published_and_names_what_is_wrong(
    directory: Path, tmp_path: Path
) -> None:
    config = tmp_path / "x.toml"
    config.write_text(SOUND)
    done = run("doctor", "--config", str(config), cwd=directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert "shop: 1 table: orders" in done.stdout
    config.write_text(SOUND + SOUND[SOUND.index("[sources") :].replace("shop", "absent"))
    done = run("doctor", "--config", str(config), cwd=tmp_path)
    assert done.returncode == 1
    assert f"absent: SourceUnavailable: {tmp_path}/source.db: unable to open" in done.stderr


QUERY = """
[sources.shop.queries.made]
sql = "{sql}"
"""


@pytest.mark.parametrize(
    ("more", "faults"),
    [
        (QUERY.format(sql="SELEC *"), ["queries.made: QueryFailed: "]),
        (QUERY.format(sql="SELECT * FROM no_such"), ["queries.made: ", "no_such"]),
        (QUERY.format(sql="DELETE FROM orders"), ["queries.made: "]),
        ('tables = ["order", "ord*"]', ["tables: order matches no table"]),
        ('tables = ["order"]', ["tables: order matches no table", "publishes no tables"]),
        ('hide = ["order.id", "orders.id"]', ["hide: order.id matches no column"]),
        ('hide = ["o*.phone"]', ["hide: o*.phone matches no column"]),
        ('hide = ["customers.*"]', ["hide: customers.* matches no column"]),
        ('hide = ["orders.*"]', ["publishes no tables"]),
    ],
)
def test_doctor_finds_what_would_not_work(directory: Path, more: str, faults: list[str]) -> None:
    (directory / "x.toml").write_text(SOUND + more)
    done = run("doctor", "--config", "x.toml", cwd=directory)
    assert done.returncode == 1, done
    for fault in faults:
        assert fault in done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith("shop: ") for line in lines)
    assert len(lines) == sum(
        fault.startswith(("queries", "tables", "hide", "pub")) for fault in faults
    )


@pytest.mark.parametrize(
    "more",
    [
        QUERY.format(sql="SELECT id AS a FROM orders"),
        'tables = ["ord*", "made"]' + QUERY.format(sql="SELECT 1 AS a"),
        'hide = ["ORDERS.I?", "*.id", "made.a"]' + QUERY.format(sql="SELECT 1 AS a, 2 AS b"),
    ],
)
def test_doctor_has_nothing_against_what_works(directory: Path, more: str) -> None:
    (directory / "x.toml").write_text(SOUND + more)
    done = run("doctor", "--config", "x.toml", cwd=directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert "orders" in done.stdout


def test_doctor_says_that_there_is_nothing_to_contact(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(
        '[connectors.own]\ntitle = "Own"\naccess = "direct"\nengine = "mysql"\n'
        'allow_hosts = ["db.example.com"]\n'
    )
    done = run("doctor", "--config", "x.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no sources to contact" in done.stdout


def test_a_variable_of_the_environment_wins_over_the_file(server: Server) -> None:
    assert server.form("/api/company/check", "from-the-environment").status == 200
    assert server.form("/api/company/check", "of-shop").error == "INVALID_TOKEN"


@pytest.mark.parametrize("given", ["abc", "A-1.b_2", "x" * 64])
def test_a_given_request_id_is_kept(server: Server, given: str) -> None:
    for path in ("/healthz", "/nothing", "/api/company/check"):
        answer = server.request("GET", path, headers={"X-Request-Id": given})
        assert answer.headers["X-Request-Id"] == given
    eventually(lambda: server.lines().count(f" id={given} ") >= 3)


@pytest.mark.parametrize(
    "given", [None, "", "two words", "a=b", "x" * 65, "ж".encode().decode("latin-1")]
)
def test_any_other_request_id_is_made_anew(server: Server, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-Id": given}
    made = [server.request("GET", "/nothing", headers=headers) for _ in range(2)]
    ids = {answer.headers["X-Request-Id"] for answer in made}
    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)


def test_ready_means_that_every_source_answers(server: Server, tmp_path: Path) -> None:
    ready = server.request("GET", "/readyz")
    assert (ready.status, ready.json) == (200, {"status": "ok"})
    with serving(tmp_path, SOUND) as other:
        not_ready = other.request("GET", "/readyz")
        assert (not_ready.status, not_ready.json) == (503, {"status": "unavailable"})
        assert "source shop: SourceUnavailable" in other.lines()
        assert other.request("GET", "/healthz").status == 200
