"""Every column type of every engine, with real values: what it is published as and how it reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from operator import itemgetter
from typing import Any

import pytest

from adapters.base import Adapter, Cancellation, Field, Options, Query, Table
from adapters.clickhouse import ClickHouseAdapter
from adapters.encode import encode_rows
from adapters.evaluate import read_json
from adapters.registry import open_adapter
from tests.contract.nasty import SESSION
from tests.contract.types import CASES, ZONE, TypeCase
from tests.engines import Engine

CUSTOM = Table("custom", sql="SELECT * FROM every_type ORDER BY id; -- with ::casts and 100%")


@pytest.fixture(scope="module")
def adapter(engine: Engine) -> Iterator[Adapter]:
    create(engine, CASES[engine.name])
    opened = open_adapter(engine.url, Options(timezone=ZONE))
    yield opened
    opened.close()


def create(engine: Engine, cases: list[TypeCase]) -> None:
    """One table with a column for each type; row i holds the i-th value of each, or null."""
    for statement in (statement for case in cases for statement in case.setup):
        engine.execute(statement)
    columns = [
        f"v{i} {case.declared} {'' if case.nowhere else 'NULL'}" for i, case in enumerate(cases)
    ]
    engine.execute(f"CREATE TABLE every_type (id integer PRIMARY KEY, {', '.join(columns)})")
    for row in range(max(len(case.values) for case in cases) + 1):
        cells = [
            (list(case.values)[row : row + 1] or [case.nowhere or "NULL"])[0] for case in cases
        ]
        insert = f"INSERT INTO every_type VALUES ({row}, {', '.join(cells)})"
        engine.execute(SESSION.get(engine.name, "") + insert)


def read(adapter: Adapter, table: Table, fields: list[Field]) -> list[list[Any]]:
    """All rows of a table, which both ways of encoding have to agree on."""
    query = Query(table, tuple(fields))
    fast = b",".join(batch.json for batch in adapter.json_rows(query, Cancellation()))
    rows = [row for batch in adapter.rows(query, Cancellation()) for row in batch]
    slow = encode_rows(query.fields, rows, ZONE)
    if isinstance(adapter, ClickHouseAdapter):  # which writes 1e22 where we write 1e+22
        assert sorted(values(fast), key=itemgetter(0)) == sorted(values(slow), key=itemgetter(0))
    else:
        assert fast == slow
    read: list[list[Any]] = read_json(b"[%s]" % fast)
    return read


def values(rows: bytes) -> Any:
    return json.loads(b"[%s]" % rows, parse_int=Decimal, parse_float=Decimal)


@pytest.mark.parametrize("table", [Table("every_type"), CUSTOM], ids=["table", "query"])
def test_types(adapter: Adapter, engine: Engine, table: Table, subtests: pytest.Subtests) -> None:
    cases = CASES[engine.name]
    number, *fields = adapter.describe(table)
    assert [field.name for field in fields] == [f"v{i}" for i in range(len(cases))]
    for field, case in zip(fields, cases, strict=True):
        with subtests.test(case.title):
            assert field.type == case.type
            rows = read(adapter, table, [number, field])
            shown = {int(row.text): value for row, value in rows}
            expected = [read_json(json_text) for json_text in case.values.values()]
            assert [shown.pop(row) for row in range(len(expected))] == expected
            assert case.nowhere or set(shown.values()) == {None}


@pytest.mark.parametrize("table", [Table("every_type"), CUSTOM], ids=["table", "query"])
def test_no_type_makes_a_table_unreadable(adapter: Adapter, engine: Engine, table: Table) -> None:
    rows = read(adapter, table, adapter.describe(table))
    assert {len(row) for row in rows} == {len(CASES[engine.name]) + 1}
