"""What a filter means, in plain Python: which rows it keeps, going by nothing but what is shown.

Adapters turn the same expression into SQL and have to keep the same rows.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, assert_never

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
    Value,
    Wildcard,
)


@dataclass(frozen=True)
class Number:
    """A number as it is written in JSON."""

    text: str


Shown = str | Number | None


def read_json(text: str | bytes) -> Any:
    """JSON with its numbers left as they are written."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def keeps(expression: Expression, row: Mapping[str, Shown]) -> bool:
    """Whether ``expression`` keeps a row, given by the names of its fields.

    Date-times are shown without their fraction, so only whole seconds can be compared with them.
    """
    match expression:
        case And(items):
            return all(keeps(item, row) for item in items)
        case Or(items):
            return any(keeps(item, row) for item in items)
        case IsNull(field, negated):
            return (row[field.name] is None) != negated
    shown = row[expression.field.name]
    if shown is None:
        return False
    match expression:
        case In(field, values, negated):
            return (value_of(field, shown) in values) != negated
        case Compare(field, comparison, value):
            return _COMPARE[comparison](value_of(field, shown), value)
        case Like(_, pattern, negated):
            return matches(pattern, text_of(shown)) != negated
        case _:
            assert_never(expression)


_COMPARE: dict[str, Any] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def text_of(shown: str | Number) -> str:
    return shown.text if isinstance(shown, Number) else shown


def value_of(field: Field, shown: str | Number) -> Value:
    match field.type:
        case FieldType.STRING:
            return text_of(shown)
        case FieldType.INT | FieldType.DOUBLE:
            return Decimal(text_of(shown))
        case FieldType.DATE:
            return date.fromisoformat(text_of(shown))
        case FieldType.DATETIME:
            return datetime.fromisoformat(text_of(shown))


def matches(pattern: tuple[str | Wildcard, ...], text: str) -> bool:
    wildcards = {Wildcard.ANY: ".*", Wildcard.ONE: "."}
    expression = "".join(
        wildcards[piece] if isinstance(piece, Wildcard) else re.escape(piece.lower())
        for piece in pattern
    )
    return re.fullmatch(expression, text.lower(), re.DOTALL) is not None
