"""How a column is read and compared: one :class:`SqlColumn` for every type of every engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from adapters.base import Comparison, FieldType, Value
from adapters.sql import numbers

Element = ColumnElement[Any]
Narrow = Callable[[Comparison | Literal["="], Sequence[Value]], Element]

# A decimal of this many digits fits a signed 64-bit integer, so it may be published as ``int``.
INT64_DIGITS = 18


@dataclass(frozen=True)
class Usual:
    """A cheaper way to read a column, right as long as ``holds`` says so of each batch of it."""

    read: Element
    holds: Callable[[Sequence[Any]], bool]


@dataclass(frozen=True)
class SqlColumn:
    """One column in SQL.

    ``read`` is what SELECT lists: it gives None, int, float, Decimal or str, ready for JSON, after
    ``convert`` if there is one; ``as_text`` is its text where the engine's own cast would give
    another. ``test`` is what a filter compares with ``bind(value)``: the bare column wherever the
    engine's own comparison means the same as ours, so that indexes serve it.

    ``shown`` holds for the values that a portal can be shown; any other reads as null: NaN,
    infinities, years of five digits. ``near`` gives the number closest to a filter's that the
    column could show; None where it could show any. ``narrow`` gives a condition on the bare column
    that every kept row meets, where ``test`` cannot use an index. ``second`` is what a whole second
    is compared with, where ``test`` costs too much to be asked for each end of each of many.
    ``exact`` marks texts of which the engine's equality is ours, ``signed_zero`` floats of which
    IN tells 0 from -0, ``rounded`` decimals of which IN sees digits that are not shown. ``zoned``
    marks instants, to be compared with instants and not with local times. ``declared`` is the type
    that all this is right for. ``version`` is that of the schema, where an engine counts them.
    ``usual`` is for what is costly to read because any value may stand there.
    """

    type: FieldType
    read: Element
    test: Element
    bind: Callable[[Any], Element]
    shown: Element | None = None
    convert: Callable[[Any], Any] | None = None
    as_text: Element | None = None
    near: Callable[[Decimal], Decimal] | None = None
    narrow: Narrow | None = None
    second: Element | None = None
    exact: bool = False
    signed_zero: bool = False
    rounded: bool = False
    zoned: bool = False
    declared: str = ""
    version: int = 0
    usual: Usual | None = None


def integer(column: Element, high: int = numbers.INT64.stop - 1, **more: Any) -> SqlColumn:
    """A whole number of 64 bits, ``high`` being the greatest."""
    near = numbers.between(numbers.INT64.start, high)
    return SqlColumn(FieldType.INT, column, column, bind_integer, near=near, **more)


def boolean(column: Element) -> SqlColumn:
    """A truth value, shown and compared as 0 and 1."""
    return integer(sa.cast(column, sa.Integer))


def number(column: Element, **more: Any) -> SqlColumn:
    """An exact decimal."""
    return SqlColumn(FieldType.DOUBLE, column, column, bind_decimal, **more)


def double(column: Element, **more: Any) -> SqlColumn:
    """A floating-point number of 64 bits."""
    more = {"as_text": float_text(sa.cast(column, sa.Text())), **more}
    near = numbers.near_double
    return SqlColumn(FieldType.DOUBLE, column, column, bind_double, near=near, **more)


def single(column: Element, **more: Any) -> SqlColumn:
    """A floating-point number of 32 bits, shown as the shortest number that stands for it."""
    as_text = float_text(sa.cast(column, sa.Text()))
    more = {"as_text": as_text, "near": numbers.near_single, **more}
    return SqlColumn(FieldType.DOUBLE, column, column, bind_single, **more)


def float_text(digits: Element) -> Element:
    """The text of a floating-point number as JSON writes it: never without a point."""
    whole = sa.not_(sa.or_(digits.like("%.%"), digits.like("%e%")))
    return sa.case((whole, digits.concat(".0")), else_=digits)


def text(column: Element, **more: Any) -> SqlColumn:
    """A text that the driver returns as str."""
    return SqlColumn(FieldType.STRING, column, column, bind_text, **more)


def shown_as(expression: Element) -> SqlColumn:
    """Anything else: the text that stands for it is what is shown and compared."""
    return SqlColumn(FieldType.STRING, expression, expression, bind_text)


def bind_integer(value: Decimal) -> Element:
    return sa.literal(int(value), sa.BigInteger())


def bind_decimal(value: Decimal) -> Element:
    return sa.literal(value, sa.Numeric())


def bind_double(value: Decimal) -> Element:
    return sa.literal(float(value), sa.Double())


def bind_single(value: Decimal) -> Element:
    return sa.literal(numbers.as_single(float(value)), sa.Double())


def bind_text(value: str) -> Element:
    return sa.literal(value, sa.Text())


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

    def __init__(self, schema: str = "") -> None:
        """``schema`` holds the type and the functions that go with it."""
        self.schema = schema


class Named(sa.types.UserDefinedType[Any]):
    """A type by the server's own name for it, in lower case and without its arguments."""

    cache_ok = True

    def __init__(self, name: str, precision: int | None = None, scale: int | None = None) -> None:
        self.name = name
        self.precision = precision
        self.scale = scale
