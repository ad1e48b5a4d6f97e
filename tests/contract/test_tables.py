"""Which tables an adapter finds, what it calls them, and how it reads those with odd names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.base import Adapter, Cancellation, Capability, Like, Options, Query, Table, Wildcard
from adapters.errors import QueryFailed, SchemaChanged
from adapters.evaluate import Number, read_json
from adapters.registry import open_adapter
from tests.engines import Engine

NAMES = [
    *("plain", "Mixed Case", "таблица", "with space", "100%", "a:b", "::c", "%(x)s", "%s", "$1"),
    *(
        "select",
        "order",
        "1st",
        "it's",
        'say "hi"',
        "back`tick",
        "semi;colon",
        "dot.ted",
        "?",
        "x?y",
    ),
    *(
        "a\\b",
        "-- comment",
        "/* comment */",
        "[brackets]",
        "n" * 63,
    ),
]
QUOTES = {"sqlite": '"', "postgresql": '"', "mysql": "`", "duckdb": '"', "clickhouse": "`"}


def quoted(engine: Engine, name: str) -> str:
    quote = QUOTES[engine.name]
    if engine.name == "clickhouse":
        name = name.replace("\\", "\\\\")
    return quote + name.replace(quote, quote * 2) + quote


def read(adapter: Adapter, query: Query) -> list[list[object]]:
    batches = [batch.json for batch in adapter.json_rows(query, Cancellation())]
    rows: list[list[object]] = read_json(b"[%s]" % b",".join(batches))
    return rows


@contextmanager
def opened(url: str) -> Iterator[Adapter]:
    adapter = open_adapter(url, Options())
    try:
        yield adapter
    finally:
        adapter.close()


@pytest.fixture(scope="module")
def adapter(engine: Engine) -> Iterator[Adapter]:
    with opened(engine.url) as adapter:
        yield adapter


def test_any_name_is_found_described_read_and_filtered(
    adapter: Adapter, engine: Engine, subtests: pytest.Subtests
) -> None:
    for number, name in enumerate(NAMES):
        with subtests.test(name):
            quoted_name = quoted(engine, name)
            engine.execute(f"CREATE TABLE {quoted_name} ({quoted_name} varchar(20), id integer)")
            engine.execute(f"INSERT INTO {quoted_name} VALUES ('100% true', {number})")
            (table,) = [t for t in adapter.tables() if t.name == name and t.default]
            assert table.default
            fields = adapter.describe(table)
            assert [field.name for field in fields] == [name, "id"]
            like = Like(fields[0], (Wildcard.ANY, "% T", Wildcard.ANY))
            assert read(adapter, Query(table, tuple(fields), like)) == [
                ["100% true", Number(str(number))]
            ]


def test_lists_views(adapter: Adapter, engine: Engine) -> None:
    engine.execute("CREATE VIEW a_view AS SELECT 1 AS one")
    (view,) = [t for t in adapter.tables() if t.name == "a_view" and t.default]
    assert view.comment == ""
    assert read(adapter, Query(view, tuple(adapter.describe(view)))) == [[Number("1")]]


def test_a_table_that_is_gone(adapter: Adapter, engine: Engine) -> None:
    engine.execute("CREATE TABLE short_lived (id integer, other integer)")
    table = Table("short_lived")
    fields = tuple(adapter.describe(table))
    engine.execute("ALTER TABLE short_lived DROP COLUMN other")
    with pytest.raises(SchemaChanged):
        read(adapter, Query(table, fields))
    engine.execute("DROP TABLE short_lived")
    with pytest.raises(SchemaChanged):
        read(adapter, Query(table, fields))
    with pytest.raises(SchemaChanged):
        adapter.describe(table)


STATEMENTS: dict[str, dict[str, list[object]]] = {
    "every": {
        "SELECT 1 AS a": [1],
        "SELECT 1 AS a;": [1],
        "SELECT 1 AS a -- the end": [1],
        "SELECT 1 AS a; -- the end; really": [1],
        "SELECT 1 AS a /* the\nend */ ;\n": [1],
        "\n  SELECT 'a;b -- c' AS a": ["a;b -- c"],
        "SELECT 'it''s :here, %(there)s, 100% and %s' AS a": ["it's :here, %(there)s, 100% and %s"],
        "SELECT 'a' AS a WHERE 'abc' LIKE '%b%'": ["a"],
        "SELECT 7 % 4 AS a": [3],
        "SELECT ':a' AS a -- :b ? $1 %s": [":a"],
        "WITH q AS (SELECT 1 AS a UNION ALL SELECT 2) SELECT max(a) AS a FROM q": [2],
    },
    "sqlite": {"SELECT date('2026-09-01') AS a": ["2026-09-01"]},
    "postgresql": {
        "SELECT '5'::int AS a": [5],
        "SELECT (ARRAY[1,2,3])[2:3]::text AS a": ["{2,3}"],
        "SELECT $$a;b$$ AS a; -- done": ["a;b"],
        "SELECT '{\"k\": 5}'::jsonb #>> '{k}' AS a": ["5"],
        "SELECT '{\"k\": 5}'::jsonb ? 'k' AS a": [1],
        "SELECT E'a\\'b' AS a;": ["a'b"],
        "SELECT now()::date > '2020-01-01' AS a": [1],
        "VALUES (1)": [1],
    },
    "duckdb": {
        "SELECT '5'::int AS a": [5],
        "FROM range(3) t(a) WHERE a > 1": [2],
        "SELECT [1,2,3][2:3]::varchar AS a": ["[2, 3]"],
        "SELECT $$a;b$$ AS a; -- done": ["a;b"],
        "SELECT {'k': 5}.k AS a": [5],
        "SELECT E'a\\'b' AS a;": ["a'b"],
        "VALUES (1)": [1],
    },
    "mysql": {
        "SELECT 1 AS a # the end": [1],
        "SELECT 'a\\'b;' AS a;": ["a'b;"],
        'SELECT "a:b" AS `a:c`': ["a:b"],
        "SELECT @x := 1 AS a": [1],
        "SELECT DATE '2026-09-01' AS a": ["2026-09-01"],
    },
    "clickhouse": {
        "SELECT 1 AS a # the end": [1],
        "SELECT 'a\\'b;' AS a;": ["a'b;"],
        "SELECT '5'::Int32 AS a": [5],
        'SELECT 1 AS "a:b"': [1],
        "SELECT [1, 2, 3][2] ? 1 : 2 AS a": [1],
        "SELECT '{a:Int8}' AS a": ["{a:Int8}"],
        "SELECT a FROM VALUES('a Date', '2026-09-01')": ["2026-09-01"],
        "SELECT number AS a FROM numbers(7, 1) SETTINGS max_threads = 1": [7],
    },
}


@pytest.mark.needs(Capability.STATEMENTS)
def test_statements_are_taken_as_they_are(
    adapter: Adapter, engine: Engine, subtests: pytest.Subtests
) -> None:
    for sql, expected in (STATEMENTS["every"] | STATEMENTS[engine.name]).items():
        with subtests.test(sql=sql):
            table = Table("custom", sql=sql)
            (field,) = adapter.describe(table)
            expected = [Number(str(v)) if isinstance(v, int) else v for v in expected]
            assert read(adapter, Query(table, (field,))) == [expected]


def test_columns_of_a_statement_need_names_of_their_own(adapter: Adapter, engine: Engine) -> None:
    table = Table("custom", sql="SELECT 1 AS a, 2 AS a")
    if engine.name in ("sqlite", "duckdb"):  # which gives the second one a name itself
        assert read(adapter, Query(table, tuple(adapter.describe(table)))) == [
            [Number("1"), Number("2")]
        ]
        return
    with pytest.raises(QueryFailed):
        adapter.describe(table)
