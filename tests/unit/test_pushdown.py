"""What a source does and what is done for it come to the same as the filter, however it is cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import (
    And,
    Cancellation,
    Compare,
    Condition,
    Expression,
    Field,
    FieldType,
    In,
    IsNull,
    Like,
    Options,
    Or,
    Query,
    Row,
    Table,
    Wildcard,
)
from adapters.errors import QueryCancelled, QueryFailed, QueryTimeout
from adapters.evaluate import Number, Shown, keeps, shown
from adapters.pushdown import (
    EVERYTHING,
    NOTHING,
    Push,
    PushdownAdapter,
    Request,
    simplified,
    split,
)
from adapters.testing.expressions import expressions

NAME, COUNT, DAY = (
    Field("name", FieldType.STRING),
    Field("count", FieldType.INT),
    Field("day", FieldType.DATE),
)
FIELDS = (NAME, COUNT, DAY)
VALUES: list[list[Any]] = [
    ["a", "A", "", None, "ab", "%"],
    [0, 1, -1, None, 26],
    [date(2026, 9, 1), date(2026, 8, 31), None],
]
ROWS = [(n, c, d) for n in VALUES[0] for c in VALUES[1] for d in VALUES[2]]
UTC_ZONE = ZoneInfo("UTC")
ANY = Wildcard.ANY


def cells(row: Row) -> dict[str, Shown]:
    return {f.name: shown(f, v, UTC_ZONE) for f, v in zip(FIELDS, row, strict=True)}


FILTERS = expressions(FIELDS, {f.name: [cells(row)[f.name] for row in ROWS] for f in FIELDS})


def chance(*about: object) -> int:
    """0, 1 or 2, always the same for the same things."""
    return crc32(repr(about).encode()) % 3


class Memory(PushdownAdapter):
    """A source that can do what ``pushes`` says, and gives too much where it may."""

    def __init__(
        self, pushes: Callable[[Condition | Or], Push], rows: list[Any] = ROWS, page: int = 7
    ) -> None:
        super().__init__("memory://", Options())
        self.pushes = pushes
        self.stored, self.page = rows, page
        self.requests: list[Request] = []
        self.pages = 0
        self.closed = 0

    def can(self, condition: Condition | Or) -> Push:
        return self.pushes(condition)

    def keeps(self, condition: Expression, row: Row) -> bool:
        if isinstance(condition, And):
            return all(self.keeps(item, row) for item in condition.items)
        assert self.can(condition) is not Push.NO
        if isinstance(condition, Or) and any(self.keeps(item, row) for item in condition.items):
            return True
        more = self.can(condition) is Push.SUPERSET and chance(condition, row) == 0
        return more or keeps(condition, cells(row))

    def fetch(self, request: Request, cancellation: Cancellation) -> Generator[list[Row]]:
        self.requests.append(request)
        places = [FIELDS.index(field) for field in request.fields]
        found = [r for r in self.stored if all(self.keeps(c, r) for c in request.conditions)]
        try:
            for start in range(0, len(found), self.page):
                self.pages += 1
                page = found[start : start + self.page]
                yield [tuple(row[i] for i in places) for row in page]
        finally:
            self.closed += 1

    def check(self) -> None: ...
    def tables(self) -> list[Table]: ...  # type: ignore[empty-body]
    def describe(self, table: Table) -> list[Field]: ...  # type: ignore[empty-body]
    def close(self) -> None: ...


def read(adapter: Memory, where: Expression, limit: int | None = None, **more: Any) -> list[Row]:
    query = Query(Table("t"), more.get("fields", FIELDS), where, limit)
    return [row for batch in adapter.rows(query, Cancellation()) for row in batch]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(where=FILTERS, seed=st.integers(), limit=st.none() | st.integers(0, 30))
def test_however_a_filter_is_cut_the_same_rows_are_kept(
    where: Expression, seed: int, limit: int | None
) -> None:
    adapter = Memory(lambda condition: list(Push)[chance(condition, seed)])
    meant = [row for row in ROWS if keeps(where, cells(row))]
    found = read(adapter, where, limit)
    if limit is None:
        assert found == meant
    else:
        assert found == meant[:limit]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(where=FILTERS)
def test_simplifying_changes_no_meaning(where: Expression) -> None:
    simple = simplified(where)
    for row in ROWS:
        assert keeps(simple, cells(row)) == keeps(where, cells(row))


ONE = In(COUNT, (Decimal(1),))
FOLDED = In(NAME, ("a",))
LIKE = Like(NAME, (ANY, "a", ANY))


def can(condition: Condition | Or) -> Push:
    match condition:
        case In(Field(name="count"), negated=False) | Or():
            return Push.EXACT
        case In(Field(name="name"), negated=False):
            return Push.SUPERSET
        case _:
            return Push.NO


@pytest.mark.parametrize(
    ("where", "pushed", "rest"),
    [
        (ONE, ONE, EVERYTHING),
        (FOLDED, FOLDED, FOLDED),
        (LIKE, EVERYTHING, LIKE),
        (And((ONE, LIKE)), ONE, LIKE),
        (And((ONE, FOLDED)), And((ONE, FOLDED)), FOLDED),
        (Or((ONE, LIKE)), EVERYTHING, Or((ONE, LIKE))),
        (Or((ONE, FOLDED)), Or((ONE, FOLDED)), Or((ONE, FOLDED))),
        (Or((ONE, In(COUNT, (Decimal(2),)))), Or((ONE, In(COUNT, (Decimal(2),)))), EVERYTHING),
        (Or((And((ONE, LIKE)), FOLDED)), Or((ONE, FOLDED)), Or((And((ONE, LIKE)), FOLDED))),
        (And(()), EVERYTHING, EVERYTHING),
    ],
    ids=str,
)
def test_what_is_asked_and_what_is_left(
    where: Expression, pushed: Expression, rest: Expression
) -> None:
    assert split(where, can) == (pushed, rest)


@pytest.mark.parametrize(
    ("where", "simple"),
    [
        (Or((And((ONE,)),)), ONE),
        (And((And((ONE, LIKE)), ONE)), And((ONE, LIKE))),
        (And((ONE, Or(()))), NOTHING),
        (Or((ONE, And(()))), EVERYTHING),
        (In(COUNT, ()), NOTHING),
        (In(COUNT, (), negated=True), IsNull(COUNT, negated=True)),
    ],
    ids=str,
)
def test_simplified(where: Expression, simple: Expression) -> None:
    assert simplified(where) == simple


def test_a_limit_is_asked_for_only_if_nothing_is_left() -> None:
    adapter = Memory(can)
    read(adapter, ONE, 3)
    read(adapter, And((ONE, FOLDED)), 3)
    assert [request.limit for request in adapter.requests] == [3, None]


def test_no_more_pages_than_needed_and_the_rest_is_given_back() -> None:
    adapter = Memory(can)
    assert len(read(adapter, LIKE, 3)) == 3
    assert (adapter.pages, adapter.closed) == (1, 1)
    assert read(adapter, Or(())) == []
    assert len(adapter.requests) == 1  # what nothing can hold is not asked for


def test_fields_of_the_rest_are_fetched_and_dropped() -> None:
    adapter = Memory(can)
    rows = read(adapter, LIKE, fields=(DAY, COUNT, DAY))
    assert {f.name for f in adapter.requests[0].fields} == {"day", "count", "name"}
    assert rows == [(r[2], r[1], r[2]) for r in ROWS if r[0] and "a" in r[0].lower()]


def test_large_pages_are_cut_and_empty_ones_left_out() -> None:
    adapter = Memory(can, ROWS * 50, page=4000)
    query = Query(Table("t"), FIELDS)
    sizes = [len(batch) for batch in adapter.rows(query, Cancellation())]
    assert sum(sizes) == len(ROWS) * 50
    assert max(sizes) == 1000
    nobody = Like(NAME, ("no such name",))
    assert list(adapter.rows(Query(Table("t"), FIELDS, nobody), Cancellation())) == []


def test_between_two_pages_a_query_can_be_ended() -> None:
    adapter = Memory(can)
    cancellation = Cancellation()
    rows = adapter.rows(Query(Table("t"), FIELDS), cancellation)
    next(rows)
    cancellation.cancel("enough")
    with pytest.raises(QueryCancelled, match="enough"):
        next(rows)
    assert (adapter.pages, adapter.closed) == (1, 1)


def test_between_two_pages_the_time_limit_is_kept() -> None:
    adapter = Memory(can)
    adapter.options = Options(timeout=timedelta(seconds=0.05))
    rows = adapter.rows(Query(Table("t"), FIELDS), Cancellation())
    next(rows)
    time.sleep(0.1)
    with pytest.raises(QueryTimeout):
        next(rows)
    assert adapter.closed == 1


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ([(1,)], "1 values for 3 fields"),
        (["abc"], "is a str"),
        ([{"name": 1, "count": 2, "day": 3}], "is a dict"),
        (None, "gave a NoneType"),
        ("abc", "gave a str"),
    ],
)
def test_pages_that_are_none_are_refused(page: Any, reason: str) -> None:
    adapter = Memory(can)
    adapter.fetch = lambda *_: (p for p in [[ROWS[0]], page, [ROWS[1]]])  # type: ignore[method-assign, misc, assignment, return-value]
    with pytest.raises(QueryFailed, match=reason):
        read(adapter, And(()))


def test_a_value_of_the_wrong_type_fails_the_filter_that_looks_at_it() -> None:
    adapter = Memory(can, [("a", "many", None)])
    with pytest.raises(QueryFailed, match="column 'count' is int but holds str"):
        read(adapter, Compare(COUNT, "<", Decimal(5)))


MOMENT = Field("at", FieldType.DATETIME)


@pytest.mark.parametrize(
    ("field", "value", "cell"),
    [
        (COUNT, True, Number("1")),
        (COUNT, 10**30, Number("1" + "0" * 30)),
        (Field("d", FieldType.DOUBLE), float("nan"), None),
        (Field("d", FieldType.DOUBLE), Decimal("1.50"), Number("1.50")),
        (Field("d", FieldType.DOUBLE), 0.1, Number("0.1")),
        (NAME, b"\x00\xff", "00ff"),
        (NAME, 5, "5"),
        (DAY, "2026-09-01", "2026-09-01"),
        (DAY, datetime(2026, 9, 1, 23, tzinfo=UTC), "2026-09-02"),
        (MOMENT, datetime(2026, 9, 1, 10, 0, 0, 500_000), datetime(2026, 9, 1, 10, 0, 0, 500_000)),
        (MOMENT, datetime(2026, 9, 1, 10, tzinfo=UTC), datetime(2026, 9, 1, 12)),
        (MOMENT, "2026-09-01 10:00:00", "2026-09-01 10:00:00"),
        (MOMENT, None, None),
    ],
    ids=str,
)
def test_what_is_shown_of_a_value(field: Field, value: Any, cell: Shown) -> None:
    assert shown(field, value, ZoneInfo("Europe/Berlin")) == cell


def test_a_fraction_counts_in_orders_and_is_not_shown() -> None:
    row: dict[str, Shown] = {"at": datetime(2026, 9, 1, 10, 0, 0, 500_000)}
    assert keeps(Compare(MOMENT, "<", datetime(2026, 9, 1, 10, 0, 1)), row)
    assert not keeps(Compare(MOMENT, "<", datetime(2026, 9, 1, 10)), row)
    assert keeps(Compare(MOMENT, ">=", datetime(2026, 9, 1, 10, 0, 0, 400_000)), row)
    assert keeps(Like(MOMENT, ("2026-09-01 10:00:00",)), row)


def test_no_pattern_takes_for_ever() -> None:
    pattern = (ANY, *(piece for _ in range(20) for piece in ("a", ANY)), "b")
    started = time.monotonic()
    assert not keeps(Like(NAME, pattern), {"name": "a" * 20_000})
    assert time.monotonic() - started < 20
