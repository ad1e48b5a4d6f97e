"""A filter uses the index on its column: the bare column stays in the condition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from adapters.base import And, Compare, Expression, Field, FieldType, In, Options, Or, Query, Table
from adapters.registry import open_adapter
from adapters.sql.adapter import SqlAdapter
from tests.engines import Engine

pytestmark = pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mysql"], indirect=True)
"""ClickHouse has primary keys instead: see test_clickhouse."""

ROWS = 5000
TABLE = Table("indexed")
_SHARED = {
    "whole": "integer",
    "large": "bigint",
    "price": "decimal(14,4)",
    "ratio": "double precision",
    "word": "varchar(20)",
    "day": "date",
    "local": "timestamp",
}
COLUMNS = {
    "sqlite": _SHARED | {"nocase": "varchar(20) COLLATE NOCASE"},
    "postgresql": _SHARED
    | {"single": "real", "padded": "char(20)", "instant": "timestamptz", "c": 'text COLLATE "C"'},
    "mysql": _SHARED
    | {
        "single": "float",
        "padded": "char(20)",
        "local": "datetime",
        "instant": "timestamp",
        "caseless": "varchar(20) COLLATE utf8mb4_general_ci",
        "latin": "varchar(20) CHARACTER SET latin1",
        "cyrillic": "varchar(20) CHARACTER SET cp1251 COLLATE cp1251_bulgarian_ci",
    },
}
_START = datetime(2020, 1, 1, 12)
_USED = {
    "sqlite": lambda plan: any("USING INDEX ix_" in row[3] for row in plan),
    "postgresql": lambda plan: any("ix_" in row[0] for row in plan),
    "mysql": lambda plan: all(row[3] in ("range", "ref") and "ix_" in row[5] for row in plan),
}


@pytest.fixture(scope="module")
def adapter(engine: Engine) -> Iterator[SqlAdapter]:
    if engine.name not in COLUMNS:
        pytest.skip("DuckDB goes by the least and greatest values: tests/contract/test_duckdb.py")
    columns = COLUMNS[engine.name]
    declared = ", ".join(f"{name} {kind} NULL" for name, kind in columns.items())
    engine.execute(f"CREATE TABLE {TABLE.name} ({declared})")
    places = ", ".join([engine.placeholder] * len(columns))
    rows = [tuple(value(name, i) for name in columns) for i in range(ROWS)]
    engine.execute(f"INSERT INTO {TABLE.name} VALUES ({places})", rows)
    for name in columns:
        engine.execute(f"CREATE INDEX ix_{name} ON {TABLE.name} ({name})")
    engine.execute("ANALYZE TABLE indexed" if engine.name == "mysql" else "ANALYZE")
    opened = open_adapter(engine.url, Options(timezone=ZoneInfo("Europe/Berlin")))
    assert isinstance(opened, SqlAdapter)
    yield opened
    opened.close()


def value(name: str, number: int) -> Any:
    match name:
        case "day":
            return str((_START + timedelta(days=number)).date())
        case "local" | "instant":
            return str(_START + timedelta(hours=number))
        case "whole" | "large" | "price" | "ratio" | "single":
            return number
        case _:
            return f"word {number}"


def conditions(field: Field) -> Iterator[Expression]:
    match field.type:
        case FieldType.STRING:
            yield In(field, ("word 7",))
            yield In(field, ("word 7", "word 9", "слово", "😀"))
        case FieldType.INT | FieldType.DOUBLE:
            yield In(field, (Decimal(7), Decimal(9)))
            yield Compare(field, "<", Decimal("10.5" if field.type == "double" else 10))
            yield And((Compare(field, ">", Decimal(100)), Compare(field, "<=", Decimal(110))))
        case FieldType.DATE:
            yield In(field, (date(2020, 3, 1), date(2020, 3, 2)))
            yield And(
                (Compare(field, ">=", date(2020, 3, 1)), Compare(field, "<", date(2020, 3, 9)))
            )
        case FieldType.DATETIME:
            start = datetime(2020, 3, 29, 2, 30)  # in an hour that Berlin skips
            end = start + timedelta(days=1)
            yield And((Compare(field, ">=", start), Compare(field, "<", end)))
            second = end + timedelta(seconds=1)
            yield Or((And((Compare(field, ">=", end), Compare(field, "<", second))),))


def test_filters_use_indexes(
    adapter: SqlAdapter, engine: Engine, subtests: pytest.Subtests
) -> None:
    described = adapter.describe(TABLE)
    assert [field.name for field in described] == list(COLUMNS[engine.name])
    for field in described:
        for condition in conditions(field):
            with subtests.test(field.name, condition=condition):
                plan = explain(adapter, Query(TABLE, tuple(described), condition))
                assert _USED[engine.name](plan), plan


def explain(adapter: SqlAdapter, query: Query) -> list[Any]:
    words = "EXPLAIN QUERY PLAN " if adapter.engine.dialect.name == "sqlite" else "EXPLAIN "

    def prefixed(_c: Any, _r: Any, sql: str, arguments: Any, *_: Any) -> tuple[str, Any]:
        return words + sql, arguments

    with adapter.engine.connect() as connection:
        sa.event.listen(connection, "before_cursor_execute", prefixed, retval=True)
        raw: Any = connection.execute(adapter.select(query)).cursor
        rows: list[Any] = list(raw.fetchall())
        return rows
