"""Any filter keeps exactly the rows that it should, going by what is shown: on every engine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.base import (
    Adapter,
    And,
    Cancellation,
    Capability,
    Compare,
    Comparison,
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
    Wildcard,
)
from adapters.evaluate import Shown, keeps, read_json, text_of, value_of
from adapters.registry import open_adapter
from adapters.testing.expressions import expressions
from tests.contract import nasty
from tests.engines import Engine

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
ZONES += ["Pacific/Apia"]
EXAMPLES = int(os.environ.get("FILTER_EXAMPLES", "400"))


@dataclass(frozen=True, repr=False)
class Nasty:
    """The table as one adapter shows it."""

    adapter: Adapter
    fields: list[Field]
    rows: list[dict[str, Shown]]
    expressions: st.SearchStrategy[Expression]
    name: str = nasty.NAME

    def meant(self, expression: Expression) -> set[int]:
        """The rows that plain Python keeps."""
        return {number(row) for row in self.rows if keeps(expression, row)}

    def kept(self, expression: Expression) -> set[int]:
        """The rows that the database keeps."""
        query = Query(Table(self.name), (self.fields[0],), expression)
        return {row[0] for batch in self.adapter.rows(query, Cancellation()) for row in batch}


@pytest.fixture(scope="module")
def tables(engine: Engine) -> Iterator[dict[str, Nasty]]:
    """The same table as it is shown in several time zones."""
    for statement in nasty.statements(engine.name):
        engine.execute(statement)
    opened = {zone: open_table(engine, zone) for zone in ZONES}
    yield opened
    for table in opened.values():
        table.adapter.close()


def open_table(engine: Engine, zone: str) -> Nasty:
    return load_table(open_adapter(engine.url, Options(timezone=ZoneInfo(zone))))


def load_table(adapter: Adapter, name: str = nasty.NAME) -> Nasty:
    fields = adapter.describe(Table(name))
    query = Query(Table(name), tuple(fields))
    batches = [batch.json for batch in adapter.json_rows(query, Cancellation())]
    names = [field.name for field in fields]
    rows = [dict(zip(names, row, strict=True)) for row in read_json(b"[%s]" % b",".join(batches))]
    shown = {name: [row[name] for row in rows] for name in names}
    no_like = nasty.FLOATS if Capability.FLOAT_PATTERNS in adapter.lacks else ()
    return Nasty(adapter, fields, rows, expressions(fields, shown, no_like=no_like), name)


def test_keeps_the_rows_that_are_meant(tables: dict[str, Nasty]) -> None:
    assert_rows_are_meant(tables, EXAMPLES)


def assert_rows_are_meant(tables: dict[str, Nasty], examples: int) -> None:
    """All disagreements are gathered, and the smallest of them is reported."""
    disagreements: list[tuple[str, Expression, set[int]]] = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize="FILTER_EXAMPLES" not in os.environ,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(zone=st.sampled_from(list(tables)), data=st.data())
    def compare(zone: str, data: st.DataObject) -> None:
        table = tables[zone]
        expression = data.draw(table.expressions)
        if wrong := table.meant(expression) ^ table.kept(expression):
            disagreements.append((zone, expression, wrong))

    compare()
    disagreements.sort(key=lambda found: len(repr(found[1])))
    for zone, expression, wrong in disagreements:
        rows = [row for row in tables[zone].rows if number(row) in wrong]
        names = set(re.findall(r"Field\(name='(\w+)'", repr(expression)))
        shown = [{name: row[name] for name in names} for row in rows[:3]]
        pytest.fail(f"{len(disagreements)} filters, among them in {zone} {expression}: {shown}")


@pytest.mark.engines("sqlite")
def test_a_filter_of_many_conditions(tables: dict[str, Nasty]) -> None:
    """More of them than SQLite takes in a row."""
    table = tables["UTC"]
    field = next(field for field in table.fields if field.type is FieldType.STRING)
    words = [f"{number}a" for number in range(1000)]
    nowhere = And(tuple(Like(field, (word, Wildcard.ANY), negated=True) for word in ("a", *words)))
    assert 0 < len(table.kept(nowhere)) < nasty.ROWS
    assert table.kept(nowhere) == table.meant(nowhere)


@pytest.mark.needs(Capability.FLOAT_PATTERNS)
def test_patterns_see_floats_as_they_are_shown(tables: dict[str, Nasty]) -> None:
    table = tables["UTC"]
    for field in (field for field in table.fields if field.name in nasty.FLOATS):
        for text in {text_of(row[field.name] or "") for row in table.rows} - {""}:
            expression = Like(field, (text,))
            assert table.kept(expression) == table.meant(expression), expression


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"])
def test_hours_that_clocks_show_twice_or_never(tables: dict[str, Nasty], zone: str) -> None:
    table = tables[zone]
    for field in (field for field in table.fields if field.type is FieldType.DATETIME):
        shown = {row[field.name] for row in table.rows}
        times = {value_of(field, text) for text in shown if text is not None}
        near = [t for t in times if isinstance(t, datetime) and _clocks_change(t, ZoneInfo(zone))]
        assert near
        for time in near:
            for value in (time, time + timedelta(seconds=1), time + timedelta(minutes=10)):
                for expression in (Compare(field, "<", value), Compare(field, ">=", value)):
                    assert table.kept(expression) == table.meant(expression), expression


def test_date_times_equal_to_any_of_many(tables: dict[str, Nasty]) -> None:
    """As a list of them is asked for: each whole second as long as it lasts."""
    table = tables["UTC"]
    for field in (field for field in table.fields if field.type is FieldType.DATETIME):
        times = [value_of(field, row[field.name] or "0001-01-01") for row in table.rows]
        among = {time.replace(microsecond=0) for time in times if isinstance(time, datetime)}
        starts = [time for time in sorted(among) if time.year < 9999][::2]
        some = [t + timedelta(seconds=1) for t in starts[:3]]  # most of which are nowhere
        spans = [(t, t + timedelta(seconds=1)) for t in (*starts, *some)]
        for asked in (spans, spans[:1], spans[-1:]):
            one = Or(
                tuple(And((Compare(field, ">=", a), Compare(field, "<", b))) for a, b in asked)
            )
            no = And(tuple(Or((Compare(field, "<", a), Compare(field, ">=", b))) for a, b in asked))
            assert table.kept(one) == table.meant(one), one
            assert table.kept(no) == table.meant(no), no
        assert starts


_FINE_MOMENTS = {
    "sqlite": ["DATETIME"],
    "postgresql": ["timestamp", "timestamptz"],
    "mysql": ["datetime(6)", "timestamp(6)"],
    "duckdb": ["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS"],
    "clickhouse": ["DateTime64(3)", "DateTime64(6)", "DateTime64(9)"],
}


def test_parts_of_seconds_count(engine: Engine, subtests: pytest.Subtests) -> None:
    """They are not shown, but where the days of a report end they decide."""
    adapter = open_adapter(engine.url, Options())
    for kind in _FINE_MOMENTS[engine.name]:
        engine.execute("DROP TABLE IF EXISTS fine")
        engine.execute(f"CREATE TABLE fine (id integer, moment {kind})")
        for year in (1971, 2026):
            times = [datetime(year, 9, 1, 12, 0, 0, 250_000 * quarter) for quarter in range(4)]
            engine.execute("DELETE FROM fine WHERE id >= 0")
            values = ", ".join(f"({i}, '{time}')" for i, time in enumerate(times))
            engine.execute(f"INSERT INTO fine VALUES {values}")
            id_, moment = adapter.describe(Table("fine"))

            def kept(where: Expression, id_: Field = id_) -> list[int]:
                batches = adapter.rows(Query(Table("fine"), (id_,), where), Cancellation())
                return sorted(row[0] for batch in batches for row in batch)

            for i, time in enumerate(times):
                with subtests.test(kind, time=str(time)):
                    assert kept(Compare(moment, ">=", time)) == list(range(i, 4))
                    after = time + timedelta(microseconds=1)
                    assert kept(Compare(moment, "<", after)) == list(range(i + 1))
                    span = And((Compare(moment, ">=", time), Compare(moment, "<", after)))
                    assert kept(Or((span,))) == [i]
    adapter.close()


_HUGE = [2**55, 2**55 + 1, 2**55 + 2, 2**55 + 8, 2**63 - 2, 2**63 - 1, 1 - 2**63, -(2**63)]
_DOUBLES = [0, -0.0, 1, 2**53, 2**53 + 2, 10**22, 10**23, 2**81]
# Some of them are shown with nine digits by one engine, with eight by another.
_SINGLES = [0, -0.0, 1, 2**24, 2**24 + 2, 39263512, 103299264, 220693408, 295961216, 945874432]
_CLOSE_NUMBERS = {
    "sqlite": {"BIGINT": _HUGE, "NUMERIC": _HUGE[:-1], "REAL": _DOUBLES},
    "postgresql": {
        "bigint": _HUGE,
        "numeric": _HUGE,
        "double precision": _DOUBLES,
        "real": _SINGLES,
    },
    "mysql": {
        "bigint": _HUGE,
        "decimal(30,10)": _HUGE,
        "double": _DOUBLES,
        # Kept as -0.06999999999999995 and the like.
        "double(10,2)": [-0.07, -0.06, 0.07, -8.2, 1234.56],
        "float": _SINGLES,
    },
    "duckdb": {"BIGINT": _HUGE, "DECIMAL(30,10)": _HUGE, "DOUBLE": _DOUBLES, "FLOAT": _SINGLES},
    "clickhouse": {
        "Int64": _HUGE,
        "Decimal(30, 10)": _HUGE,
        "Float64": _DOUBLES,
        "Float32": _SINGLES,
    },
}


def test_numbers_close_to_each_other(engine: Engine, subtests: pytest.Subtests) -> None:
    """Each is told from the next one, by itself and by what lies between the two."""
    adapter = open_adapter(engine.url, Options())
    for kind, numbers in _CLOSE_NUMBERS[engine.name].items():
        engine.execute("DROP TABLE IF EXISTS close")
        engine.execute(f"CREATE TABLE close (id integer, number {kind})")
        rows = ", ".join(f"({i}, {number})" for i, number in enumerate(numbers))
        engine.execute(f"INSERT INTO close VALUES {rows}")
        table = load_table(adapter, "close")
        field = table.fields[1]
        shown = sorted({Decimal(text_of(row["number"] or "")) for row in table.rows})
        for text in {text_of(row["number"] or "") for row in table.rows}:
            if len(text) < 8 and "e" not in text:  # of others, some engines have other texts
                with subtests.test(kind, text=text):
                    like = Like(field, (text,))
                    assert table.kept(like) == table.meant(like)
        asked = [*shown, shown[0] - 1, shown[-1] + 1]
        if field.type is FieldType.DOUBLE:
            asked += [(low + high) / 2 for low, high in pairwise(shown)]
        for value in asked:
            with subtests.test(kind, value=str(value)):
                for comparison in get_args(Comparison):
                    beside = Compare(field, comparison, value)
                    assert table.kept(beside) == table.meant(beside), beside
                for values, negated in product([(value,), (value, *shown[:2])], [False, True]):
                    equal = In(field, values, negated)
                    assert table.kept(equal) == table.meant(equal), equal
    adapter.close()


def test_quotients_are_found_by_the_digits_that_are_shown(engine: Engine) -> None:
    """MySQL shows them rounded, and knows more digits."""
    engine.execute("CREATE TABLE dividends (id integer, number decimal(12,2))")
    engine.execute("INSERT INTO dividends VALUES (0, 1.10), (1, 2), (2, -2), (3, 0.05), (4, NULL)")
    engine.execute("CREATE VIEW quotients AS SELECT id, number / 3 AS quotient FROM dividends")
    adapter = open_adapter(engine.url, Options())
    table = load_table(adapter, "quotients")
    field = table.fields[1]
    shown = tuple(Decimal(text_of(row["quotient"])) for row in table.rows if row["quotient"])
    asked: list[Expression] = [
        In(field, values, negated)
        for values, negated in product([shown, shown[:2], shown[:1]], [False, True])
    ]
    asked += [Compare(field, by, value) for by, value in product(get_args(Comparison), shown)]
    for expression in asked:
        assert table.kept(expression) == table.meant(expression), expression
    adapter.close()


def test_a_column_that_is_null_in_the_query(engine: Engine) -> None:
    """It is of no type that a column of a table can have."""
    adapter = open_adapter(engine.url, Options())
    table = Table("of nulls", sql="SELECT 7 AS id, NULL AS missing")
    id_, missing = adapter.describe(table)

    def read(where: Expression) -> list[list[object]]:
        batches = adapter.rows(Query(table, (id_, missing), where), Cancellation())
        return [list(row) for batch in batches for row in batch]

    assert read(And(())) == read(IsNull(missing)) == [[7, None]]
    assert read(IsNull(missing, negated=True)) == []
    if missing.type is FieldType.STRING:
        like = Like(missing, (Wildcard.ANY, "a", Wildcard.ANY), negated=True)
        for never in (In(missing, ("a",), negated=True), Compare(missing, "<", "a"), like):
            assert read(never) == [], never
    adapter.close()


def _clocks_change(time: datetime, zone: ZoneInfo) -> bool:
    """Within a day of it; other times are left to the random filters."""
    if not 1 < time.year < 9999:
        return False
    day = timedelta(days=1)
    before, after = ((time + d).replace(tzinfo=zone).utcoffset() for d in (-day, day))
    return before != after


def test_whole_numbers_are_not_taken_for_years(tables: dict[str, Nasty]) -> None:
    """MySQL compares a YEAR with 26 as with 2026."""
    table = tables["UTC"]
    for field in (field for field in table.fields if field.type is FieldType.INT):
        for value in map(Decimal, (0, 1, 26, 70, 2026)):
            for expression in (In(field, (value,)), Compare(field, ">=", value)):
                assert table.kept(expression) == table.meant(expression), expression


def number(row: dict[str, Shown]) -> int:
    return int(text_of(row["id"] or ""))
