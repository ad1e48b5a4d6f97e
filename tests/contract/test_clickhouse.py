"""What is particular to ClickHouse: its answers, primary keys, profiles, and kinds of tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
import sqlalchemy as sa

from adapters.base import Adapter, Cancellation, Compare, Field, In, Options, Query, Table
from adapters.clickhouse import ClickHouseAdapter
from adapters.clickhouse.answer import BrokenAnswer, answer
from adapters.clickhouse.settings import NEEDED
from adapters.clickhouse.sql import DIALECT, select
from adapters.errors import QueryCancelled, QueryFailed, SchemaChanged, SourceUnavailable
from tests.contract.test_indexes import conditions
from tests.engines import Engine
from tests.engines.clickhouse import ask

pytestmark = pytest.mark.parametrize("engine", ["clickhouse"], indirect=True)

ZONE = ZoneInfo("Europe/Berlin")
# Errors at the end of what was sent, as servers say them: before 23.8, from then on where the
# document can hold them, and since 25.11.
SAID = "Code: 241. DB::Exception: Memory limit exceeded: [1, 2],\n[3]. (MEMORY_LIMIT_EXCEEDED)"
SAYINGS = {
    "nothing": "",
    "text": f"{SAID} (version 22.8.1.1 (official build))\n",
    "in the document": f'\n\t],\n\n\t"rows": 2,\n\n\t"exception": "{SAID[:40]}"\n}}\n',
    "marked": f"\r\n__exception__\r\nabcdefghijklmnop\r\n{SAID}\n90 abcdefghijklmnop\r\n"
    "__exception__\r\n",
}


SOME: dict[str, Any] = {
    "int": Decimal(7),
    "double": Decimal(7),
    "string": "x",
    "date": date(2026, 9, 1),
    "datetime": datetime(2026, 9, 1),
}


@contextmanager
def opened(engine: Engine, user: str = "default", **options: Any) -> Iterator[ClickHouseAdapter]:
    url = sa.make_url(engine.url).set(username=user).render_as_string(hide_password=False)
    adapter = ClickHouseAdapter(url, Options(timezone=ZONE, **options))
    try:
        yield adapter
    finally:
        adapter.close()


def read(adapter: Adapter, table: Table) -> list[Any]:
    query = Query(table, tuple(adapter.describe(table)))
    batches = [batch.json for batch in adapter.json_rows(query, Cancellation())]
    rows: list[Any] = orjson.loads(b"[%s]" % b",".join(batches))
    return rows


@pytest.fixture(scope="module")
def document(engine: Engine) -> bytes:
    """A whole answer as the engine writes it, with texts that look like its own marks."""
    sql = (
        "SELECT number, if(number % 2, NULL, '],\n\t\t['), '\n\t],\n\n\t\"rows\": 3'"
        " FROM numbers(3) FORMAT JSONCompact SETTINGS output_format_write_statistics = 0"
    )
    return ask(engine.url, "default", sql.partition(" FORMAT")[0] + "\nFORMAT JSONCompact")


def cut(document: bytes, size: int) -> list[bytes]:
    return [document[i : i + size] for i in range(0, len(document), size)]


def test_the_rows_are_the_same_wherever_pieces_end(engine: Engine, document: bytes) -> None:
    expected = orjson.loads(document)["data"]
    assert [row[0] for row in expected] == [0, 1, 2]
    for size in range(1, len(document) + 1):
        types, batches = answer(cut(document, size))
        assert types == ["UInt64", "Nullable(String)", "String"]
        found = list(batches)
        rows = b",".join(batch.json for batch in found)
        assert orjson.loads(b"[%s]" % rows) == expected
        assert sum(batch.rows for batch in found) == len(expected)


def test_an_answer_that_is_cut_anywhere_is_not_taken_for_whole(
    engine: Engine, document: bytes
) -> None:
    for length in range(len(document.rstrip()) - 1):
        for said in SAYINGS.values():
            for size in (7, 10**6):
                with pytest.raises(BrokenAnswer) as caught:
                    list(answer(cut(document[:length] + said.encode(), size))[1])
                assert caught.value.code == (241 if said else None)


def test_an_empty_answer(engine: Engine) -> None:
    whole = ask(engine.url, "default", "SELECT 1 AS a WHERE 0\nFORMAT JSONCompact")
    for size in range(1, len(whole) + 1):
        assert list(answer(cut(whole, size))[1]) == []


def test_an_error_in_the_middle_is_an_error(engine: Engine) -> None:
    sql = "SELECT throwIf(number = 3000000) AS i FROM numbers(4000000)"
    table = Table("failing", sql=f"{sql} SETTINGS max_threads = 1")
    with opened(engine) as adapter:
        query = Query(table, tuple(adapter.describe(table)))
        batches = adapter.json_rows(query, Cancellation())
        assert next(batches).rows > 0
        with pytest.raises(QueryFailed, match="Code: 395"):
            list(batches)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT number AS i FROM numbers(99) SETTINGS max_rows_to_read = 10", QueryFailed),
        ("SELECT name FROM system.users", SourceUnavailable),
    ],
)
def test_what_the_server_refuses(engine: Engine, sql: str, expected: type[Exception]) -> None:
    with opened(engine) as adapter, pytest.raises(expected):
        read(adapter, Table("refused", sql=sql))


def test_nothing_can_be_written(engine: Engine) -> None:
    engine.execute("CREATE TABLE untouched (i Int32) ORDER BY tuple()")
    with opened(engine) as adapter:
        adapter.check()
        for sql in ("INSERT INTO untouched VALUES (1)", "DROP TABLE untouched"):
            with (
                pytest.raises(QueryFailed, match=r"164|READONLY"),
                adapter._asked(sql, {}, Cancellation()),
            ):
                pass


def test_a_query_that_is_cancelled_before_it_is_sent(engine: Engine) -> None:
    cancellation = Cancellation()
    cancellation.cancel("enough")
    with opened(engine) as adapter:
        table = Table("one", sql="SELECT 1 AS i")
        query = Query(table, tuple(adapter.describe(table)))
        with pytest.raises(QueryCancelled):
            list(adapter.json_rows(query, cancellation))


def test_profiles_of_users(engine: Engine) -> None:
    """None of them shortens an answer: it is whole, or an error says what to change."""
    table = Table("some", sql="SELECT number AS i FROM numbers(50)")
    with opened(engine, "strict") as adapter:
        assert len(read(adapter, table)) == 50
    with opened(engine, "lenient") as adapter, pytest.raises(QueryFailed, match="158"):
        read(adapter, Table("more", sql="SELECT number AS i FROM numbers(6000)"))
    with opened(engine, "cutting") as adapter, pytest.raises(QueryFailed, match="396"):
        read(adapter, table)
    for user, way_out in (
        ("strictly_lenient", "read_overflow_mode .* readonly = 2"),
        ("limiting", "profile cuts every answer short"),
    ):
        with opened(engine, user) as adapter, pytest.raises(SourceUnavailable, match=way_out):
            adapter.check()


def test_settings_are_sent_also_where_the_profile_has_them(engine: Engine) -> None:
    """It may have others tomorrow, when this process still runs."""
    with opened(engine) as adapter:
        adapter.check()
        assert NEEDED.items() <= adapter._settings.items()


def test_the_names_given_to_expressions_are_no_column_s(engine: Engine) -> None:
    engine.execute("CREATE TABLE labels (c0 Int32, c1 Int32, c Int32) ORDER BY tuple()")
    engine.execute("INSERT INTO labels VALUES (1, 2, 3), (2, 1, 3)")
    with opened(engine) as adapter:
        first, second, third = adapter.describe(Table("labels"))
        for field, value, expected in ((first, 1, [3, 2, 1]), (second, 1, [3, 1, 2])):
            where = In(field, (Decimal(value),))
            query = Query(Table("labels"), (third, second, first), where)
            (row,) = (row for batch in adapter.rows(query, Cancellation()) for row in batch)
            assert row == expected


KEYS = {
    "UInt8": "number % 200",
    "Int64": "number",
    "UInt64": "number",
    "Decimal(14, 4)": "number",
    "Float64": "number",
    "Float32": "number",
    "String": "concat('word ', toString(number))",
    "LowCardinality(String)": "concat('word ', toString(number))",
    "FixedString(20)": "concat('word ', toString(number))",
    "Date": "toDate('2020-01-01') + number",
    "Date32": "toDate('2020-01-01') + number",
    "DateTime": "toDateTime('2020-01-01 00:00:00', 'UTC') + number * 3600",
    "DateTime64(3)": "toDateTime64('2020-01-01 00:00:00', 3, 'UTC') + number * 3600",
    "DateTime64(9)": "toDateTime64('2020-01-01 00:00:00', 9, 'UTC') + number * 3600",
}


@pytest.mark.parametrize("kind", KEYS)
def test_filters_use_the_primary_key(engine: Engine, kind: str) -> None:
    table = Table(f"keyed by {kind}")
    engine.execute(
        f"CREATE TABLE `{table.name}` (v {kind} NOT NULL) ORDER BY v"
        f" SETTINGS index_granularity = 10 AS SELECT {KEYS[kind]} FROM numbers(5000)"
    )
    with opened(engine) as adapter:
        (field,) = adapter.describe(table)
        for condition in conditions(field):
            query = Query(table, (field,), condition)
            compiled = select(query, ZONE).compile(
                dialect=DIALECT, compile_kwargs={"render_postcompile": True}
            )
            with adapter._asked(
                f"EXPLAIN indexes = 1 {compiled}", compiled.params, Cancellation()
            ) as response:
                plan = [row[0].strip() for row in orjson.loads(response.read())["data"]]
            granules = next(line for line in plan if line.startswith("Granules: "))
            read_ones, all_ones = map(int, granules.removeprefix("Granules: ").split("/"))
            assert read_ones < all_ones / 2, plan


def test_kinds_of_tables(engine: Engine) -> None:
    for statement in (
        "CREATE TABLE plain (i Int32 COMMENT 'A number', twice Int32 ALIAS i * 2,"
        " thrice Int32 MATERIALIZED i * 3, given Int32 EPHEMERAL, n Nested(a Int8, b String))"
        " PRIMARY KEY i COMMENT 'A plain table'",
        "INSERT INTO plain (i, n.a, n.b) VALUES (2, [1], ['x'])",
        "CREATE VIEW seen AS SELECT i + 0.5 AS half FROM plain",
        "CREATE MATERIALIZED VIEW stored PRIMARY KEY i POPULATE AS SELECT i FROM plain",
        "CREATE TABLE target (i Int32) PRIMARY KEY i",
        "CREATE MATERIALIZED VIEW moved TO target AS SELECT i FROM plain",
        "CREATE TABLE merged (i Int32) ENGINE = Merge(currentDatabase(), '^(plain|target)$')",
        "CREATE TABLE kept (i Int32) ENGINE = Memory",
        "CREATE TABLE summed (k Int32, v SimpleAggregateFunction(sum, Int64),"
        " u AggregateFunction(uniq, String)) ENGINE = AggregatingMergeTree PRIMARY KEY k",
        "INSERT INTO summed SELECT 1, 5, uniqState('a')",
        "CREATE TABLE chosen (i Int32) ENGINE = Set",
        "CREATE DICTIONARY words (i UInt64, half Float64) PRIMARY KEY i"
        " SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)",
    ):
        engine.execute(statement)
    with opened(engine) as adapter:
        comments = {t.name: t.comment for t in adapter.tables() if t.default}
        expected = {"plain", "seen", "stored", "target", "moved", "merged", "kept", "summed"}
        assert comments.keys() >= expected | {"words"}
        assert not any(name.startswith(".") or name == "chosen" for name in comments)
        assert comments["plain"] == "A plain table"
        found = adapter.describe(Table("plain"))
        assert [f.name for f in found] == ["i", "twice", "thrice", "n.a", "n.b"]
        assert found[0].comment == "A number"
        assert read(adapter, Table("plain")) == [[2, 4, 6, "[1]", '["x"]']]
        assert read(adapter, Table("seen")) == [[2.5]]
        assert read(adapter, Table("stored")) == [[2]]
        assert read(adapter, Table("merged")) == [[2]]
        assert read(adapter, Table("summed")) == [[1, 5, "1"]]
        assert read(adapter, Table("words")) == []


def test_a_server_that_is_none(engine: Engine) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"clickhouse://u:p@127.0.0.1:{server.server_port}/x"
        adapter = ClickHouseAdapter(url, Options(timeout=timedelta(seconds=5)))
        with pytest.raises(SourceUnavailable):
            adapter.check()
        server.shutdown()


def test_a_column_that_has_changed_its_type(engine: Engine) -> None:
    def remembered(kind: str) -> Field:
        engine.execute("DROP TABLE IF EXISTS moving SYNC")
        engine.execute(f"CREATE TABLE moving (id Int32 NOT NULL, v {kind} NULL) ORDER BY id")
        return adapter.describe(Table("moving"))[1]

    with opened(engine) as adapter:
        for before, after in (
            *(("String", "Int32"), ("Int32", "String"), ("Date", "String"), ("Date", "DateTime")),
            *(("DateTime", "Date"), ("DateTime", "DateTime64(3)"), ("Float64", "String")),
        ):
            field = remembered(before)
            remembered(after)
            engine.execute("INSERT INTO moving (id) VALUES (1)")
            query = Query(Table("moving"), (field,), Compare(field, "<", SOME[field.type]))
            with pytest.raises(SchemaChanged):
                list(adapter.json_rows(query, Cancellation()))


def test_types_are_compared_whatever_columns_and_values_are_called(engine: Engine) -> None:
    name, kind = "it`s\\ 'odd'\n)", "Enum8('it\\'s' = 1, 'a\\\\b' = 2, '),(' = 3)"
    quoted = name.replace("\\", "\\\\").replace("`", "\\`")
    engine.execute(f"CREATE TABLE odd (`{quoted}` {kind}) ENGINE = Memory")
    engine.execute("INSERT INTO odd SELECT 2")
    with opened(engine) as adapter:
        table = next(table for table in adapter.tables() if table.name == "odd")
        query = Query(table, tuple(adapter.describe(table)))
        assert [field.name for field in query.fields] == [name]
        assert [batch.json for batch in adapter.json_rows(query, Cancellation())] == [b'["a\\\\b"]']
        engine.execute("DROP TABLE odd")
        engine.execute(f"CREATE TABLE odd (`{quoted}` String) ENGINE = Memory")
        with pytest.raises(SchemaChanged):
            list(adapter.json_rows(query, Cancellation()))
