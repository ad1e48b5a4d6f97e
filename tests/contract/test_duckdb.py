"""What is particular to DuckDB's files: writers, statistics, and what a session may not do."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from adapters.base import Cancellation, Compare, Expression, Field, FieldType, Options, Query, Table
from adapters.duckdb import DuckDBAdapter
from adapters.errors import AdapterError, BadAddress, SourceUnavailable
from tests.engines import Engine, duckdb_engine

WRITER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE OR REPLACE TABLE t AS SELECT 2 AS a")
print("writing", flush=True)
sys.stdin.readline()
connection.close()
print("done", flush=True)
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with duckdb_engine(tmp_path) as ready:
        ready.execute("CREATE TABLE t AS SELECT 1 AS a")
        yield ready


@pytest.fixture
def adapter(engine: Engine) -> Iterator[DuckDBAdapter]:
    with closing(DuckDBAdapter(engine.url, Options())) as opened:
        yield opened


@contextmanager
def writing(engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the file open for writing until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, engine.url.removeprefix("duckdb:///")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield process


def rows(adapter: DuckDBAdapter) -> list[Any]:
    query = Query(Table("t"), tuple(adapter.describe(Table("t"))))
    return [row for batch in adapter.rows(query, Cancellation()) for row in batch]


def test_a_writer_is_not_kept_out_between_requests(adapter: DuckDBAdapter, engine: Engine) -> None:
    assert rows(adapter) == [(1,)]
    with writing(engine):
        pass
    assert rows(adapter) == [(2,)]


def test_beside_a_writer_the_source_is_unavailable_after_short_retries(
    adapter: DuckDBAdapter, engine: Engine
) -> None:
    with writing(engine):
        started = time.monotonic()
        with pytest.raises(SourceUnavailable, match="lock"):
            adapter.check()
        assert 2 < time.monotonic() - started < 9


def test_a_writer_that_ends_soon_is_waited_for(adapter: DuckDBAdapter, engine: Engine) -> None:
    with writing(engine) as writer:
        assert writer.stdin is not None
        threading.Timer(1, writer.stdin.close).start()
        started = time.monotonic()
        assert rows(adapter) == [(2,)]
        assert time.monotonic() - started > 0.5


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_text('/proc/self/environ')",
        "FROM '/etc/passwd'",
        "FROM glob('/*')",
        "FROM 'https://127.0.0.1:9/x.parquet'",
        "FROM sqlite_scan('/tmp/x.db', 't')",
        "SELECT 1) q; ATTACH '/tmp/b24-other.db'; --",
        "SELECT 1) q; COPY t TO '/tmp/b24-copied.csv'; --",
        "FROM adapter",
    ],
)
def test_a_query_reads_no_other_file_and_no_network(adapter: DuckDBAdapter, sql: str) -> None:
    with pytest.raises(AdapterError):
        adapter.describe(Table("q", sql=sql))
    assert not Path("/tmp/b24-copied.csv").exists()


def test_a_session_cannot_write_or_be_set_free(adapter: DuckDBAdapter) -> None:
    with closing(adapter.open()) as session:
        for statement in (
            "INSERT INTO t VALUES (3)",
            "SET enable_external_access = true",
            "SET memory_limit = '100GB'",
            "INSTALL httpfs",
            "LOAD httpfs",
        ):
            with pytest.raises(duckdb.Error):
                session.execute(statement)


def test_only_limits_can_be_set_in_the_url(engine: Engine) -> None:
    with closing(DuckDBAdapter(f"{engine.url}?memory_limit=64MB&threads=1", Options())) as adapter:
        assert rows(adapter) == [(1,)]
        with closing(adapter.open()) as session:
            asked = "SELECT current_setting('threads'), current_setting('memory_limit')"
            assert session.execute(asked).fetchone() == (1, "61.0 MiB")
    with pytest.raises(BadAddress, match="enable_external_access"):
        DuckDBAdapter(f"{engine.url}?enable_external_access=true", Options())


BEYOND: dict[FieldType, Any] = {
    FieldType.INT: Decimal(10**6),
    FieldType.DOUBLE: Decimal(10**6),
    FieldType.STRING: "zzz",
    FieldType.DATE: date(2100, 1, 1),
    FieldType.DATETIME: datetime(2100, 1, 1),
}


def test_a_filter_goes_by_the_least_and_greatest_values(
    adapter: DuckDBAdapter, engine: Engine, subtests: pytest.Subtests
) -> None:
    """A bare column stays in the condition, so that blocks without a fitting row are not read."""
    engine.execute(
        "CREATE TABLE many AS SELECT range::INTEGER AS i, range AS big, range::DECIMAL(12,2) AS d,"
        " range::UHUGEINT AS huge, DATE '2020-01-01' + (range % 99)::INTEGER AS day,"
        " TIMESTAMP '2020-01-01' + to_seconds(range) AS local,"
        " TIMESTAMPTZ '2020-01-01' + to_seconds(range) AS instant, 'word ' || range AS word"
        " FROM range(1000)"
    )
    fields = adapter.describe(Table("many"))
    assert {field.type for field in fields} == set(BEYOND)
    for field in fields:
        with subtests.test(field.name):
            beyond = Compare(field, ">=", BEYOND[field.type])
            assert plan(adapter, field, beyond) == "EMPTY_RESULT"
            within = Compare(field, "<", BEYOND[field.type])
            assert plan(adapter, field, within) != "EMPTY_RESULT"


def plan(adapter: DuckDBAdapter, field: Field, where: Expression) -> str:
    """The first step of the plan."""
    statement = adapter.select(Query(Table("many"), (field,), where))
    compiled = statement.compile(adapter.engine, compile_kwargs={"render_postcompile": True})
    values = [compiled.params[name] for name in compiled.positiontup or ()]
    with closing(adapter.open()) as session:
        found = session.execute(f"EXPLAIN (FORMAT json) {compiled.string}", values).fetchone()
    assert found is not None
    name: str = json.loads(found[1])[0]["name"]
    return name
