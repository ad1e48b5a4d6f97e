"""A filter expression as SQLAlchemy's WHERE: values always bound, columns only from reflection."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from adapters.base import (
    And,
    Compare,
    Comparison,
    Condition,
    Expression,
    FieldType,
    In,
    IsNull,
    Like,
    Or,
    Wildcard,
)
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.localtime import shown_from

_ESCAPE = "!"
_OPERATORS: dict[Comparison, Callable[[Element, Element], Element]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class TextRules:
    """How an engine compares texts the way the portal's filters mean it.

    ``exact`` gives what equality and order by code points are decided on; ``folded`` a text in one
    letter case for LIKE; ``shown`` the text of a value that is not a text.
    """

    exact: Callable[[Element], Element]
    folded: Callable[[Element], Element]
    shown: Callable[[Element], Element]


def where(expression: Expression, rules: TextRules, zone: ZoneInfo) -> Element:
    """The condition that keeps exactly the rows that ``expression`` keeps."""
    match expression:
        case And(items):
            return sa.and_(sa.true(), *(where(item, rules, zone) for item in items))
        case Or(items):
            return sa.or_(sa.false(), *(where(item, rules, zone) for item in items))
        case IsNull() | In() | Compare() | Like():
            return _condition(expression, rules, zone)
        case _:
            assert_never(expression)


def _condition(condition: Condition, rules: TextRules, zone: ZoneInfo) -> Element:
    column: SqlColumn = condition.field.native
    match condition:
        case IsNull(negated=negated):
            return _not_null(column) if negated else _null(column)
        case In():
            return _in(column, condition, rules)
        case Compare():
            if column.type is FieldType.STRING:
                compare = _OPERATORS[condition.operator]
                return compare(rules.exact(column.test), rules.exact(column.bind(condition.value)))
            if column.zoned and isinstance(condition.value, datetime):
                return sa.and_(_instants(column, condition.operator, condition.value, zone))
            return _compare(column, condition)
        case Like():
            return _like(column, condition, rules)
        case _:
            assert_never(condition)


def _null(column: SqlColumn) -> Element:
    if column.bounds is None:
        return column.test.is_(None)
    return sa.or_(column.test.is_(None), sa.not_(column.test.between(*column.bounds)))


def _not_null(column: SqlColumn) -> Element:
    if column.bounds is None:
        return column.test.is_not(None)
    return column.test.between(*column.bounds)


def _in(column: SqlColumn, condition: In, rules: TextRules) -> Element:
    if not condition.values:
        return _not_null(column) if condition.negated else sa.false()
    values = [column.bind(value) for value in condition.values]
    if column.type is FieldType.STRING and column.inexact:
        exact = rules.exact(column.test).in_([rules.exact(value) for value in values])
        found = sa.and_(column.test.in_(values), exact)
        return sa.not_(exact) if condition.negated else found
    if condition.negated:
        return sa.and_(column.test.not_in(values), _not_null(column))
    found = column.test.in_(values)
    if column.narrow is not None:
        low, high = min(condition.values), max(condition.values)
        return sa.and_(column.narrow(">=", low), column.narrow("<=", high), found)
    return found


def _compare(column: SqlColumn, condition: Compare) -> Element:
    found = _OPERATORS[condition.operator](column.test, column.bind(condition.value))
    if column.narrow is not None:
        found = sa.and_(column.narrow(condition.operator, condition.value), found)
    if column.bounds is None:
        return found
    low, high = column.bounds
    return sa.and_(found, column.test <= high if ">" in condition.operator else column.test >= low)


def _instants(
    column: SqlColumn, comparison: Comparison, local: datetime, zone: ZoneInfo
) -> Element:
    """``local < value`` or ``local >= value`` for a column of instants."""
    stretches = shown_from(local, zone)
    starts = [column.test >= column.bind(start) for start, _ in stretches]
    ends = [column.test < column.bind(end) for _, end in stretches if end is not None]
    if comparison == ">=":
        kept = starts[-1] if not ends else sa.or_(sa.and_(starts[0], ends[0]), starts[1])
    elif comparison == "<":
        befores = [column.test < column.bind(start) for start, _ in stretches]
        afters = [column.test >= column.bind(end) for _, end in stretches if end is not None]
        kept = befores[0] if not afters else sa.or_(befores[0], sa.and_(afters[0], befores[1]))
    else:
        raise ValueError(f"date-times are compared with < and >= only, not {comparison}")
    return sa.and_(kept, _not_null(column)) if column.bounds is not None else kept


def _like(column: SqlColumn, condition: Like, rules: TextRules) -> Element:
    shown = column.test if column.type is FieldType.STRING else rules.shown(column.read)
    pattern = "".join(
        piece.value if isinstance(piece, Wildcard) else _literal(piece)
        for piece in condition.pattern
    )
    found = rules.folded(shown).like(rules.folded(sa.literal(pattern, sa.Text())), escape=_ESCAPE)
    if not condition.negated:
        return found
    return sa.and_(sa.not_(found), _not_null(column)) if column.bounds else sa.not_(found)


def _literal(piece: str) -> str:
    for special in (_ESCAPE, Wildcard.ANY.value, Wildcard.ONE.value):
        piece = piece.replace(special, _ESCAPE + special)
    return piece
