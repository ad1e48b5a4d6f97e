"""The SQL of engines that cannot run here: every type, every operator, as it would be sent.

The files beside this one say what is expected, values in place. That it means there what it should
mean is taken from the manuals of the engines: nothing here can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.base import (
    And,
    Compare,
    Expression,
    Field,
    FieldType,
    In,
    IsNull,
    Like,
    Options,
    Or,
    Query,
    Table,
    Value,
    Wildcard,
)
from adapters.errors import SchemaChanged
from adapters.registry import open_adapter
from adapters.sql.adapter import SqlAdapter
from adapters.sql.columns import Named
from adapters.sql.drift import refuse_outdated

HERE = Path(__file__).parent
URLS = {
    "trino": "trino://reader@db.example.com/hive/crm",
    "mssql": "mssql://reader:secret@db.example.com/shop",
    "oracle": "oracle://reader:secret@db.example.com/shop",
}
DRIVERS = {"trino": "trino", "mssql": "pymssql", "oracle": "oracledb"}
TEXTS = {"trino": "varchar", "mssql": "nvarchar", "oracle": "varchar2"}
NUMBERS = {"trino": "decimal(9,2)", "mssql": "decimal(9,2)", "oracle": "number(9,2)"}
VALUES: dict[FieldType, Value] = {
    FieldType.STRING: "ab",
    FieldType.INT: Decimal(5),
    FieldType.DOUBLE: Decimal("0.1"),
    FieldType.DATE: date(2026, 7, 2),
    FieldType.DATETIME: datetime(2026, 7, 2, 3, 4, 5),
}


@pytest.fixture(params=URLS)
def engine(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(DRIVERS[request.param])
    return str(request.param)


@pytest.fixture
def adapter(engine: str) -> Iterator[SqlAdapter]:
    opened = open_adapter(URLS[engine], Options(timezone=ZoneInfo("Europe/Berlin")))
    assert isinstance(opened, SqlAdapter)
    yield opened
    opened.close()


def field(adapter: SqlAdapter, written: str, name: str = "x") -> Field:
    """A column of a type, written with its digits where they count."""
    kind = Named(written)
    if not URLS["trino"].startswith(adapter.url[:5]) and (
        digits := re.search(r"\((.*)\)", written)
    ):
        kind = Named(written[: digits.start()], *map(int, digits[1].split(",")))
    column = adapter.column(name, kind)
    return Field(name, column.type, "", column)


def compiled(adapter: SqlAdapter, query: Query) -> str:
    options = {"literal_binds": True, "render_postcompile": True}
    return " ".join(
        str(adapter.select(query).compile(adapter.engine, compile_kwargs=options)).split()
    )


def condition(adapter: SqlAdapter, found: Field, where: Expression) -> str:
    return compiled(adapter, Query(Table("t", "s"), (found,), where)).partition(" WHERE ")[2]


def lines(engine: str, part: str) -> list[list[str]]:
    text = (HERE / f"{engine}.{part}.txt").read_text(encoding="utf-8")
    return [line.split(" | ") for line in text.splitlines() if line]


def test_every_type(adapter: SqlAdapter, engine: str, subtests: pytest.Subtests) -> None:
    for written, portal, read, compared in lines(engine, "types"):
        with subtests.test(written):
            found = field(adapter, written)
            assert str(found.type) == portal
            selected = compiled(adapter, Query(Table("t", "s"), (found,)))
            assert selected.removeprefix("SELECT ").partition(" AS c0 FROM ")[0] == read
            value = Compare(found, "<", VALUES[found.type])
            assert condition(adapter, found, value) == compared


def operators(text: Field, number: Field) -> dict[str, Expression]:
    some, one = Wildcard.ANY, Wildcard.ONE
    five = Decimal(5)
    return {
        "nothing": And(()),
        "no row": Or(()),
        "is null": IsNull(text),
        "is not null": IsNull(text, negated=True),
        "equals": In(text, ("it's",)),
        "differs": In(text, ("a", "b"), negated=True),
        "in nothing": In(text, ()),
        "not in nothing": In(text, (), negated=True),
        "below": Compare(text, "<", "a"),
        "up to": Compare(text, "<=", "a"),
        "above": Compare(text, ">", "a"),
        "from": Compare(text, ">=", "a"),
        "is empty": In(text, ("", "a")),
        "is not empty": In(text, ("", "a"), negated=True),
        "above empty": Compare(text, ">", ""),
        "below empty": Compare(text, "<", ""),
        "contains": Like(text, (some, "50% [a-z]_!'", some)),
        "matches": Like(text, ("a", one, some), negated=True),
        "like nothing": Like(text, (), negated=True),
        "number contains": Like(number, (some, "5", some)),
        "number equals": In(number, (five,)),
        "number that cannot be": In(number, (Decimal("0.001"),)),
        "number just below": Compare(number, "<", Decimal("0.001")),
        "huge number": Compare(number, "<=", Decimal("1e30")),
        "tree": Or((And((IsNull(text), In(number, (five,)))), Compare(text, ">", "a"))),
    }


def test_every_operator(adapter: SqlAdapter, engine: str, subtests: pytest.Subtests) -> None:
    text, number = field(adapter, TEXTS[engine]), field(adapter, NUMBERS[engine], "n")
    expected = dict(lines(engine, "operators"))
    known = operators(text, number)
    assert set(expected) == set(known)
    for name, expression in known.items():
        with subtests.test(name):
            assert condition(adapter, text, expression) == expected[name]


def test_values_are_bound(adapter: SqlAdapter, engine: str) -> None:
    text = field(adapter, TEXTS[engine])
    where = Or((In(text, ("plant-1", "plant-2")), Like(text, ("plant-3",))))
    query = Query(Table("t", "s"), (text,), where)
    statement = adapter.select(query).compile(
        adapter.engine, compile_kwargs={"render_postcompile": True}
    )
    assert "plant" not in statement.string
    assert {"plant-1", "plant-2", "plant-3"} <= set(statement.params.values())


EVERY = {"trino": "WHERE true", "mssql": "WHERE 1 = 1", "oracle": "WHERE 1 = 1"}
QUOTED = {
    "trino": 'SELECT "order" AS c0, "a ""b" AS c1 FROM "my schema"."group"',
    "mssql": "SELECT [order] AS c0, [a ]]b] AS c1 FROM [my schema].[group]",
    "oracle": 'SELECT "order" AS c0, "a ""b" AS c1 FROM "my schema"."group"',
}


def test_names_are_quoted(adapter: SqlAdapter, engine: str) -> None:
    name = "a ]b" if engine == "mssql" else 'a "b'
    fields = (field(adapter, TEXTS[engine], "order"), field(adapter, TEXTS[engine], name))
    found = compiled(adapter, Query(Table("group", "my schema"), fields))
    assert found == f"{QUOTED[engine]} {EVERY[engine]}"


LIMITED = {
    "trino": "SELECT x AS c0 FROM s.t WHERE true LIMIT 3",
    "mssql": "SELECT TOP 3 x AS c0 FROM s.t WHERE 1 = 1",
    "oracle": 'SELECT "x" AS c0 FROM "s"."t" WHERE 1 = 1 FETCH FIRST 3 ROWS ONLY',
}


def test_a_limit(adapter: SqlAdapter, engine: str) -> None:
    query = Query(Table("t", "s"), (field(adapter, TEXTS[engine]),), limit=3)
    assert compiled(adapter, query) == LIMITED[engine]


def test_a_query_is_a_table(adapter: SqlAdapter, engine: str) -> None:
    table = Table("custom", sql="SELECT '%s :x ?' AS x FROM t ; -- all\n")
    found = compiled(adapter, Query(table, (field(adapter, TEXTS[engine]),)))
    x = '"x"' if engine == "oracle" else "x"
    assert found == f"SELECT {x} AS c0 FROM (SELECT '%s :x ?' AS x FROM t ) query {EVERY[engine]}"


def test_an_hour_that_clocks_show_twice(adapter: SqlAdapter, engine: str) -> None:
    kinds = {"trino": "timestamp(3) with time zone", "mssql": "datetimeoffset"}
    found = field(adapter, kinds.get(engine, "timestamp with time zone"))
    where = Compare(found, ">=", datetime(2026, 10, 25, 2, 30))
    instants = re.findall(r"2026-10-25 \d\d:\d\d", condition(adapter, found, where))
    assert instants == ["2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30"]


# Types between which the SQL of a query may be the same, and the answer not.
TURNED = [
    ("mssql", Named("real"), Named("float")),
    ("mssql", Named("decimal", 9, 2), Named("decimal", 9, 4)),
    ("oracle", Named("binary_float"), Named("binary_double")),
    ("oracle", Named("float"), Named("binary_float")),
    ("oracle", Named("blob"), Named("clob")),
    ("oracle", Named("number", 9, 2), Named("number", 12, 2)),
    ("trino", Named("real"), Named("double")),
    ("trino", Named("decimal(9,2)"), Named("decimal(9,4)")),
]


@pytest.mark.parametrize("name", URLS)
def test_another_type_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    pytest.importorskip(DRIVERS[name])
    adapter: Any = open_adapter(URLS[name], Options())
    kinds: list[Named] = []
    monkeypatch.setattr(adapter, "reflect", lambda *_: [("x", kinds[-1], "")])

    def describe(table: Table) -> list[Field]:
        found: list[Field] = adapter.fields(None, table)
        return found

    for before, after in ((before, after) for each, before, after in TURNED if each == name):
        with subtests.test(f"{before!r} to {after!r}"):
            kinds.append(before)
            query = Query(Table("t", "s"), tuple(describe(Table("t", "s"))))
            refuse_outdated(query, describe)
            kinds.append(after)
            with pytest.raises(SchemaChanged):
                refuse_outdated(query, describe)
    adapter.close()


def test_long_lists_are_cut_for_oracle() -> None:
    pytest.importorskip("oracledb")
    adapter: Any = open_adapter(URLS["oracle"], Options())
    number = field(adapter, "number(9,0)")
    values = tuple(Decimal(i) for i in range(2500))
    for negated, word, joint in ((False, " IN (", " OR "), (True, " NOT IN (", " AND ")):
        found = condition(adapter, number, In(number, values, negated))
        lists = re.findall(rf"{re.escape(word)}([\d, ]+)\)", found)
        assert [len(each.split(",")) for each in lists] == [1000, 1000, 500]
        assert found.count(joint) == 2
    adapter.close()
