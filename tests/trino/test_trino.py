"""Trino's adapter against a coordinator that keeps to the protocol and knows no SQL."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.base import Adapter, Cancellation, Field, FieldType, In, Options, Query, Table
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from tests.server import free_port
from tests.trino.coordinator import Answer, Coordinator, Failure, coordinator

pytest.importorskip("trino")
from adapters.trino import TrinoAdapter

COLUMNS = {"column_name": "varchar", "data_type": "varchar", "comment": "varchar"}
ORDERS = [
    ["id", "bigint", "the number"],
    ["paid", "boolean", None],
    ["price", "decimal(12,2)", None],
    ["weight", "real", None],
    ["city", "varchar(40)", None],
    ["day", "date", None],
    ["moment", "timestamp(6) with time zone", None],
    ["tags", "array(varchar)", None],
]
SHOWN = {
    "c0": "bigint",
    "c1": "integer",
    "c2": "decimal(12,2)",
    "c3": "real",
    **dict.fromkeys(("c4", "c5", "c6", "c7"), "varchar"),
}
TABLE = Table("orders", "crm")
DESCRIBED = ("information_schema.columns", Answer(COLUMNS, [ORDERS]))


@pytest.fixture
def server() -> Iterator[Coordinator]:
    with coordinator() as running:
        running.answers.append(DESCRIBED)
        yield running


@pytest.fixture
def adapter(server: Coordinator) -> Iterator[Adapter]:
    opened = open_at(server)
    yield opened
    opened.close()


def open_at(server: Coordinator, options: Options | None = None, more: str = "") -> Adapter:
    zone = Options(timezone=ZoneInfo("Europe/Berlin"))
    return TrinoAdapter(f"trino://anna@127.0.0.1:{server.port}/hive/crm{more}", options or zone)


def query(adapter: Adapter, *names: str) -> Query:
    fields = {field.name: field for field in adapter.describe(TABLE)}
    return Query(TABLE, tuple(fields[name] for name in names))


def wait_until(met: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not met():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_what_every_request_says_of_the_session(server: Coordinator, adapter: Adapter) -> None:
    server.answers.append(("SELECT 1", Answer({"one": "integer"}, [[[1]]])))
    adapter.check()
    (statement,) = server.statements
    said = {name: value for name, value in statement.headers.items() if "Trino" in name}
    assert said["X-Trino-User"] == "anna"
    assert said["X-Trino-Catalog"] == "hive"
    assert said["X-Trino-Schema"] == "crm"
    assert said["X-Trino-Time-Zone"] == "Europe/Berlin"
    assert said["X-Trino-Source"] == "b24-connector"
    assert said["X-Trino-Session"] == "query_max_run_time=240000ms"
    assert "X-Trino-Query-Data-Encoding" not in said  # rows by way of an object store


def test_session_properties_of_the_url_are_kept(server: Coordinator) -> None:
    server.answers.append(("SELECT 1", Answer({"one": "integer"}, [[[1]]])))
    more = "?session_properties=%7B%22query_priority%22%3A%227%22%7D"
    adapter = open_at(server, more=more)
    adapter.check()
    session = server.statements[0].headers["X-Trino-Session"]
    assert set(session.split(",")) == {"query_priority=7", "query_max_run_time=240000ms"}
    adapter.close()


def test_tables_of_every_schema(server: Coordinator, adapter: Adapter) -> None:
    columns = {"table_schema": "varchar", "table_name": "varchar"}
    rows = [["crm", "orders"], ["hr", "people"]]
    server.answers.append(("information_schema.tables", Answer(columns, [rows])))
    assert adapter.tables() == [TABLE, Table("people", "hr", default=False)]


def test_columns_with_their_comments(server: Coordinator, adapter: Adapter) -> None:
    fields = adapter.describe(TABLE)
    assert [(f.name, str(f.type)) for f in fields] == [
        ("id", "int"),
        ("paid", "int"),
        ("price", "double"),
        ("weight", "double"),
        ("city", "string"),
        ("day", "date"),
        ("moment", "datetime"),
        ("tags", "string"),
    ]
    assert fields[0].comment == "the number"
    assert "table_schema = 'crm'" in server.statements[0].text


def test_rows_as_a_portal_reads_them(server: Coordinator, adapter: Adapter) -> None:
    row = [9007199254740993, 1, "12345678901234567.10", 0.1, "Größe \u2028'😀'", "2026-09-01"]
    row += ["2026-09-01 14:00:00", '["a",null]']
    server.answers.append((r"FROM crm\.orders", Answer(SHOWN, [[row], [[None] * 8]])))
    batches = adapter.json_rows(query(adapter, *(line[0] for line in ORDERS)), Cancellation())
    json = b",".join(batch.json for batch in batches).decode()
    assert json == (
        '[9007199254740993,1,12345678901234567.10,0.1,"Größe \u2028\'😀\'","2026-09-01",'
        '"2026-09-01 14:00:00","[\\"a\\",null]"],[null,null,null,null,null,null,null,null]'
    )


def test_numbers_that_json_cannot_say_are_null(server: Coordinator, adapter: Adapter) -> None:
    rows = [["NaN"], ["Infinity"], ["-Infinity"], [1.5]]
    server.answers.append((r"FROM crm\.orders", Answer({"c0": "double"}, [rows])))
    (batch,) = adapter.json_rows(query(adapter, "weight"), Cancellation())
    assert batch.json == b"[null],[null],[null],[1.5]"


def test_values_of_a_filter_are_quoted(server: Coordinator, adapter: Adapter) -> None:
    """The client puts them into the statement as literals."""
    server.answers.append((r"FROM crm\.orders", Answer({"c0": "varchar"})))
    asked = query(adapter, "city")
    where = In(asked.fields[0], ("'; DROP TABLE x -- ", "O''Hara?", "Ж"))
    assert list(adapter.rows(Query(TABLE, asked.fields, where), Cancellation())) == []
    assert server.statements[-1].text.endswith(
        "WHERE city IN ('''; DROP TABLE x -- ', 'O''''Hara?', 'Ж')"
    )


def test_a_table_made_of_sql(server: Coordinator, adapter: Adapter) -> None:
    sql = "SELECT region, '?:x' AS mark FROM sales;"
    columns = {"region": "varchar(9)", "mark": "varchar(3)"}
    server.answers.append(("LIMIT 0", Answer(columns)))
    server.answers.append(("SELECT mark", Answer({"c0": "varchar(3)"}, [[["?:x"]]])))
    table = Table("custom", sql=sql)
    fields = adapter.describe(table)
    assert [field.name for field in fields] == ["region", "mark"]
    found = adapter.rows(Query(table, (fields[1],), limit=5), Cancellation())
    assert list(found) == [[("?:x",)]]


def test_rows_are_asked_for_page_by_page(server: Coordinator, adapter: Adapter) -> None:
    def endless() -> Iterator[list[Any]]:
        while True:
            yield [[f"{'x' * 1000}"]] * 1000

    server.answers.append((r"FROM crm\.orders", lambda: Answer({"c0": "varchar"}, endless())))
    rows = adapter.rows(query(adapter, "city"), Cancellation())
    next(rows)
    tracemalloc.start()
    for _ in range(30):
        next(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    running = server.statements[-1]
    assert running.fetched < 40
    assert peak < 20_000_000  # of 30 MB that went by, and of which the server here holds a page
    assert not running.cancelled.is_set()
    rows.close()  # type: ignore[attr-defined]
    assert running.cancelled.is_set()


@pytest.mark.parametrize("gone", [False, True])
def test_cancelling_ends_the_query_on_the_server(
    server: Coordinator, adapter: Adapter, gone: bool
) -> None:
    server.gone = gone

    def thinking() -> Iterator[list[Any]]:
        while True:
            time.sleep(0.05)
            yield []

    server.answers.append((r"FROM crm\.orders", lambda: Answer({"c0": "varchar"}, thinking())))
    cancellation = Cancellation()
    caught: list[AdapterError] = []
    asked = query(adapter, "city")

    def read() -> None:
        try:
            list(adapter.rows(asked, cancellation))
        except AdapterError as error:
            caught.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: "crm.orders" in server.statements[-1].text)
    running = server.statements[-1]
    wait_until(lambda: running.fetched)
    cancellation.cancel("enough")
    reader.join(10)
    assert running.cancelled.is_set()
    assert [type(error) for error in caught] == [QueryCancelled]


def test_cancelling_between_two_pages(server: Coordinator, adapter: Adapter) -> None:
    pages = ([["x"]] * 1000 for _ in range(1000))
    server.answers.append((r"FROM crm\.orders", Answer({"c0": "varchar"}, pages)))
    cancellation = Cancellation()
    rows = adapter.rows(query(adapter, "city"), cancellation)
    next(rows)
    canceller = threading.Thread(target=cancellation.cancel, args=["enough"])
    canceller.start()
    with pytest.raises(QueryCancelled):
        for _ in rows:
            pass
    canceller.join(10)
    assert server.statements[-1].cancelled.is_set()


def test_a_connection_that_was_given_up_is_forgotten(
    server: Coordinator, adapter: TrinoAdapter
) -> None:
    server.answers.append(("SELECT 1", Answer({"one": "integer"}, [[[1]]])))

    def give_up() -> weakref.ref[Any]:
        with adapter.session(Cancellation()) as connection:
            connection.exec_driver_sql("SELECT 1").scalar()
            raw = connection.connection.dbapi_connection
            connection.invalidate()
            return weakref.ref(raw)

    # The dialect keeps the first of all, and this thread the last that it has had.
    _, given_up, _ = give_up(), give_up(), give_up()
    gc.collect()
    assert given_up() is None


def test_an_answer_that_breaks_off_is_not_taken_for_whole(
    server: Coordinator, adapter: Adapter
) -> None:
    failure = Failure("HIVE_CURSOR_ERROR", 16777232, "EXTERNAL", "a file is gone")
    pages = [[["x"]] * 1000, [["x"]] * 500]
    server.answers.append((r"FROM crm\.orders", Answer({"c0": "varchar"}, pages, failure)))
    with pytest.raises(QueryFailed, match="a file is gone"):
        list(adapter.rows(query(adapter, "city"), Cancellation()))


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("EXCEEDED_TIME_LIMIT", QueryTimeout),
        ("USER_CANCELED", QueryCancelled),
        ("TABLE_NOT_FOUND", SchemaChanged),
        ("COLUMN_NOT_FOUND", SchemaChanged),
        ("SCHEMA_NOT_FOUND", SchemaChanged),
        ("TYPE_MISMATCH", SchemaChanged),
        ("PERMISSION_DENIED", SourceUnavailable),
        ("CATALOG_NOT_FOUND", SourceUnavailable),
        ("SERVER_STARTING_UP", SourceUnavailable),
        ("SYNTAX_ERROR", QueryFailed),
        ("DIVISION_BY_ZERO", QueryFailed),
        ("GENERIC_INTERNAL_ERROR", QueryFailed),
    ],
)
@pytest.mark.parametrize("kind", ["USER_ERROR", "EXTERNAL", "INSUFFICIENT_RESOURCES"])
def test_what_errors_mean(
    server: Coordinator, adapter: Adapter, name: str, meaning: type[AdapterError], kind: str
) -> None:
    server.answers.append((r"FROM crm\.orders", Failure(name, type=kind)))
    with pytest.raises(AdapterError) as caught:
        list(adapter.rows(query(adapter, "city"), Cancellation()))
    assert type(caught.value) is meaning
    assert name in str(caught.value)


def test_a_column_that_is_not_what_it_was(server: Coordinator, adapter: Adapter) -> None:
    asked = query(adapter, "day")
    other = [["day", "timestamp(3)", None]]
    server.answers[0] = (DESCRIBED[0], Answer(COLUMNS, [other]))
    with pytest.raises(SchemaChanged, match="day"):
        list(adapter.rows(asked, Cancellation()))


def test_a_table_that_is_gone(server: Coordinator, adapter: Adapter) -> None:
    server.answers[0] = (DESCRIBED[0], Answer(COLUMNS))
    with pytest.raises(SchemaChanged, match="orders"):
        adapter.describe(TABLE)


def test_a_server_that_is_not_there() -> None:
    adapter = TrinoAdapter(f"trino://anna@127.0.0.1:{free_port()}/hive/crm", Options())
    with pytest.raises(SourceUnavailable):
        adapter.check()
    adapter.close()


@pytest.mark.parametrize(
    "plain",
    [
        (200, b"<html>It works!</html>"),
        (200, b'{"status": "ok"}'),
        (200, b"[]"),
        (200, b""),
        (403, b"forbidden"),
        (404, b"not found"),
        (500, b"oops"),
        (503, b"later"),
    ],
)
def test_a_server_that_is_not_trino(server: Coordinator, plain: tuple[int, bytes]) -> None:
    server.plain = plain
    adapter = open_at(server)
    with pytest.raises(SourceUnavailable):
        adapter.check()
    with pytest.raises(SourceUnavailable):
        adapter.describe(TABLE)
    adapter.close()


def test_a_silent_server_is_given_up() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        options = Options(timeout=timedelta(seconds=0.4))
        adapter = TrinoAdapter(f"trino://anna@127.0.0.1:{port}/hive/crm", options)
        started = time.monotonic()
        with pytest.raises(SourceUnavailable):
            adapter.check()
        assert time.monotonic() - started < 10
        adapter.close()


def test_a_password(server: Coordinator) -> None:
    server.password = "пароль:ü"
    server.answers.append(("SELECT 1", Answer({"one": "integer"}, [[[1]]])))
    login = "trino://anna:{}@127.0.0.1:{}/hive?allow_insecure_auth=true"
    adapter = TrinoAdapter(login.format("пароль%3Aü", server.port), Options())
    adapter.check()
    adapter.close()
    adapter = TrinoAdapter(login.format("wrong-secret", server.port), Options())
    with pytest.raises(SourceUnavailable, match="401") as caught:
        adapter.check()
    assert "wrong-secret" not in str(caught.value)
    adapter.close()


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("trino://anna@h/hive", "http"),
        ("trino://anna@h:8080/hive", "http"),
        ("trino://anna@h:443/hive", "https"),
        ("trino://anna@h:8443/hive", "https"),
        ("trino://anna:secret@h:8080/hive", "https"),
        ("trino://anna@h:8080/hive?access_token=secret", "https"),
        ("trino://anna:secret@h:8080/hive?allow_insecure_auth=true", "http"),
    ],
)
def test_a_secret_goes_over_https(url: str, scheme: str) -> None:
    adapter = TrinoAdapter(url, Options())
    with adapter.engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        assert raw.http_scheme == scheme
    adapter.close()


def test_a_field_knows_its_type(adapter: Adapter) -> None:
    field = adapter.describe(TABLE)[6]
    assert isinstance(field, Field)
    assert field.type is FieldType.DATETIME
