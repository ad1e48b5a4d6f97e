"""Real failures have the right names, and a query that is given up leaves nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.base import Adapter, Cancellation, Capability, Options, Query, Table
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.registry import open_adapter
from tests.engines import Engine

# Takes much longer than anybody waits, and gives its first rows soon.
ENDLESS = {
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000)"
        " SELECT i FROM n"
    ),
    "postgresql": "SELECT generate_series(1, 1000000000)::text AS i",
    "duckdb": "SELECT range::text AS i FROM range(1000000000)",
    "mysql": "SELECT seq AS i FROM seq_1_to_1000000000",
    "clickhouse": "SELECT toString(number) AS i FROM numbers(1000000000000)",
}
SILENT = {
    "sqlite": f"SELECT count(*) AS n FROM ({ENDLESS['sqlite']})",
    "duckdb": (
        "SELECT count(*)::text AS n FROM range(100000000) a, range(1000000) b"
        " WHERE a.range + b.range < 0"
    ),
    "postgresql": "SELECT pg_sleep(100)::text AS n",
    "mysql": "SELECT benchmark(1000000000, sha2('a', 512)) AS n",
    "clickhouse": "SELECT toString(sum(cityHash64(number))) AS n FROM numbers(1000000000000)",
}
WORKING = {
    "postgresql": (
        "SELECT pid FROM pg_stat_activity"
        " WHERE state = 'active' AND application_name = 'b24-connector'"
    ),
    "mysql": (
        "SELECT id FROM information_schema.processlist"
        " WHERE db = database() AND command = 'Query' AND id <> connection_id()"
    ),
    "clickhouse": (
        "SELECT Settings['log_comment'] FROM system.processes"
        " WHERE current_database = currentDatabase() AND query NOT LIKE '%system.processes%'"
    ),
}
KILL = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
# There a query ends, and its connection stays.
KILL["clickhouse"] = "KILL QUERY WHERE query_id = '{}' ASYNC"


@pytest.fixture
def adapter(engine: Engine) -> Iterator[Adapter]:
    opened = open_adapter(engine.url, Options(timeout=timedelta(seconds=60)))
    yield opened
    opened.close()


def query(sql: str) -> Query:
    """Described beforehand, so that nothing but the query itself takes time."""
    from adapters.base import Field, FieldType
    from adapters.sql import columns

    table = Table("custom", sql=sql)
    name = "i" if "AS n" not in sql else "n"
    # DuckDB, for which it costs nothing, looks whether the type is still the same.
    column = columns.text(sa.column(name), declared="VARCHAR")
    return Query(table, (Field(name, FieldType.STRING, "", column),))


def wait_until(met: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def working(engine: Engine) -> list[tuple[Any, ...]]:
    return engine.execute(WORKING[engine.name]) if engine.name in WORKING else []


@pytest.mark.needs(Capability.CANCEL)
def test_cancelling_ends_a_query_that_is_silent(adapter: Adapter, engine: Engine) -> None:
    cancellation = Cancellation()
    caught: list[AdapterError] = []

    def read() -> None:
        try:
            list(adapter.rows(query(SILENT[engine.name]), cancellation))
        except AdapterError as error:
            caught.append(error)

    adapter.check()
    reader = threading.Thread(target=read)
    reader.start()
    if engine.name in WORKING:
        wait_until(lambda: working(engine))
    cancelled = time.monotonic()
    cancellation.cancel("enough")
    reader.join(10)
    assert time.monotonic() - cancelled < 1
    assert [type(error) for error in caught] == [QueryCancelled]
    assert working(engine) == []
    adapter.check()


def test_closing_half_way_ends_the_query(adapter: Adapter, engine: Engine) -> None:
    for _ in range(30):  # more often than the pool has connections
        rows = adapter.rows(query(ENDLESS[engine.name]), Cancellation())
        assert next(rows)
        closed = time.monotonic()
        rows.close()  # type: ignore[attr-defined]
        assert time.monotonic() - closed < 1
    wait_until(lambda: working(engine) == [], 1)
    adapter.check()


@pytest.mark.needs(Capability.CANCEL)
def test_cancelling_between_two_batches(adapter: Adapter, engine: Engine) -> None:
    cancellation = Cancellation()
    rows = adapter.rows(query(ENDLESS[engine.name]), cancellation)
    assert next(rows)
    canceller = threading.Thread(target=cancellation.cancel, args=["enough"])
    canceller.start()
    with pytest.raises(QueryCancelled):
        for _ in rows:
            pass
    canceller.join(10)
    assert working(engine) == []
    adapter.check()


@pytest.mark.needs(Capability.TIME_LIMIT)
def test_a_query_that_is_too_slow(engine: Engine) -> None:
    adapter = open_adapter(engine.url, Options(timeout=timedelta(seconds=0.5)))
    started = time.monotonic()
    with pytest.raises(QueryTimeout):
        list(adapter.rows(query(SILENT[engine.name]), Cancellation()))
    assert time.monotonic() - started < 5
    adapter.check()
    adapter.close()


# The server's own word on a query that it ends, as a server says it that speaks German.
GERMAN = """
    CREATE FUNCTION {}(seconds double precision) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(seconds);
    EXCEPTION WHEN query_canceled THEN
        RAISE query_canceled USING MESSAGE = 'storniere Anfrage';
    END $$"""


@pytest.mark.engines("postgresql")
def test_a_time_limit_is_not_told_by_the_language_of_the_server(engine: Engine) -> None:
    engine.execute(GERMAN.format("slow"))
    adapter = open_adapter(engine.url, Options(timeout=timedelta(seconds=0.5)))
    with pytest.raises(QueryTimeout, match="storniere Anfrage"):
        list(adapter.rows(query("SELECT slow(100) AS n"), Cancellation()))
    adapter.close()


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("word", ["storniere Anfrage", "timeout"])
def test_a_query_that_an_administrator_ends_has_not_taken_too_long(
    adapter: Adapter, engine: Engine, word: str
) -> None:
    engine.execute("DROP FUNCTION IF EXISTS ended")
    engine.execute(GERMAN.format("ended").replace("storniere Anfrage", word))
    caught: list[AdapterError] = []

    def read() -> None:
        try:
            list(adapter.rows(query("SELECT ended(100) AS n"), Cancellation()))
        except AdapterError as error:
            caught.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: working(engine))
    engine.execute(WORKING["postgresql"].replace("SELECT pid", "SELECT pg_cancel_backend(pid)"))
    reader.join(10)
    assert [type(error) for error in caught] == [QueryCancelled]
    adapter.check()


def test_a_connection_that_is_killed(adapter: Adapter, engine: Engine) -> None:
    if engine.name in ("sqlite", "duckdb"):
        return  # no server, no connection
    rows = adapter.rows(query(ENDLESS[engine.name]), Cancellation())
    assert next(rows)
    ((process,),) = working(engine)
    engine.execute(KILL[engine.name].format(process))
    with pytest.raises(SourceUnavailable):
        for _ in rows:
            pass
    adapter.check()
    assert working(engine) == []


def test_what_does_not_exist(adapter: Adapter) -> None:
    table = Table("nowhere", sql="SELECT * FROM nowhere")
    with pytest.raises(SchemaChanged):
        adapter.describe(table)
    with pytest.raises(SchemaChanged):
        adapter.describe(Table("nowhere"))


def failing_urls(engine: Engine, directory: Path) -> dict[str, sa.URL]:
    url = sa.make_url(engine.url)
    if engine.name in ("sqlite", "duckdb"):
        (directory / "text.db").write_text("this is not a database, however long it may be" * 100)
        return {
            "no such file": url.set(database=str(directory / "none.db")),
            "not a database": url.set(database=str(directory / "text.db")),
            "a directory": url.set(database=str(directory)),
        }
    socket = {"postgresql": "host", "mysql": "unix_socket"}.get(engine.name, "")
    return {
        "unknown database": url.set(database="nowhere"),
        "unknown user": url.set(username="nobody", password="wrong"),
        "wrong password": url.set(username="locked", password="wrong"),
        "no server": url.set(host="127.0.0.1", port=1).difference_update_query([socket]),
    }


def test_a_source_that_does_not_let_us_in(
    engine: Engine, tmp_path: Path, locked: None, subtests: pytest.Subtests
) -> None:
    for reason, url in failing_urls(engine, tmp_path).items():
        with subtests.test(reason):
            adapter = open_adapter(url.render_as_string(hide_password=False), Options())
            with pytest.raises(SourceUnavailable) as caught:
                adapter.check()
            assert "wrong" not in str(caught.value).replace("wrong password", "")
            adapter.close()


@pytest.fixture
def locked(engine: Engine) -> Iterator[None]:
    """A user ``locked`` who needs a password."""
    match engine.name:
        case "postgresql":
            ((path,),) = engine.execute("SHOW hba_file")
            rules = Path(path).read_text()
            engine.execute("CREATE ROLE locked LOGIN PASSWORD 'secret'")
            Path(path).write_text("local all locked scram-sha-256\n" + rules)
            engine.execute("SELECT pg_reload_conf()")
            yield
            Path(path).write_text(rules)
            engine.execute("SELECT pg_reload_conf()")
            engine.execute("DROP ROLE locked")
        case "mysql":
            engine.execute("CREATE USER locked@localhost IDENTIFIED BY 'secret'")
            yield
            engine.execute("DROP USER locked@localhost")
        case _:
            yield


@pytest.mark.engines("mysql", "mysqlclient")
def test_no_setting_of_the_server_cuts_an_answer(engine: Engine) -> None:
    engine.execute("SET GLOBAL sql_select_limit = 7")
    try:
        adapter = open_adapter(engine.url, Options())
        table = Table("many", sql="SELECT seq AS i FROM seq_1_to_1000")
        query = Query(table, tuple(adapter.describe(table)))
        assert sum(len(batch) for batch in adapter.rows(query, Cancellation())) == 1000
        adapter.close()
    finally:
        engine.execute("SET GLOBAL sql_select_limit = DEFAULT")
