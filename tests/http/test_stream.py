"""An answer is whole, or can never be taken for whole; and nothing runs on for nobody."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engine
from tests.server import Server, eventually, serving

NOT_JSON = r"Expecting|Unterminated"
MANY_ROWS = 2_000_000
MEMORY_CEILING_KIB = 100 * 1024
# DuckDB is large itself, and works on batches of its own in every thread.
MEMORY_CEILINGS_KIB = {"duckdb": 160 * 1024}

# A long answer, and one that thinks before its first row, made where they are asked for.
MANY = {
    "sqlite": """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
        SELECT i, 'text of row ' || i AS t, i * 0.5 AS d, '2026-01-01' AS day FROM n""",
    "postgresql": """
        SELECT i, 'text of row ' || i AS t, i * 0.5 AS d, DATE '2026-01-01' AS day
        FROM generate_series(1, {rows}) AS i""",
    "duckdb": """
        SELECT range AS i, 'text of row ' || range AS t, range * 0.5 AS d, DATE '2026-01-01' AS day
        FROM range(1, {rows} + 1)""",
    "mysql": """
        SELECT seq AS i, concat('text of row ', seq) AS t, seq * 0.5 AS d,
               DATE '2026-01-01' AS day FROM seq_1_to_{rows}""",
    "clickhouse": """
        SELECT number + 1 AS i, concat('text of row ', toString(i)) AS t, i * 0.5 AS d,
               toDate('2026-01-01') AS day FROM numbers({rows})""",
}
SLOW = {
    "sqlite": """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT t.i FROM n LEFT JOIN t WHERE n.i < 0""",
    "postgresql": "SELECT 1 AS i FROM pg_sleep(100)",
    "duckdb": """
        SELECT a.range AS i FROM range(10000000) a, range(10000000) b
        WHERE a.range + b.range < 0""",
    "mysql": """
        SELECT a.seq AS i FROM seq_1_to_10000000 a, seq_1_to_10000000 b
        WHERE a.seq + b.seq < 0""",
    "clickhouse": "SELECT number AS i FROM numbers(1000000000000) WHERE cityHash64(number) = 0",
}
# What the server itself says about running statements of ours, and how to kill their connections.
ACTIVITY = {
    "postgresql": """
        SELECT pid FROM pg_stat_activity
        WHERE application_name = 'b24-connector' AND state = 'active'""",
    "mysql": """
        SELECT id FROM information_schema.processlist
        WHERE info LIKE '%%seq\\_1%%' AND info NOT LIKE '%%processlist%%'""",
    "clickhouse": """
        SELECT Settings['log_comment'] FROM system.processes
        WHERE query LIKE '%numbers(%' AND query NOT LIKE '%system.processes%'""",
}
KILL = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL CONNECTION {}"}
KILL["clickhouse"] = "KILL QUERY WHERE query_id = '{}' ASYNC"


# What runs in the process that asks: only its own processor time tells whether it works.
EMBEDDED = ("sqlite", "duckdb")


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    name = engine.name
    if name == "sqlite":
        engine.execute("CREATE TABLE t (i INTEGER)")
    config = f"""
        [connectors.company]
        title = "Company"
        [sources.long]
        url = "{engine.url}"
        tokens = ["token-long"]
        timeout = 100
        [sources.long.queries.many]
        sql = '''{MANY[name].format(rows=MANY_ROWS)}'''
        [sources.long.queries.few]
        sql = '''{MANY[name].format(rows=2500)}'''
        [sources.long.queries.slow]
        sql = '''{SLOW[name]}'''
        [sources.short]
        url = "{engine.url}"
        tokens = ["token-short"]
        timeout = 2
        max_rows = 3000
        [sources.short.queries.many]
        sql = '''{MANY[name].format(rows=MANY_ROWS)}'''
        [sources.short.queries.few]
        sql = '''{MANY[name].format(rows=2500)}'''
        [sources.short.queries.slow]
        sql = '''{SLOW[name]}'''
        [sources.patient]
        url = "{engine.url}"
        tokens = ["token-patient"]
        timeout = 3
        [sources.patient.queries.many]
        sql = '''{MANY[name].format(rows=MANY_ROWS)}'''
    """
    directory: Path = tmp_path_factory.mktemp("server")
    with serving(directory, config) as running:
        yield running


def running_statements(engine: Engine) -> list[int]:
    return [row[0] for row in engine.execute(ACTIVITY[engine.name])]


def read_all(raw: socket.socket) -> bytes:
    """All that the server still sends, up to its end or its reset."""
    pieces = []
    with contextlib.suppress(ConnectionResetError):
        while piece := raw.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def body_of(answer: bytes) -> bytes:
    """What a client takes for the body, chunks joined, whatever is missing at the end."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" not in head:
        return body
    chunks, position = [], 0
    while (end := body.find(b"\r\n", position)) > 0:
        length = int(body[position:end], 16)
        chunks.append(body[end + 2 : end + 2 + length])
        position = end + 2 + length + 2
    return b"".join(chunks)


