"""Whatever an adapter does wrong harms its own answers only, and the error names it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.guard import MOST_LOST
from tests.engines import Engine, sqlite_engine
from tests.kit.broken import KINDS
from tests.server import Answer, Server, eventually, free_port, serving, start

TIMEOUT = 1


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with sqlite_engine(tmp_path_factory.mktemp("sqlite")) as ready:
        ready.execute("CREATE TABLE t (id INTEGER)")
        ready.execute("INSERT INTO t VALUES (7)")
        yield ready


def install(directory: Path) -> None:
    """Install the adapter for servers that run in ``directory``."""
    shutil.copy(Path(__file__).parent / "broken.py", directory)
    info = directory / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[b24_connector.adapters]\nbroken = broken:Broken\n")


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a source for each kind of fault, and a sound one beside them."""
    directory = tmp_path_factory.mktemp("server")
    install(directory)
    sources = [
        f'[sources.{kind}]\nurl = "broken://{kind}"\ntokens = ["{kind}"]\ntimeout = {TIMEOUT}\n'
        for kind in [*KINDS, "hangs_often"]
    ]
    config = f"""
        [connectors.company]
        title = "Company"
        [sources.sound]
        url = "{engine.url}"
        tokens = ["sound-token"]
        {"".join(sources).replace("broken://hangs_often", "broken://hangs")}
    """
    config = config.replace('tokens = ["', 'tokens = ["token-')
    with serving(directory, config) as running:
        yield running


def ask(server: Server, endpoint: str, kind: str, **more: str) -> Answer:
    more = {"table": "t"} | more if endpoint != "check" else more
    return server.form(f"/api/company/{endpoint}", f"token-{kind}", **more)


@pytest.fixture(autouse=True)
def _others_are_well(server: Server) -> Iterator[None]:
    yield
    answer = ask(server, "data", "sound-token")
    assert answer.json == [["ID"], [7]]


FAILING = {
    **dict.fromkeys(["check_raises", "check_exits"], ("check", "QUERY_FAILED")),
    "check_hangs": ("check", "QUERY_TIMEOUT"),
    **dict.fromkeys(
        [
            *("tables_raise", "tables_none", "tables_twice", "tables_alike", "tables_texts"),
            "tables_unnamed",
        ],
        ("table_list", "QUERY_FAILED"),
    ),
    "tables_hang": ("table_list", "QUERY_TIMEOUT"),
    **dict.fromkeys(
        [
            *("describe_raises", "fields_twice", "fields_alike", "fields_texts", "fields_untyped"),
            *("fields_unnamed", "fields_half"),
        ],
        ("table_description", "QUERY_FAILED"),
    ),
    "fields_hang": ("table_description", "QUERY_TIMEOUT"),
    **dict.fromkeys(
        [
            *("raises", "raises_private", "raises_unspeakable", "raises_cancelled", "raises_exit"),
            *("ragged", "types", "objects", "dict_rows", "text_rows", "no_rows", "json_texts"),
            "json_open",
        ],
        ("data", "QUERY_FAILED"),
    ),
    **dict.fromkeys(["hangs", "silent"], ("data", "QUERY_TIMEOUT")),
}
BREAKING = ["raises_later", "hangs_later", "endless", "ragged_later", "none_batch"]
ODD = {"ghost", "too_many"}


def test_every_kind_has_a_test() -> None:
    assert FAILING.keys() | set(BREAKING) | ODD == KINDS.keys()


