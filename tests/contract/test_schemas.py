"""What is particular to the servers: schemas, privileges, and the kinds of tables there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
import sqlalchemy as sa

from adapters.base import Adapter, Cancellation, FieldType, Options, Query, Table
from adapters.errors import SourceUnavailable
from adapters.registry import open_adapter
from tests.engines import Engine


@contextmanager
def opened(engine: Engine, user: str | None = None) -> Iterator[Adapter]:
    url = sa.make_url(engine.url)
    url = url.set(username=user) if user else url
    adapter = open_adapter(url.render_as_string(hide_password=False), Options())
    try:
        yield adapter
    finally:
        adapter.close()


def found(adapter: Adapter, schema: str) -> dict[str, str]:
    """Names and comments of the tables in a schema."""
    return {t.name: t.comment for t in adapter.tables() if t.schema == schema}


def read(adapter: Adapter, table: Table) -> list[tuple[object, ...]]:
    query = Query(table, tuple(adapter.describe(table)))
    return [tuple(row) for batch in adapter.rows(query, Cancellation()) for row in batch]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_kinds_of_tables(engine: Engine) -> None:
    for statement in (
        "CREATE SCHEMA kinds",
        "CREATE TABLE kinds.plain (i int)",
        "COMMENT ON TABLE kinds.plain IS 'A plain table'",
        "COMMENT ON COLUMN kinds.plain.i IS 'A number'",
        "CREATE VIEW kinds.seen AS SELECT * FROM kinds.plain",
        "COMMENT ON VIEW kinds.seen IS 'A view'",
        "CREATE MATERIALIZED VIEW kinds.stored AS SELECT 1 AS i",
        "COMMENT ON MATERIALIZED VIEW kinds.stored IS 'A stored view'",
        "CREATE TABLE kinds.whole (i int) PARTITION BY RANGE (i)",
        "CREATE TABLE kinds.part PARTITION OF kinds.whole FOR VALUES FROM (0) TO (9)",
        "INSERT INTO kinds.whole VALUES (1)",
        "CREATE FOREIGN DATA WRAPPER nothing",
        "CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing",
        "CREATE FOREIGN TABLE kinds.abroad (i int) SERVER elsewhere",
        "CREATE TABLE kinds.empty ()",
        "CREATE SEQUENCE kinds.counter",
        "CREATE TYPE kinds.composite AS (i int)",
        'CREATE TABLE kinds."Case" (i int)',
        'CREATE TABLE kinds."case" (i int, "I" int)',
        "CREATE TABLE kinds.dropped (gone int, i int GENERATED ALWAYS AS (2 + 3) STORED)",
        "ALTER TABLE kinds.dropped DROP COLUMN gone",
        "INSERT INTO kinds.dropped DEFAULT VALUES",
    ):
        engine.execute(statement)
    with opened(engine) as adapter:
        assert found(adapter, "kinds") == {
            "plain": "A plain table",
            "seen": "A view",
            "stored": "A stored view",
            "whole": "",
            "abroad": "",
            "Case": "",
            "case": "",
            "dropped": "",
        }
        assert not any(table.default for table in adapter.tables() if table.schema == "kinds")
        assert read(adapter, Table("whole", "kinds")) == [(1,)]
        assert read(adapter, Table("dropped", "kinds")) == [(5,)]
        (field,) = adapter.describe(Table("plain", "kinds"))
        assert (field.name, field.type, field.comment) == ("i", FieldType.INT, "A number")
        assert [f.name for f in adapter.describe(Table("case", "kinds"))] == ["i", "I"]


@pytest.mark.parametrize("engine", ["postgresql", "mysql"], indirect=True)
def test_the_same_table_in_two_schemas(engine: Engine) -> None:
    other = f"other_{engine.name}"
    engine.execute(f"DROP SCHEMA IF EXISTS {other}")
    engine.execute(f"CREATE SCHEMA {other}")
    engine.execute("CREATE TABLE twice (here integer)")
    engine.execute(f"CREATE TABLE {other}.twice (there integer)")
    with opened(engine) as adapter:
        twice = {t.default: t for t in adapter.tables() if t.name == "twice"}
        assert [f.name for f in adapter.describe(twice[True])] == ["here"]
        assert [f.name for f in adapter.describe(twice[False])] == ["there"]
        assert read(adapter, twice[False]) == []
    engine.execute(f"DROP TABLE {other}.twice")
    engine.execute(f"DROP SCHEMA {other}")


GRANTS = {
    "postgresql": [
        "CREATE ROLE {reader} LOGIN",
        "GRANT USAGE ON SCHEMA public TO {reader}",
        "GRANT SELECT ON open TO {reader}",
        "GRANT SELECT (i) ON partly TO {reader}",
        "GRANT INSERT ON closed TO {reader}",
    ],
    "mysql": [
        "CREATE USER {reader}@localhost",
        "GRANT SELECT ON open TO {reader}@localhost",
        "GRANT SELECT (i) ON partly TO {reader}@localhost",
        "GRANT INSERT ON closed TO {reader}@localhost",
    ],
}
REVOKE = {
    "postgresql": "REVOKE SELECT ON open FROM {reader}",
    "mysql": "REVOKE SELECT ON open FROM {reader}@localhost",
}
DROP = {
    "postgresql": ["DROP OWNED BY {reader}", "DROP ROLE {reader}"],
    "mysql": ["DROP USER {reader}@localhost"],
}


@pytest.mark.parametrize("engine", ["postgresql", "mysql"], indirect=True)
def test_only_what_may_be_read_is_there(engine: Engine) -> None:
    reader = "reader_of_some"
    for table in ("open", "partly", "closed"):
        engine.execute(f"CREATE TABLE {table} (i integer, secret integer)")
        engine.execute(f"INSERT INTO {table} VALUES (1, 2)")
    for statement in GRANTS[engine.name]:
        engine.execute(statement.format(reader=reader))
    with opened(engine, reader) as adapter:
        names = {table.name for table in adapter.tables() if table.default}
        assert names & {"open", "partly", "closed"} == {"open", "partly"}
        assert read(adapter, Table("partly")) == [(1,)]
        remembered = Query(Table("open"), tuple(adapter.describe(Table("open"))))
        engine.execute(REVOKE[engine.name].format(reader=reader))
        with pytest.raises(SourceUnavailable):
            list(adapter.rows(remembered, Cancellation()))
    for statement in DROP[engine.name]:
        engine.execute(statement.format(reader=reader))


@pytest.mark.parametrize("engine", ["mysql"], indirect=True)
def test_kinds_of_tables_of_mysql(engine: Engine) -> None:
    for statement in (
        "CREATE TABLE noted (i integer COMMENT 'A number') COMMENT 'A noted table'",
        "CREATE TABLE parted (i integer) PARTITION BY RANGE (i)"
        " (PARTITION p VALUES LESS THAN (9), PARTITION q VALUES LESS THAN MAXVALUE)",
        "CREATE TABLE computed (i integer, twice integer AS (i * 2), thrice integer AS (i * 3)"
        " PERSISTENT)",
        "INSERT INTO computed (i) VALUES (2)",
        "CREATE VIEW seen AS SELECT * FROM noted",
        "CREATE TABLE priced (d decimal(9,2), whole decimal(18,0))",
        "INSERT INTO priced VALUES (1.5, 2)",
        "CREATE VIEW odd AS SELECT -d, -whole, NULL FROM priced",
        "CREATE VIEW broken AS SELECT * FROM parted",
        "DROP TABLE parted",
        "CREATE TABLE parted (j integer) PARTITION BY HASH (j) PARTITIONS 3",
    ):
        engine.execute(statement)
    with opened(engine) as adapter:
        comments = {t.name: t.comment for t in adapter.tables() if t.default}
        assert comments["noted"] == "A noted table"
        assert comments["seen"] == ""
        assert comments["parted"] == ""
        assert "broken" not in comments
        assert read(adapter, Table("computed")) == [(2, 4, 6)]
        # The server says one thing of these columns in its catalogue, and another of a result.
        assert read(adapter, Table("odd")) == [(Decimal("-1.50"), -2, None)]
        assert [f.comment for f in adapter.describe(Table("noted"))] == ["A number"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_kinds_of_tables_of_sqlite(engine: Engine) -> None:
    for statement in (
        "CREATE TABLE computed (i INTEGER, twice INTEGER AS (i * 2), thrice INTEGER AS (i * 3)"
        " STORED)",
        "INSERT INTO computed (i) VALUES (2)",
        "CREATE TABLE keyed (k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID",
        "CREATE TABLE strict_one (i INTEGER, t TEXT, a ANY) STRICT",
        "INSERT INTO strict_one VALUES (1, 'a', x'41')",
        "CREATE TABLE sequenced (i INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE VIEW added AS SELECT i, i + 0.5 AS half, date('2026-01-01') AS day,"
        " datetime('2026-01-01') AS moment, upper('a') AS text, NULL AS empty FROM computed",
    ):
        engine.execute(statement)
    with opened(engine) as adapter:
        assert {t.name for t in adapter.tables()} == {
            *("computed", "keyed", "strict_one", "sequenced", "added"),
        }
        assert read(adapter, Table("computed")) == [(2, 4, 6)]
        assert read(adapter, Table("strict_one")) == [(1, "a", "41")]
        view = Table("added")
        assert {f.name: f.type.value for f in adapter.describe(view)} == {
            "i": "int",
            "half": "double",
            "day": "date",
            "moment": "datetime",
            "text": "string",
            "empty": "string",
        }
        assert read(adapter, view) == [(2, 2.5, "2026-01-01", "2026-01-01 00:00:00", "A", None)]
