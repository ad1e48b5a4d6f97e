"""A filter keeps exactly the rows that PROTOCOL says, or is refused by name."""

from __future__ import annotations

from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import And, Expression, Field, FieldType
from app.errors import ApiError
from app.wire.dates import DateOrder
from app.wire.filters import negated, parse_filter
from app.wire.values import Reader
from tests.unit.filter_reading import FIELDS, OPERATORS, ROWS, VALUES, holds, keeps

READER = Reader(DateOrder.MDY, ZoneInfo("Europe/Berlin"))


def field_named(name: str) -> Field:
    if name not in FIELDS:
        raise ApiError("UNKNOWN_FIELD", f"The table has no field {name}.")
    return FIELDS[name]


def parse(tree: Any) -> Expression:
    return parse_filter(tree, field_named, READER)


def check(tree: dict[str, Any]) -> None:
    expression = parse(tree)
    others = negated(expression)
    for row in ROWS:
        expected = keeps(tree, row)
        assert holds(expression, row) == expected, row
        assert holds(others, row) != expected, row


def check_negation(expression: Expression) -> None:
    others = negated(expression)
    assert all(holds(expression, row) != holds(others, row) for row in ROWS)


def listed(*texts: str) -> dict[str, str]:
    return {str(i): text for i, text in enumerate(texts)}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("operator", ["", *OPERATORS])
def test_every_operator_on_every_type_keeps_what_the_table_says(operator: str, name: str) -> None:
    values = VALUES[FIELDS[name].type]
    if "><" in operator:
        for low, high in product(values, values):
            check({operator + name: listed(low, high)})
        return
    for value in values:
        check({operator + name: value})
        check({operator + name: listed(value)})
    check({operator + name: listed(*values[:3])})
    check({operator + name: listed(*reversed(values))})


# The table once more, as a person would write it down.
TEXTS = [None, "", "0", "abc", "ABC", "100%", "Ёлка"]
NUMBERS = [None, 0, 1, 2]


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("=STRING", listed("abc"), ["abc"]),
        ("=STRING", listed("0"), ["0"]),
        ("=STRING", "0", [None, ""]),
        ("=STRING", "", [None, ""]),
        ("=STRING", "false", [None, ""]),
        ("=STRING", "abc", ["abc"]),
        ("=STRING", listed(""), [""]),
        ("!=STRING", listed("abc"), [None, "", "0", "ABC", "100%", "Ёлка"]),
        ("!=STRING", "0", ["", "0", "abc", "ABC", "100%", "Ёлка"]),
        ("%STRING", listed("b"), ["abc", "ABC"]),
        ("%STRING", "0%", ["100%"]),
        ("%STRING", "ЁЛ", ["Ёлка"]),
        ("!%STRING", "b", ["", "0", "100%", "Ёлка"]),
        ("=%STRING", "_B%", ["abc", "ABC"]),
        ("!%=STRING", listed("%b%", "%0%"), ["", "Ёлка"]),
        (">STRING", "ABC", ["abc", "Ёлка"]),
        ("=INT", "0", [None, 0]),
        ("=INT", listed("0"), [0]),
        ("!INT", "0", [0, 1, 2]),
        ("!INT", listed("1"), [0, 2]),
        ("!INT", listed("1.5"), [0, 1, 2]),
        (">INT", "0", [1, 2]),
        (">INT", "0.5", [1, 2]),
        (">=INT", "1.5", [2]),
        ("<INT", "1.5", [0, 1]),
        ("!>INT", listed("1", "2"), [0, 1]),
        ("><INT", listed("0.5", "1.5"), [1]),
        ("!><INT", listed("1", "2"), [0]),
        ("><INT", listed("2", "1"), []),
    ],
)
def test_the_table_by_example(key: str, value: Any, kept: list[Any]) -> None:
    cells: list[Any] = TEXTS if key.endswith("STRING") else NUMBERS
    name = key[-6:] if key.endswith("STRING") else "INT"
    expression = parse({key: value})
    assert [cell for cell in cells if holds(expression, {name: cell})] == kept


