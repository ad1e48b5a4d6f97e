"""Any filter keeps exactly the rows that it should, going by what is shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.base import (
    And,
    Compare,
    Expression,
    Field,
    FieldType,
    In,
    IsNull,
    Like,
    Or,
    Wildcard,
)
from adapters.evaluate import fields_of, predicate
from adapters.testing.conftest import Loaded, Open
from adapters.testing.data import ROWS
from adapters.testing.expressions import expressions

ANY, ONE = Wildcard.ANY, Wildcard.ONE


def disagreement(loaded: Loaded, where: Expression) -> str:
    """What is wrong with the rows that the adapter keeps; empty if nothing is."""
    rows = loaded.shown
    keeps = predicate(where)
    meant = {key for key, row in rows.items() if keeps(row)}
    kept = [row[0] for row in loaded.read(["id"], where)]
    if len(set(kept)) < len(kept):
        return f"rows come twice with {where}"
    names = {"id", *(field.name for field in fields_of(where))}
    for keys, verdict in (
        (meant.difference(kept), "has to keep {} rows that are missing, such as {}"),
        (set(kept) - meant, "must not keep {} rows that came, such as {}"),
    ):
        if keys:
            example = {name: rows[min(keys, key=str)][name] for name in names}
            return f"{where} {verdict.format(len(keys), example)}"
    return ""


def conditions(field: Field) -> list[Expression]:
    """Every operator on values of one column, those at the borders among them."""
    known: list[Any] = [row[field.name] for row in ROWS if row[field.name] is not None]
    if field.type is FieldType.INT:
        known = [Decimal(value) for value in known]
    if field.type is FieldType.STRING:
        known = ["", " ", "a", "A", "a ", "ab", "é", "É", "Яблоко", "a%b", "null", "Customer 3"]
    some = sorted(dict.fromkeys(known[:12] + known[-2:]))
    found: list[Expression] = [IsNull(field), IsNull(field, negated=True)]
    if field.type is FieldType.DATETIME:
        found += [Compare(field, operator, v) for v in some for operator in ("<", ">=")]
    else:
        found += [Compare(field, operator, v) for v in some for operator in ("<", "<=", ">", ">=")]
        sets = [(), *((value,) for value in some), tuple(some[:3]), tuple(some)]
        found += [In(field, values, negate) for values in sets for negate in (False, True)]
    texts = ["a", "A", "é", "Я", "1", "%", "_", " ", "0.", "2026-", ""]
    shapes: list[tuple[str | Wildcard, ...]] = [(), (ANY,), (ONE,), (ANY, ONE, ANY, "b")]
    shapes += [shape for text in texts for shape in ((ANY, text, ANY), (text, ANY), (text,))]
    return found + [Like(field, shape, negate) for shape in shapes for negate in (False, True)]


@pytest.mark.parametrize("name", ["id", "customer", "quantity", "price", "day", "created"])
def test_every_operator_on_every_type(loaded: Loaded, columns: list[str], name: str) -> None:
    if name not in columns:
        pytest.skip("the source has no such column")
    wrong = [disagreement(loaded, each) for each in conditions(loaded.fields[name])]
    wrong = [reason for reason in wrong if reason]
    assert not wrong, f"{len(wrong)} conditions; the first: {wrong[0]}"


def test_empty_groups(loaded: Loaded) -> None:
    nothing: list[Expression] = [Or(()), And((And(()), Or(()))), Or((Or(()),))]
    for where in (And(()), Or((And(()), Or(()))), *nothing):
        assert disagreement(loaded, where) == ""


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_random_filters(
    opened: Open, columns: list[str], zone: str, pytestconfig: pytest.Config
) -> None:
    """All disagreements are gathered, and the smallest is reported."""
    loaded = opened(zone)
    cells = {name: [row[name] for row in loaded.shown.values()] for name in columns}
    wrong: list[str] = []

    @settings(
        max_examples=pytestconfig.getoption("adapter_examples"),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(where=expressions([loaded.fields[name] for name in columns], cells))
    def compare(where: Expression) -> None:
        if reason := disagreement(loaded, where):
            wrong.append(reason)

    compare()
    wrong.sort(key=len)
    assert not wrong, f"{len(wrong)} filters; the shortest: {wrong[0]}"


def test_a_limit_counts_the_rows_that_a_filter_keeps(loaded: Loaded, columns: list[str]) -> None:
    """The source may not stop before the rest of the filter has been applied."""
    for name in columns:
        field = loaded.fields[name]
        for where in (
            Like(field, (ANY, "1", ANY)),
            IsNull(field, negated=True),
            Or((IsNull(field), Like(field, (ANY, "2", ANY)))),
        ):
            meant = {repr(row) for row in loaded.read(["id"], where)}
            for limit in (1, 5, 400, len(meant) or 1):
                rows = loaded.read(["id"], where, limit)
                kept = {repr(row) for row in rows}
                assert kept <= meant, f"{where} with limit {limit} keeps other rows than without"
                assert len(rows) == len(kept) == min(limit, len(meant)), (
                    f"{where} with limit {limit}: {len(rows)} rows of {len(meant)}; a limit may be "
                    "given to the source only with a filter that it honours exactly"
                )
