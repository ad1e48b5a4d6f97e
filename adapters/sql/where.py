"""A filter expression as SQLAlchemy's WHERE: values always bound, columns only from reflection."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, assert_never
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from adapters.base import (
    And,
    Compare,
    Comparison,
    Condition,
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
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.localtime import shown_from

_OPERATORS: dict[Comparison, Callable[[Element, Element], Element]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class TextRules:
    """How an engine compares texts the way the portal's filters mean it.

    ``exact`` gives what equality and order by code points are decided on; ``folded`` a text in one
    letter case for LIKE; ``shown`` the text of a value that is not a text. ``escape`` hides the
    wildcards of LIKE; None is a backslash where SQL has no word to choose another.
    ``special`` are the characters that the engine's LIKE takes for more than themselves, besides
    SQL's wildcards.
    """

    exact: Callable[[Element], Element]
    folded: Callable[[Element], Element]
    shown: Callable[[Element], Element]
    escape: str | None = "!"
    special: str = ""


def where(expression: Expression, rules: TextRules, zone: ZoneInfo) -> Element:
    """The condition that keeps exactly the rows that ``expression`` keeps."""
    match expression:
        case And(items) | Or(items):
            seconds, others = _seconds(type(expression), items)
            negated = isinstance(expression, And)
            found = [_in_seconds(*asked, negated=negated) for asked in seconds.items()]
            found += [where(item, rules, zone) for item in others]
            join, nothing = (sa.and_, sa.true()) if negated else (sa.or_, sa.false())
            return _joined(join, nothing, found)
        case IsNull() | In() | Compare() | Like():
            return _condition(expression, rules, zone)
        case _:
            assert_never(expression)


def _seconds(
    group: type[And | Or], items: Sequence[Expression]
) -> tuple[dict[Field, list[datetime]], list[Expression]]:
    """The whole seconds that fields shall equal in an Or, or differ from in an And; and the rest.

    Of fields whose column has a ``second``.
    """
    seconds: dict[Field, list[datetime]] = {}
    rest = []
    for item in items:
        match item:
            case And(
                (Compare(field, ">=", datetime() as start), Compare(same, "<", datetime() as end))
            ) | Or(
                (Compare(field, "<", datetime() as start), Compare(same, ">=", datetime() as end))
            ) if (
                not isinstance(item, group)
                and field == same
                and field.native.second is not None
                and start.microsecond == 0
                and end - start == _SECOND
            ):
                seconds.setdefault(field, []).append(start)
            case _:
                rest.append(item)
    return seconds, rest


def _in_seconds(field: Field, starts: list[datetime], *, negated: bool) -> Element:
    column: SqlColumn = field.native
    second: Any = column.second
    bound = [column.bind(start) for start in starts]
    if negated:
        return second.not_in(bound)  # type: ignore[no-any-return]
    found = second.in_(bound)
    return found if column.narrow is None else sa.and_(column.narrow("=", starts), found)


# SQLite takes no expression of more than 1,000 levels, and each AND of a row of them is one more.
_IN_A_ROW = 100


class _InBrackets(ColumnElement[bool]):
    """A condition that SQLAlchemy leaves where it is, among others of its kind."""

    inherit_cache = False

    def __init__(self, condition: Element) -> None:
        self.condition = condition
        self.type = sa.Boolean()


@compiles(_InBrackets)
def _in_brackets(element: _InBrackets, compiler: SQLCompiler, **more: Any) -> str:
    return f"({compiler.process(element.condition, **more)})"


def _joined(join: Callable[..., Element], nothing: Element, conditions: list[Element]) -> Element:
    """All of them, or any of them; ``nothing`` is what none of them means."""
    while len(conditions) > _IN_A_ROW:
        conditions = [
            _InBrackets(join(*conditions[i : i + _IN_A_ROW]))
            for i in range(0, len(conditions), _IN_A_ROW)
        ]
    return join(nothing, *conditions)


def _condition(condition: Condition, rules: TextRules, zone: ZoneInfo) -> Element:
    column: SqlColumn = condition.field.native
    match condition:
        case IsNull(negated=negated):
            return _not_null(column) if negated else sa.not_(_not_null(column))
        case In():
            return _in(column, condition, rules)
        case Compare():
            if column.zoned and isinstance(condition.value, datetime):
                return sa.and_(_instants(column, condition.operator, condition.value, zone))
            return _compare(column, condition, rules)
        case Like():
            return _like(column, condition, rules)
        case _:
            assert_never(condition)


def _not_null(column: SqlColumn) -> Element:
    """Never null itself, so that its opposite is "is null"."""
    return _if_shown(column, column.test.is_not(None))


def _if_shown(column: SqlColumn, condition: Element) -> Element:
    return condition if column.shown is None else sa.and_(condition, column.shown)


def _in(column: SqlColumn, condition: In, rules: TextRules) -> Element:
    near = column.near
    values = [
        value
        for value in condition.values
        if near is None or not isinstance(value, Decimal) or near(value) == value
    ]
    if column.signed_zero and 0 in values:
        values += [Decimal("0.0"), Decimal("-0.0")]
    if not values:
        return _not_null(column) if condition.negated else sa.false()
    test, bound = column.test, [column.bind(value) for value in values]
    if column.type is FieldType.STRING and not column.exact:
        test, bound = rules.exact(test), [rules.exact(value) for value in bound]
    among: Element = test.in_(bound)
    if column.rounded:
        among = _joined(sa.or_, sa.false(), [test == value for value in bound])
    if condition.negated:
        return _if_shown(column, sa.not_(among))
    found = _if_shown(column, among)
    return found if column.narrow is None else sa.and_(column.narrow("=", values), found)


def _compare(column: SqlColumn, condition: Compare, rules: TextRules) -> Element:
    comparison, value = condition.operator, condition.value
    if column.near is not None and isinstance(value, Decimal):
        comparison, value = _moved(comparison, value, column.near(value))
    test, bound = column.test, column.bind(value)
    if column.type is FieldType.STRING:
        test, bound = rules.exact(test), rules.exact(bound)
    found = _if_shown(column, _OPERATORS[comparison](test, bound))
    if column.narrow is None or column.type is FieldType.STRING:
        return found
    return sa.and_(column.narrow(comparison, [value]), found)


def _moved(comparison: Comparison, value: Decimal, near: Decimal) -> tuple[Comparison, Value]:
    """The comparison with ``near``, no shown number lying between it and ``value``."""
    if near == value:
        return comparison, near
    if comparison in ("<", "<="):
        return ("<=" if near < value else "<"), near
    return (">" if near < value else ">="), near


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
    return _if_shown(column, kept)


def _like(column: SqlColumn, condition: Like, rules: TextRules) -> Element:
    shown = column.test if column.type is FieldType.STRING else column.as_text
    if shown is None:
        shown = rules.shown(column.read)
    pattern = "".join(
        piece.value if isinstance(piece, Wildcard) else _literal(piece, rules)
        for piece in condition.pattern
    )
    found = rules.folded(shown).like(
        rules.folded(sa.literal(pattern, sa.Text())), escape=rules.escape
    )
    return _if_shown(column, sa.not_(found) if condition.negated else found)


def _literal(piece: str, rules: TextRules) -> str:
    escape = rules.escape or "\\"
    for special in (escape, Wildcard.ANY.value, Wildcard.ONE.value, *rules.special):
        piece = piece.replace(special, escape + special)
    return piece