CONDITIONS = st.sampled_from(list(FIELDS)).flatmap(
    lambda name: (
        st.tuples(
            st.sampled_from(["", *OPERATORS]).map(lambda operator: operator + name),
            st.lists(st.sampled_from(VALUES[FIELDS[name].type]), min_size=2, max_size=2).map(
                lambda texts: listed(*texts)
            ),
        )
        | st.tuples(
            st.sampled_from([o for o in OPERATORS if "><" not in o]).map(lambda o: o + name),
            st.sampled_from(VALUES[FIELDS[name].type]),
        )
    )
)
LOGIC = st.sampled_from([{}, {"LOGIC": "AND"}, {"LOGIC": "OR"}, {"LOGIC": "NOT"}, {"LOGIC": "or"}])


def group(conditions: Any, groups: list[Any], logic: dict[str, str]) -> dict[str, Any]:
    return {**logic, **dict(conditions), **{str(i): below for i, below in enumerate(groups)}}


TREES = st.recursive(
    st.builds(group, st.lists(CONDITIONS, max_size=3), st.just([]), LOGIC),
    lambda below: st.builds(
        group, st.lists(CONDITIONS, max_size=2), st.lists(below, max_size=3), LOGIC
    ),
    max_leaves=6,
)


@given(TREES)
@settings(max_examples=150, deadline=None)
def test_any_tree_keeps_what_the_table_says_and_its_negation_the_rest(tree: Any) -> None:
    check(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"LOGIC": "OR"},
        {"LOGIC": "NOT"},
        {"0": {}},
        {"0": {"LOGIC": "OR"}},
        {"LOGIC": "OR", "0": {"LOGIC": "NOT", "0": {"LOGIC": "AND"}}},
    ],
)
def test_groups_that_lost_their_conditions_are_ignored(tree: Any) -> None:
    assert parse(tree) == And(())


def test_a_lost_group_beside_others_changes_nothing() -> None:
    for logic in ("AND", "OR", "NOT"):
        alone = parse({"LOGIC": logic, "=INT": listed("1")})
        assert parse({"LOGIC": logic, "0": {"LOGIC": "OR"}, "=INT": listed("1")}) == alone


def test_a_name_may_be_anything_that_a_field_is_called() -> None:
    fields = {"A1_B": Field("x", FieldType.INT), "ПОЛЕ": Field("y", FieldType.INT)}
    for name, field in fields.items():
        expression = parse_filter({f"!><{name}": listed("1", "2")}, fields.__getitem__, READER)
        assert repr(field) in repr(expression)


def refusal(tree: Any) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        parse(tree)
    assert caught.value.status == 400
    assert caught.value.description.endswith(".")
    return caught.value.code, caught.value.description