@pytest.mark.parametrize("kind", FAILING)
def test_a_fault_is_an_error_of_its_source(server: Server, kind: str) -> None:
    endpoint, code = FAILING[kind]
    before, started = len(server.lines()), time.monotonic()
    answer = ask(server, endpoint, kind)
    assert answer.error == code
    assert answer.status == {"QUERY_FAILED": 502, "QUERY_TIMEOUT": 504}[code]
    assert f"Source {kind}" in answer.json["error_description"]
    assert "sesame" not in answer.body.decode()
    assert time.monotonic() - started < TIMEOUT + 7
    log = server.lines()[before:]
    assert kind in log
    if code == "QUERY_FAILED" and kind not in ("fields_alike", "tables_alike", "raises_private"):
        assert "broken.Broken." in log
    if kind in ("raises", "check_raises", "raises_cancelled"):
        assert "Traceback" in log


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("kind", BREAKING)
def test_a_fault_in_the_middle_leaves_nothing_that_parses(
    server: Server, kind: str, version: str
) -> None:
    started = time.monotonic()
    with server.open("/api/company/data", f"token-{kind}", version, table="t") as raw:
        received = b""
        try:
            while piece := raw.recv(1 << 20):
                received = (received + piece)[-1000:] if len(received) > 5000 else received + piece
        except ConnectionResetError:
            pass
    assert time.monotonic() - started < TIMEOUT + 7
    body = received.partition(b"\r\n\r\n")[2]
    with pytest.raises(ValueError, match=r"Expecting|Extra|Unterminated|Invalid"):
        json.loads(body)
    assert not received.endswith(b"0\r\n\r\n")
    eventually(lambda: outcomes(server, kind))
    (outcome, *_) = outcomes(server, kind)
    if kind in ("hangs_later", "endless"):
        assert "time limit" in outcome
    else:
        assert "broken.Broken.json_rows" in outcome


def outcomes(server: Server, kind: str) -> list[str]:
    lines = [line for line in server.lines().splitlines() if f"sources={kind} " in line]
    return [line.partition("outcome=")[2] for line in lines if "outcome=" in line]


def test_a_table_that_does_not_exist_is_unknown(server: Server) -> None:
    assert ask(server, "table_list", "ghost").json == [{"code": "t", "title": "t"}]
    for endpoint in ("table_description", "data"):
        assert ask(server, endpoint, "ghost").error == "UNKNOWN_TABLE"


def test_more_rows_than_asked_for_are_not_given(server: Server) -> None:
    assert len(ask(server, "data", "too_many", limit="30").json) == 31
    assert ask(server, "data", "too_many", limit="20").error == "QUERY_FAILED"


def test_hanging_calls_are_given_up_and_in_the_end_not_made(server: Server) -> None:
    """Nobody waits longer than the time limit, and no threads pile up."""
    with ThreadPoolExecutor(MOST_LOST) as portals:
        calls = [portals.submit(ask, server, "data", "hangs_often") for _ in range(MOST_LOST)]
        assert {call.result().error for call in calls} <= {"QUERY_TIMEOUT", "TOO_BUSY"}
    # Whoever comes first sees that they have been given up; they are lost a while later.
    ask(server, "data", "hangs_often", limit="5")
    time.sleep(3)
    (worker,) = server.workers()
    before = threads(worker)
    started = time.monotonic()
    for _ in range(5):
        answer = ask(server, "data", "hangs_often", limit="5")
        assert answer.error == "SOURCE_UNAVAILABLE"
    assert time.monotonic() - started < 10
    assert threads(worker) < before + 5
    assert "broken.Broken do not come back" in server.lines()


def test_a_class_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    install(tmp_path)
    config = """
        [connectors.company]
        title = "Company"
        [sources.odd]
        url = "broken://sesame"
        tokens = ["token"]
    """
    process, log = start(tmp_path, config, free_port())
    assert process.wait(20) != 0
    reason = "sources.odd.url: is not an address that broken.Broken understands (KeyError)"
    assert reason in log.read_text()
    assert "sesame" not in log.read_text()


def threads(process: int) -> int:
    return len(list(Path(f"/proc/{process}/task").iterdir()))


def test_a_server_with_hanging_calls_stops(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("stopping")
    install(directory)
    config = f"""
        [connectors.company]
        title = "Company"
        [sources.hangs]
        url = "broken://hangs"
        tokens = ["token-hangs"]
        timeout = {TIMEOUT}
    """
    with serving(directory, config) as running:
        assert ask(running, "data", "hangs").error == "QUERY_TIMEOUT"
        asked = time.monotonic()
    assert time.monotonic() - asked < 10
