"""Turns the filter of a data request into an expression for adapters (Bitrix24: data request).

A filter is a tree of groups. The result says which rows are kept in terms that leave nothing to an
engine: which nulls stay, what a bare zero means, that a date-time without a fraction stands for its
whole second, so that ``<= 23:59:59`` includes the last fraction of the day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import assert_never

from adapters.base import (
    And,
    Compare,
    Comparison,
    Expression,
    Field,
    FieldType,
    In,
    IsNull,
    Like,
    Or,
    Value,
    Wildcard,
)
from app.errors import ApiError
from app.wire.form import Tree
from app.wire.values import Reader

_KEY = re.compile(r"(?P<operator>[^\w]*)(?P<name>.*)", re.DOTALL)
_INDEX = re.compile(r"-?\d+", re.ASCII)
_EMPTY = ("0", "", "false")
_LOGICS = ("AND", "OR", "NOT")
_OPPOSITE: dict[Comparison, Comparison] = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True)
class _Condition:
    """One key of a filter with its values, read by the type of its field."""

    field: Field
    key: str
    texts: tuple[str, ...]
    is_list: bool
    reader: Reader

    @property
    def values(self) -> list[str | Decimal | datetime]:
        return [self.reader.read(self.field, self.key, text) for text in self.texts]


def parse_filter(tree: Tree, field_named: Callable[[str], Field], reader: Reader) -> Expression:
    """The rows that ``tree`` keeps; ``field_named`` raises ApiError UNKNOWN_FIELD.

    Raises :class:`~app.errors.ApiError`: INVALID_FILTER, INVALID_VALUE, UNKNOWN_FIELD,
    UNKNOWN_OPERATOR.
    """
    return _group(tree, field_named, reader) or And(())


def _group(tree: Tree, field_named: Callable[[str], Field], reader: Reader) -> Expression | None:
    """None for a group in which no condition is left: PHP drops empty lists on the way."""
    logic = _logic(tree.get("LOGIC", "AND"))
    items: list[Expression] = []
    for key, value in tree.items():
        if key == "LOGIC":
            continue
        if not _INDEX.fullmatch(key):
            items.append(_condition(key, value, field_named, reader))
        elif not isinstance(value, dict):
            raise ApiError("INVALID_FILTER", f"Filter group {key} holds a value, not conditions.")
        elif (below := _group(value, field_named, reader)) is not None:
            items.append(below)
    if not items:
        return None
    match logic:
        case "OR":
            return Or(tuple(items))
        case "NOT":
            return negated(And(tuple(items)))
        case _:
            return And(tuple(items))


def _logic(value: Tree | str) -> str:
    if not isinstance(value, str) or value.upper() not in _LOGICS:
        raise ApiError("INVALID_FILTER", f"LOGIC has to be one of {', '.join(_LOGICS)}.")
    return value.upper()


def _condition(
    key: str, value: Tree | str, field_named: Callable[[str], Field], reader: Reader
) -> Expression:
    found = _KEY.fullmatch(key)
    operator, name = (found["operator"], found["name"]) if found else ("", "")
    if operator not in _OPERATORS:
        raise ApiError("UNKNOWN_OPERATOR", f"Filter {key} has the unknown operator {operator}.")
    if not name:
        raise ApiError("INVALID_FILTER", f"Filter {key} names no field.")
    if isinstance(value, str):
        texts = [value]
    else:
        texts = [text for text in value.values() if isinstance(text, str)]
        if len(texts) < len(value) or not all(_INDEX.fullmatch(index) for index in value):
            raise ApiError("INVALID_VALUE", f"Filter {key} has to have a flat list of values.")
    is_list = not isinstance(value, str)
    return _OPERATORS[operator](_Condition(field_named(name), key, tuple(texts), is_list, reader))


def _equal(condition: _Condition) -> Expression:
    field = condition.field
    if _asks_for_empty(condition):
        match field.type:
            case FieldType.STRING:
                return Or((IsNull(field), In(field, ("",))))
            case FieldType.INT | FieldType.DOUBLE:
                return Or((IsNull(field), In(field, (Decimal(0),))))
            case FieldType.DATE | FieldType.DATETIME:
                return IsNull(field)
    if field.type is FieldType.DATETIME:
        return Or(tuple(_within(field, value, value) for value in condition.values))
    return In(field, _exact_values(condition))


def _not_equal(condition: _Condition) -> Expression:
    field = condition.field
    if _asks_for_empty(condition):
        return IsNull(field, negated=True)
    if field.type is FieldType.DATETIME:
        return And(tuple(_outside(field, value, value) for value in condition.values))
    others = In(field, _exact_values(condition), negated=True)
    return Or((IsNull(field), others)) if field.type is FieldType.STRING else others


def _asks_for_empty(condition: _Condition) -> bool:
    """A bare 0 is how PHP sends ``false``, the portal's word for "is null"."""
    return not condition.is_list and condition.texts[0] in _EMPTY


