"""How a column is read and compared: one :class:`SqlColumn` for every type of every engine."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from adapters.base import Comparison, FieldType, Value

Element = ColumnElement[Any]
Bounds = tuple[Element, Element]

MAX_DOUBLE = 1.7976931348623157e308
INT64 = range(-(2**63), 2**63)
# A decimal of this many digits fits a signed 64-bit integer, so it may be published as ``int``.
INT64_DIGITS = 18


@dataclass(frozen=True)
class SqlColumn:
    """One column in SQL.

    ``read`` is what SELECT lists: it gives None, int, float, Decimal or str, ready for JSON, after
    ``convert`` if there is one. ``test`` is what a filter compares with ``bind(value)``: the bare
    column wherever the engine's own comparison means the same as ours, so that indexes serve it.

    Values beyond ``bounds`` (both included) cannot be shown and read as null: NaN, infinities,
    years of five digits. ``narrow`` gives a condition on the bare column that every kept row meets,
    where ``test`` cannot use an index. ``inexact`` marks texts whose equality is looser than ours.
    ``zoned`` marks instants, to be compared with instants and not with local times.
    """

    type: FieldType
    read: Element
    test: Element
    bind: Callable[[Any], Element]
    bounds: Bounds | None = None
    convert: Callable[[Any], Any] | None = None
    narrow: Callable[[Comparison, Value], Element] | None = None
    inexact: bool = False
    zoned: bool = False


def integer(column: Element, **more: Any) -> SqlColumn:
    """A whole number of at most 64 bits, signed or not."""
    return SqlColumn(FieldType.INT, column, column, bind_integer, **more)


def boolean(column: Element) -> SqlColumn:
    """A truth value, shown and compared as 0 and 1."""
    number = sa.cast(column, sa.Integer)
    return SqlColumn(FieldType.INT, number, number, bind_integer)


def number(column: Element, **more: Any) -> SqlColumn:
    """An exact decimal."""
    return SqlColumn(FieldType.DOUBLE, column, column, bind_decimal, **more)


def double(column: Element, **more: Any) -> SqlColumn:
    """A floating-point number of 64 bits."""
    return SqlColumn(FieldType.DOUBLE, column, column, bind_double, **more)


def single(column: Element, **more: Any) -> SqlColumn:
    """A floating-point number of 32 bits: 0.1 stored so equals a filter's 0.1 only as such."""
    return SqlColumn(FieldType.DOUBLE, column, column, bind_single, **more)


def text(column: Element, **more: Any) -> SqlColumn:
    """A text that the driver returns as str."""
    return SqlColumn(FieldType.STRING, column, column, bind_text, **more)


def shown_as(expression: Element) -> SqlColumn:
    """Anything else: the text that stands for it is what is shown and compared."""
    return SqlColumn(FieldType.STRING, expression, expression, bind_text)


def bind_integer(value: Decimal) -> Element:
    whole = int(value)
    kind = sa.BigInteger() if whole in INT64 else sa.Numeric()
    return sa.literal(whole if whole in INT64 else Decimal(whole), kind)


def bind_decimal(value: Decimal) -> Element:
    return sa.literal(value, sa.Numeric())


def bind_double(value: Decimal) -> Element:
    return sa.literal(float(value), sa.Double())


def bind_single(value: Decimal) -> Element:
    try:
        (rounded,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        rounded = float(value)
    return sa.literal(rounded, sa.Double())


def bind_text(value: str) -> Element:
    return sa.literal(value, sa.Text())


def shortest_single(value: float | None) -> float | None:
    """A 32-bit float as the shortest number that stands for it: 0.1, not 0.10000000149011612."""
    if value is None:
        return None
    for digits in range(6, 10):
        short = float(f"{value:.{digits}g}")
        if struct.pack("f", short) == struct.pack("f", value):
            return short
    return value


def is_whole(kind: TypeEngine[Any]) -> bool:
    """Whether a NUMERIC type holds nothing but integers of 64 bits."""
    return (
        isinstance(kind, sa.Numeric)
        and kind.precision is not None
        and kind.precision <= INT64_DIGITS
        and not kind.scale
    )


class Geometry(sa.types.UserDefinedType[str]):
    """A spatial type, shown as well-known text."""

    cache_ok = True

    def __init__(self, *_: object, **__: object) -> None:
        pass
