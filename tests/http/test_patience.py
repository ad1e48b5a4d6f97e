"""A slow query does not lose its portal, and long answers leave room for short ones."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.engines import Engine, postgresql_engine
from tests.http.test_stream import NOT_JSON, body_of, read_all
from tests.server import Server, eventually, serving

HEARTBEAT = 0.4


@pytest.fixture(scope="module")
def engine(servers: dict[str, str]) -> Iterator[Engine]:
    with postgresql_engine(servers["postgresql"], "test_patience") as ready:
        yield ready


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    config = f"""
        [server]
        heartbeat = {HEARTBEAT}
        max_answers = 3
        [connectors.company]
        title = "Company"
        [sources.slow]
        url = "{engine.url}"
        tokens = ["token-of-slow"]
        max_answers = 2
        [sources.slow.queries.thinking]
        sql = "SELECT 7 AS i FROM pg_sleep(2)"
        [sources.slow.queries.pausing]
        sql = '''
            SELECT i FROM generate_series(1, 3000) i,
            LATERAL (SELECT pg_sleep(CASE WHEN i = 2000 THEN 2 ELSE 0 END)) slept'''
        [sources.slow.queries.failing]
        sql = "SELECT 1 / length(slept::text) AS q FROM pg_sleep(2) slept"
        [sources.slow.queries.failing_soon]
        sql = "SELECT 1 / (i - 1) AS q FROM generate_series(1, 1) i"
        [sources.slow.queries.long]
        sql = "SELECT i, repeat('x', 100) AS t FROM generate_series(1, 5000000) i"
        [sources.hasty]
        url = "{engine.url}"
        tokens = ["token-of-hasty"]
        timeout = 1.5
        [sources.hasty.queries.thinking]
        sql = "SELECT 7 AS i FROM pg_sleep(60)"
    """
    with serving(tmp_path_factory.mktemp("server"), config) as running:
        yield running


def pieces(server: Server, token: str, table: str, **more: str) -> list[tuple[float, bytes]]:
    """What arrives, each piece with the seconds of silence before it."""
    found = []
    with server.open("/api/company/data", token, table=table, **more) as raw:
        last = time.monotonic()
        while piece := raw.recv(65536):
            now = time.monotonic()
            found.append((now - last, piece))
            last = now
    return found


@pytest.mark.parametrize(("table", "rows"), [("thinking", [[7]]), ("pausing", None)])
def test_white_space_keeps_a_portal_that_waits(
    server: Server, table: str, rows: list[list[int]] | None
) -> None:
    found = pieces(server, "token-of-slow", table)
    assert max(silence for silence, _ in found) < HEARTBEAT + 1
    answer = json.loads(body_of(b"".join(piece for _, piece in found)))
    assert answer[0] == ["I"]
    assert answer[1:] == (rows or [[i] for i in range(1, 3001)])
    assert len(found) >= 4


def test_a_preview_that_thinks_is_asked_again_beside_white_space(server: Server) -> None:
    found = pieces(server, "token-of-slow", "thinking", limit="20")
    assert max(silence for silence, _ in found) < 2 * HEARTBEAT + 1
    assert json.loads(body_of(b"".join(piece for _, piece in found))) == [["I"], [7]]
    assert len(found) >= 4


def test_a_failure_before_the_first_heartbeat_has_its_status(server: Server) -> None:
    answer = server.form("/api/company/data", "token-of-slow", table="failing_soon")
    assert (answer.status, answer.error) == (502, "QUERY_FAILED")


@pytest.mark.parametrize(
    ("token", "table"), [("token-of-slow", "failing"), ("token-of-hasty", "thinking")]
)
def test_a_failure_after_it_leaves_nothing_that_parses(
    server: Server, token: str, table: str
) -> None:
    found = pieces(server, token, table)
    body = body_of(b"".join(piece for _, piece in found))
    assert body.startswith((b'[["Q"] ', b'[["I"] '))
    with pytest.raises(ValueError, match=NOT_JSON):
        json.loads(body)
    assert "Traceback" not in server.lines()


def test_beyond_the_limit_one_is_told_when_to_come_back_and_short_answers_pass(
    server: Server,
) -> None:
    def open_long() -> object:
        return server.form("/api/company/data", "token-of-slow", table="long", limit="1000000")

    with (
        server.open("/api/company/data", "token-of-slow", table="long") as first,
        server.open("/api/company/data", "token-of-slow", table="long") as second,
    ):
        first.recv(1000)
        second.recv(1000)
        started = time.monotonic()
        refused = server.form("/api/company/data", "token-of-slow", table="long")
        assert (refused.status, refused.error) == (503, "TOO_BUSY")
        assert int(refused.headers["Retry-After"]) > 0
        preview = server.form("/api/company/data", "token-of-slow", table="long", limit="20")
        assert len(preview.json) == 21
        assert server.form("/api/company/check", "token-of-slow").status == 200
        assert server.form("/api/company/table_list", "token-of-slow").status == 200
        assert time.monotonic() - started < 10  # of the 240 seconds that the long ones may take
    eventually(lambda: getattr(open_long(), "status", 0) == 200)


def test_a_client_that_leaves_while_it_is_kept_waiting_frees_its_place(
    engine: Engine, server: Server
) -> None:
    for _ in range(4):  # more than there are places
        with server.open("/api/company/data", "token-of-slow", table="thinking") as raw:
            raw.recv(1000)
        active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%'"
        idle = f"{active} AND state = 'active' AND pid <> pg_backend_pid()"
        eventually(lambda sql=idle: engine.execute(sql) == [(0,)])
    with server.open("/api/company/data", "token-of-slow", table="thinking") as raw:
        assert json.loads(body_of(read_all(raw))) == [["I"], [7]]
