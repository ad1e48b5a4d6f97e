"""What a filter means, in plain Python: which rows it keeps, going by nothing but what is shown.

For sources that cannot filter by themselves this is the filter (:mod:`adapters.pushdown`); for all
others it is what they have to agree with (:mod:`adapters.testing`).
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, assert_never
from zoneinfo import ZoneInfo

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
from adapters.encode import convert, local, number_text


@dataclass(frozen=True)
class Number:
    """A number as it is written in JSON."""

    text: str


Shown = str | Number | datetime | None
"""A cell as a portal sees it. A datetime may still have the fraction that it is shown without."""

Test = Callable[[Mapping[str, Shown]], bool]


def read_json(text: str | bytes) -> Any:
    """JSON with its numbers left as they are written."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def shown(field: Field, value: Any, zone: ZoneInfo) -> Shown:
    """What a portal would be shown of a value that an adapter gives.

    Raises :class:`~adapters.errors.QueryFailed` for a value that does not fit its field.
    """
    if isinstance(value, datetime) and field.type is FieldType.DATETIME:
        return local(value, zone)
    cell = convert(field, value, zone)
    if cell is None or isinstance(cell, str):
        return cell
    finite = cell.is_finite() if isinstance(cell, Decimal) else math.isfinite(cell)
    return Number(number_text(cell)) if finite else None


def keeps(expression: Expression, row: Mapping[str, Shown]) -> bool:
    """Whether ``expression`` keeps a row, given by the names of its fields."""
    return predicate(expression)(row)


def predicate(expression: Expression) -> Test:
    """What tells of each row whether ``expression`` keeps it."""
    match expression:
        case And(items):
            tests = [predicate(item) for item in items]
            return lambda row: all(test(row) for test in tests)
        case Or(items):
            tests = [predicate(item) for item in items]
            return lambda row: any(test(row) for test in tests)
        case IsNull(field, negated):
            name = field.name
            return lambda row: (row[name] is None) != negated
        case In(field, values, negated):
            return _unless_null(field, _is_one_of(field, values), negated=negated)
        case Compare(field, comparison, value):
            return _unless_null(field, _compares(field, comparison, value))
        case Like(field, pattern, negated):
            return _unless_null(field, _matches(pattern), negated=negated)
        case _:
            assert_never(expression)


def fields_of(expression: Expression) -> tuple[Field, ...]:
    """The fields that a filter looks at, each once, in the order in which it names them."""
    match expression:
        case And(items) | Or(items):
            named = [field for item in items for field in fields_of(item)]
            return tuple({field.name: field for field in named}.values())
        case _:
            return (expression.field,)


def _unless_null(
    field: Field, holds: Callable[[str | Number | datetime], bool], *, negated: bool = False
) -> Test:
    name = field.name

    def test(row: Mapping[str, Shown]) -> bool:
        cell = row[name]
        return cell is not None and holds(cell) != negated

    return test


def _is_one_of(
    field: Field, values: tuple[Value, ...]
) -> Callable[[str | Number | datetime], bool]:
    wanted = frozenset(values)
    return lambda cell: value_of(field, cell) in wanted


def _compares(
    field: Field, comparison: Comparison, value: Value
) -> Callable[[str | Number | datetime], bool]:
    compare = _COMPARE[comparison]
    return lambda cell: compare(value_of(field, cell), value)


def _matches(
    pattern: tuple[str | Wildcard, ...],
) -> Callable[[str | Number | datetime], bool]:
    matching = re.compile(_regular(pattern), re.DOTALL)
    return lambda cell: matching.fullmatch(folded(text_of(cell))) is not None


NOT_ONE_TO_ONE = ("İΣ", "iσ")
"""The only letters whose lower case is longer, or goes by what stands beside them; and theirs."""
_ONE_TO_ONE = str.maketrans(*NOT_ONE_TO_ONE)


def folded(text: str) -> str:
    """``text`` in lower case, each character by itself and for one.

    A piece of a text has to fold as it does within the text, where another letter may be the last,
    and a wildcard stands for one character whatever its case.
    """
    return text.translate(_ONE_TO_ONE).lower()


def _regular(pattern: tuple[str | Wildcard, ...]) -> str:
    """The pattern as a regular expression for texts in lower case.

    What stands between two stars is taken where it is first found, for good: that loses no match,
    and no text can make it try for ever.
    """
    between = [""]
    for piece in pattern:
        match piece:
            case Wildcard.ANY:
                between.append("")
            case Wildcard.ONE:
                between[-1] += "."
            case _:
                between[-1] += re.escape(folded(piece))
    if len(between) == 1:
        return between[0]
    first, *middle, last = between
    return first + "".join(f"(?>.*?{text})" for text in middle if text) + ".*" + last


_COMPARE: dict[Comparison, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def text_of(cell: str | Number | datetime) -> str:
    """The text of a cell, as patterns look at it."""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    return cell.text if isinstance(cell, Number) else cell


def value_of(field: Field, cell: str | Number | datetime) -> Value:
    """A cell as the type of value that its field is compared with."""
    if isinstance(cell, datetime):
        return cell
    match field.type:
        case FieldType.STRING:
            return text_of(cell)
        case FieldType.INT | FieldType.DOUBLE:
            return Decimal(text_of(cell))
        case FieldType.DATE:
            return date.fromisoformat(text_of(cell))
        case FieldType.DATETIME:
            return datetime.fromisoformat(text_of(cell))