def _exact_values(condition: _Condition) -> tuple[Value, ...]:
    """What In compares with: days for dates, only whole numbers for integers."""
    exact: dict[Value, None] = {}
    for value in condition.values:
        if isinstance(value, datetime):
            exact[value.date()] = None
        elif condition.field.type is not FieldType.INT or value == _floor(value):
            exact[value] = None
    return tuple(exact)


def _between(condition: _Condition) -> Expression:
    low, high = _two_values(condition)
    return _within(condition.field, low, high)


def _not_between(condition: _Condition) -> Expression:
    low, high = _two_values(condition)
    return _outside(condition.field, low, high)


def _two_values(condition: _Condition) -> list[Value]:
    if len(condition.texts) != 2:
        raise ApiError(
            "INVALID_VALUE",
            f"Filter {condition.key} (between) takes two values, not {len(condition.texts)}.",
        )
    return list(condition.values)


def _within(field: Field, low: Value, high: Value) -> Expression:
    return And((_compare(field, ">=", low), _compare(field, "<=", high)))


def _outside(field: Field, low: Value, high: Value) -> Expression:
    return Or((_compare(field, "<", low), _compare(field, ">", high)))


def _comparing(comparison: Comparison) -> Callable[[_Condition], Expression]:
    return lambda condition: _compare(condition.field, comparison, condition.values[0])


def _compare(field: Field, comparison: Comparison, value: Value) -> Expression:
    """A comparison in the form that :class:`adapters.base.Compare` promises for each type."""
    if isinstance(value, datetime):
        if field.type is FieldType.DATE:
            return _compare_day(field, comparison, value)
        return _compare_second(field, comparison, value)
    if field.type is FieldType.INT and isinstance(value, Decimal) and value != _floor(value):
        return Compare(field, ">" if ">" in comparison else "<=", _floor(value))
    return Compare(field, comparison, value)


def _compare_day(field: Field, comparison: Comparison, value: datetime) -> Expression:
    """A day is compared as its midnight."""
    midnight = value == datetime.combine(value.date(), datetime.min.time())
    if not midnight:
        comparison = ">" if ">" in comparison else "<="
    return Compare(field, comparison, value.date())


def _compare_second(field: Field, comparison: Comparison, value: datetime) -> Expression:
    """A value stands for as much time as it is precise: a second, or with a fraction an instant."""
    if comparison in ("<", ">="):
        return Compare(field, comparison, value)
    try:
        end = value + timedelta(microseconds=1 if value.microsecond else 1_000_000)
    except OverflowError:
        return IsNull(field, negated=True) if comparison == "<=" else Or(())
    return Compare(field, "<" if comparison == "<=" else ">=", end)


def _matching(
    pattern: Callable[[str], tuple[str | Wildcard, ...]], *, negate: bool = False
) -> Callable[[_Condition], Expression]:
    def match(condition: _Condition) -> Expression:
        likes = tuple(
            Like(condition.field, pattern(condition.reader.text(condition.key, text)), negate)
            for text in condition.texts
        )
        return And(likes) if negate else Or(likes)

    return match


def _containing(text: str) -> tuple[str | Wildcard, ...]:
    return (Wildcard.ANY, text, Wildcard.ANY)


def _pattern(text: str) -> tuple[str | Wildcard, ...]:
    return tuple(
        Wildcard(piece) if piece in ("%", "_") else piece
        for piece in re.split(r"([%_])", text)
        if piece
    )


def _floor(value: Value) -> Decimal:
    return Decimal(value).to_integral_value(ROUND_FLOOR)  # type: ignore[arg-type]


def negated(expression: Expression) -> Expression:
    """Exactly the rows that ``expression`` does not keep, nulls among them."""
    match expression:
        case And(items):
            return Or(tuple(negated(item) for item in items))
        case Or(items):
            return And(tuple(negated(item) for item in items))
        case IsNull(field, was_negated):
            return IsNull(field, negated=not was_negated)
        case In(field, values, was_negated):
            return Or((IsNull(field), In(field, values, not was_negated)))
        case Compare(field, comparison, value):
            return Or((IsNull(field), Compare(field, _OPPOSITE[comparison], value)))
        case Like(field, pattern, was_negated):
            return Or((IsNull(field), Like(field, pattern, not was_negated)))
        case _:
            assert_never(expression)


_OPERATORS: dict[str, Callable[[_Condition], Expression]] = (
    dict.fromkeys(("", "=", "==", "@"), _equal)
    | dict.fromkeys(("!", "!=", "!==", "!@"), _not_equal)
    | {"%": _matching(_containing), "!%": _matching(_containing, negate=True)}
    | dict.fromkeys(("=%", "%="), _matching(_pattern))
    | dict.fromkeys(("!=%", "!%="), _matching(_pattern, negate=True))
    | {"><": _between, "!><": _not_between}
    | {c: _comparing(c) for c in _OPPOSITE}
    | {f"!{c}": _comparing(opposite) for c, opposite in _OPPOSITE.items()}
)