@pytest.mark.parametrize(
    ("tree", "code", "culprit"),
    [
        ({"?INT": "1"}, "UNKNOWN_OPERATOR", "?INT"),
        ({"*INT": "1"}, "UNKNOWN_OPERATOR", "*INT"),
        ({"*=INT": "1"}, "UNKNOWN_OPERATOR", "*=INT"),
        ({"*%INT": "1"}, "UNKNOWN_OPERATOR", "*%INT"),
        ({"=>INT": "1"}, "UNKNOWN_OPERATOR", "=>INT"),
        ({"<>INT": "1"}, "UNKNOWN_OPERATOR", "<>INT"),
        ({"!!INT": "1"}, "UNKNOWN_OPERATOR", "!!INT"),
        ({"= INT": "1"}, "UNKNOWN_OPERATOR", "= INT"),
        ({"=": "1"}, "INVALID_FILTER", "="),
        ({"": "1"}, "INVALID_FILTER", "no field"),
        ({"=NOPE": "1"}, "UNKNOWN_FIELD", "NOPE"),
        ({"=int": "1"}, "UNKNOWN_FIELD", "int"),
        ({"logic": "OR"}, "UNKNOWN_FIELD", "logic"),
        ({"LOGIC": "XOR", "=INT": "1"}, "INVALID_FILTER", "LOGIC"),
        ({"LOGIC": "", "=INT": "1"}, "INVALID_FILTER", "LOGIC"),
        ({"LOGIC": {"0": "OR"}}, "INVALID_FILTER", "LOGIC"),
        ({"0": "1"}, "INVALID_FILTER", "group 0"),
        ({"0": {"-7": "x"}}, "INVALID_FILTER", "group -7"),
        ({"=INT": {"0": {"0": "1"}}}, "INVALID_VALUE", "=INT"),
        ({"=INT": {"x": "1"}}, "INVALID_VALUE", "=INT"),
        ({"=INT": {"LOGIC": "OR"}}, "INVALID_VALUE", "=INT"),
        ({"=INT": "many"}, "INVALID_VALUE", "'many'"),
        ({"=INT": listed("1", "2x")}, "INVALID_VALUE", "'2x'"),
        ({"=INT": listed("")}, "INVALID_VALUE", "=INT"),
        ({">INT": listed("1", "x")}, "INVALID_VALUE", "'x'"),
        ({"=INT": "0x10"}, "INVALID_VALUE", "'0x10'"),
        ({"=INT": "1,5"}, "INVALID_VALUE", "'1,5'"),
        ({"=INT": "nan"}, "INVALID_VALUE", "'nan'"),
        ({"=DOUBLE": "inf"}, "INVALID_VALUE", "'inf'"),
        ({"=DOUBLE": "1e999"}, "INVALID_VALUE", "'1e999'"),
        ({"=DOUBLE": "1e9999999999"}, "INVALID_VALUE", "'1e9999999999'"),
        ({"=DOUBLE": "9" * 500}, "INVALID_VALUE", "=DOUBLE"),
        ({"=INT": "٣"}, "INVALID_VALUE", "=INT"),
        ({"=DATE": "31.02.2026"}, "INVALID_VALUE", "'31.02.2026'"),
        ({">DATETIME": "yesterday"}, "INVALID_VALUE", "'yesterday'"),
        ({">DATETIME": "0"}, "INVALID_VALUE", "'0'"),
        ({"=STRING": "a\0b"}, "INVALID_VALUE", "=STRING"),
        ({"%STRING": "a\0b"}, "INVALID_VALUE", "%STRING"),
        ({"><INT": "1"}, "INVALID_VALUE", "><INT"),
        ({"><INT": listed("1")}, "INVALID_VALUE", "><INT"),
        ({"!><INT": listed("1", "2", "3")}, "INVALID_VALUE", "!><INT"),
        ({"><DATE": listed("01.09.2026", "x")}, "INVALID_VALUE", "'x'"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(tree: Any, code: str, culprit: str) -> None:
    found, description = refusal({"0": tree})
    assert (found, culprit in description) == (code, True), description


def test_a_long_value_is_not_repeated_whole() -> None:
    _, description = refusal({"=INT": "x" * 10_000})
    assert len(description) < 200


@given(st.text(max_size=5), st.text(max_size=8), st.sampled_from(list(FIELDS)))
def test_any_key_and_value_are_understood_or_refused(start: str, value: str, name: str) -> None:
    found = parsed_or_code({start + name: value})
    if isinstance(found, str):
        assert start not in OPERATORS or found == "INVALID_VALUE"
    else:
        check_negation(found)


def parsed_or_code(tree: Any) -> Expression | str:
    try:
        return parse(tree)
    except ApiError as error:
        return error.code


@pytest.mark.parametrize(("order", "month"), [(DateOrder.MDY, 3), (DateOrder.DMY, 4)])
def test_ambiguous_dates_are_read_in_the_order_of_the_source(order: DateOrder, month: int) -> None:
    reader = Reader(order, ZoneInfo("UTC"))
    expression = parse_filter({"=DATE": "03/04/2026"}, field_named, reader)
    assert f"2026, {month}," in repr(expression)
