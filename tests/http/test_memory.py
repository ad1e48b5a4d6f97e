"""How much memory a worker takes, however long the answers and however wide their rows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engines import Engine
from tests.server import Server, serving

ROWS = 10_000_000
# Of four at once a quarter each, for the time that it takes: a leak would show in the sum.
SHARE = ROWS // 4
ONE_MIB, FOUR_MIB = 80, 150

WIDE_ROWS, WIDTH = 5000, 100_000
WIDE_MIB = 200
# DuckDB works on 2,048 rows at a time, and on a copy of them for each step of an expression.
DUCKDB_WIDE_MIB = 1100
WIDE = {
    "sqlite": """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
        SELECT i, printf('%.*c', {width}, 'x') AS t FROM n""",
    "postgresql": "SELECT i, repeat('x', {width}) AS t FROM generate_series(1, {rows}) AS i",
    "mysql": "SELECT seq AS i, repeat('x', {width}) AS t FROM seq_1_to_{rows}",
    "duckdb": "SELECT range AS i, repeat('x', {width}) AS t FROM range(1, {rows} + 1)",
    "clickhouse": "SELECT number + 1 AS i, repeat('x', {width}) AS t FROM numbers({rows})",
}

CONFIG = """
[connectors.company]
title = "Company"
[sources.made]
url = "{url}"
tokens = ["open"]
[sources.made.queries.all]
sql = "SELECT i, i * 2 AS j FROM generate_series(1, {rows}) AS i"
[sources.made.queries.share]
sql = "SELECT i, i * 2 AS j FROM generate_series(1, {share}) AS i"
[sources.made.queries.wide]
sql = '''{wide}'''
"""


@pytest.fixture
def server(engine: Engine, tmp_path: Path) -> Iterator[Server]:
    wide = WIDE[engine.name].format(rows=WIDE_ROWS, width=WIDTH)
    config = CONFIG.format(url=engine.url, rows=ROWS, share=SHARE, wide=wide)
    with serving(tmp_path, config) as running:
        yield running


def peak_mib(server: Server) -> float:
    """The most that the worker has held at any time."""
    (worker,) = server.workers()
    status = Path(f"/proc/{worker}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def read(server: Server, table: str) -> bytes:
    """The end of an answer, all of which was read."""
    with server.open("/api/company/data", "open", version="1.0", table=table) as raw:
        end = b""
        while piece := raw.recv(1 << 20):
            end = (end + piece)[-100:]
    return end


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_one_long_answer(server: Server) -> None:
    assert read(server, "all").endswith(b"[%d,%d]]" % (ROWS, 2 * ROWS))
    assert peak_mib(server) <= ONE_MIB


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_four_long_answers_at_once(server: Server) -> None:
    with ThreadPoolExecutor(4) as readers:
        ends = list(readers.map(lambda _: read(server, "share"), range(4)))
    assert all(end.endswith(b"[%d,%d]]" % (SHARE, 2 * SHARE)) for end in ends)
    assert peak_mib(server) <= FOUR_MIB


def test_wide_rows(server: Server, engine: Engine) -> None:
    assert read(server, "wide").endswith(b"x" * 90 + b'"]]')
    assert peak_mib(server) <= (DUCKDB_WIDE_MIB if engine.name == "duckdb" else WIDE_MIB)