def test_a_long_answer_is_whole_and_memory_stays_flat(engine: Engine, server: Server) -> None:
    (worker,) = server.workers()
    Path(f"/proc/{worker}/clear_refs").write_text("5")  # forget the peak so far
    with server.open("/api/company/data", "token-long", table="many") as raw:
        answer = body_of(read_all(raw))
    header, *rows = json.loads(answer)
    assert header == ["I", "T", "D", "DAY"]
    assert len(rows) == MANY_ROWS
    assert rows[-1][0] == MANY_ROWS
    status = Path(f"/proc/{worker}/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    assert peak < MEMORY_CEILINGS_KIB.get(engine.name, MEMORY_CEILING_KIB)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_connection_killed_in_the_middle_leaves_nothing_that_parses(
    engine: Engine, server: Server, version: str
) -> None:
    if engine.name in EMBEDDED:
        pytest.skip("there is no connection that anybody could kill")
    with server.open("/api/company/data", "token-long", version, table="many") as raw:
        start = raw.recv(65536)
        assert start.startswith(f"HTTP/{version} 200".encode()) or b" 200 " in start[:20]
        for statement in running_statements(engine):
            engine.execute(KILL[engine.name].format(statement))
        answer = start + read_all(raw)
    body = body_of(answer)
    assert body.startswith(b'[["I","T","D","DAY"],[1,')
    with pytest.raises(ValueError, match=NOT_JSON):
        json.loads(body)
    assert version == "1.0" or not answer.endswith(b"0\r\n\r\n")
    eventually(lambda: re.search("outcome=.SourceUnavailable", server.lines()))


def test_a_client_that_leaves_cancels_its_query(engine: Engine, server: Server) -> None:
    before = server.lines().count("outcome='the client is gone'")
    with server.open("/api/company/data", "token-long", table="many") as raw:
        raw.recv(65536)
        if engine.name not in EMBEDDED:
            assert running_statements(engine)
    eventually(lambda: server.lines().count("outcome='the client is gone'") > before)
    if engine.name not in EMBEDDED:
        eventually(lambda: not running_statements(engine))


def test_a_client_that_leaves_before_the_first_row_cancels_its_query(
    engine: Engine, server: Server
) -> None:
    (worker,) = server.workers()
    with server.open("/api/company/data", "token-long", table="slow"):
        if engine.name in EMBEDDED:
            busy = cpu_time(worker)
            eventually(lambda: cpu_time(worker) > busy + 0.3)
        else:
            eventually(lambda: running_statements(engine))
    if engine.name in EMBEDDED:
        eventually(lambda: is_idle(worker))
    else:
        eventually(lambda: not running_statements(engine))
    assert server.form("/api/company/check", "token-long").status == 200


def cpu_time(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def is_idle(process: int) -> bool:
    before = cpu_time(process)
    time.sleep(0.3)
    return cpu_time(process) - before < 0.1


def test_a_slow_query_is_ended_and_named(engine: Engine, server: Server) -> None:
    answer = server.form("/api/company/data", "token-short", table="slow")
    assert (answer.status, answer.error) == (504, "QUERY_TIMEOUT")
    if engine.name not in EMBEDDED:
        assert not running_statements(engine)


def test_a_slow_reader_holds_its_query_no_longer_than_the_time_limit(
    engine: Engine, server: Server
) -> None:
    with server.open("/api/company/data", "token-patient", table="many") as raw:
        start = raw.recv(1000)  # and no more: the buffers fill up, and the answer stands still
        assert b" 200 " in start[:20]
        eventually(lambda: stopped(server), 15)
        with pytest.raises(ValueError, match=NOT_JSON):
            json.loads(body_of(start + read_all(raw)))
    if engine.name not in EMBEDDED:
        eventually(lambda: not running_statements(engine))


def stopped(server: Server) -> bool:
    return any("sources=patient" in line for line in server.lines().splitlines())


def test_more_rows_than_allowed_fail_and_are_not_cut_short(server: Server) -> None:
    with server.open("/api/company/data", "token-short", table="many") as raw:
        answer = read_all(raw)
    with pytest.raises(ValueError, match=NOT_JSON):
        json.loads(body_of(answer))
    assert "TOO_MANY_ROWS" in server.lines()
    few = server.form("/api/company/data", "token-short", table="few")
    assert len(few.json) == 2501
    limited = server.form("/api/company/data", "token-short", table="many", limit="3000")
    assert len(limited.json) == 3001
    eventually(lambda: server.form("/api/company/check", "token-short").status == 200)
