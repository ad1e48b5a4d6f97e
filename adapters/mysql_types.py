"""How a column of each type of MySQL is read and compared, and what tells two ways apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from adapters import mysql_moments as moments
from adapters.base import Comparison, FieldType, Value
from adapters.sql import columns
from adapters.sql.columns import Element, Narrow, SqlColumn
from adapters.sql.numbers import UINT64_MAX, near_decimal, shortest_single

_UNSIGNED = mysql.INTEGER(unsigned=True)


def column_of(  # noqa: C901 - a table
    name: str, kind: TypeEngine[Any], zone: ZoneInfo
) -> SqlColumn | None:
    """The column ``name``, instants shown in ``zone``; None if its type has nothing peculiar."""
    column: Element = sa.column(name)
    match kind:
        case mysql.BIT() | mysql.YEAR():
            # Bits read as bytes otherwise, and a year is compared with 26 as with 2026.
            return columns.integer(sa.cast(column, _UNSIGNED), UINT64_MAX)
        case sa.Integer():
            return columns.integer(column, UINT64_MAX)
        case mysql.FLOAT():
            return _single(column)
        case sa.Float() if kind.scale is not None:
            return _fixed(column, kind.scale)
        case sa.Float():
            return columns.double(
                column, as_text=columns.float_text(sa.cast(_precise(column), sa.Text()))
            )
        case sa.Numeric() if not columns.is_whole(kind):
            near = near_decimal(kind.precision or 65, kind.scale or 0)
            return columns.number(column, near=near, rounded=True)  # may be a quotient
        case mysql.TIMESTAMP():
            return moments.instant(column, zone)
        case sa.DateTime():
            return moments.moment(FieldType.DATETIME, column)
        case sa.Date():
            return moments.moment(FieldType.DATE, column)
        case sa.types._Binary():
            return columns.shown_as(sa.func.lower(sa.func.hex(column)))
        case columns.Geometry():
            return columns.shown_as(sa.func.ST_AsText(column))
        case sa.String():
            narrow = _equal(column, kind.collation) if kind.collation else None
            return columns.text(column, narrow=narrow)
        case _:
            return None


def way(column: SqlColumn) -> tuple[object, ...]:
    """How values are read and compared, as far as the type of a result tells it."""
    read = column.read
    if column.type is FieldType.STRING and isinstance(read, sa.Cast):
        read = read.clause  # a result calls many a type a text
    convert = column.convert and column.convert.__qualname__
    greatest = column.near and column.near(Decimal("Infinity"))
    return column.type, column.zoned, str(read), convert, greatest


def _equal(column: Element, collation: str) -> Narrow:
    """What an index finds before texts are compared exactly.

    The server refuses to compare with a text that the column's character set does not have, and
    puts question marks into one that is converted.
    """
    charset = collation.partition("_")[0]

    def bind(value: Value) -> Element:
        text = columns.bind_text(str(value))
        if charset == "utf8mb4":
            return text
        return sa.cast(text, mysql.CHAR(charset=charset)).collate(collation)

    return lambda _, values: column.in_([bind(value) for value in values])


def _precise(column: Element) -> Element:
    """With all the digits that it has, and none of those that FLOAT(7,2) adds to its texts."""
    return column + sa.literal_column("0e0")


def _fixed(column: Element, scale: int) -> SqlColumn:
    """A DOUBLE(10,2), or what is computed of one: the server knows more digits than it shows."""
    shown = _precise(sa.type_coerce(sa.cast(column, sa.Text()), sa.Double()))
    unit = Decimal(1).scaleb(-scale)

    def narrow(comparison: Comparison | Literal["="], values: Sequence[Any]) -> Element:
        found: list[Element] = []
        if comparison in ("=", ">", ">="):
            found.append(column >= columns.bind_double(min(values) - unit))
        if comparison in ("=", "<", "<="):
            found.append(column <= columns.bind_double(max(values) + unit))
        return sa.and_(*found)

    as_text = columns.float_text(sa.cast(shown, sa.Text()))
    return replace(columns.double(column, as_text=as_text), test=shown, narrow=narrow)


def _single(column: Element) -> SqlColumn:
    """A FLOAT, of which the server itself shows six digits where up to nine count."""
    precise = _precise(column)
    places = sa.func.floor(sa.func.log10(sa.func.abs(precise))) + 1
    rounded = [sa.func.round(precise, digits - places) for digits in (7, 8, 9)]
    six = sa.cast(sa.cast(precise, sa.Float()), sa.Text())
    text = sa.case(
        (sa.cast(six, sa.Float()) == column, six),
        *((sa.cast(r, sa.Float()) == column, sa.cast(r, sa.Text())) for r in rounded),
        else_=six,
    )
    return replace(
        columns.single(column, convert=shortest_single),
        read=precise,
        as_text=columns.float_text(text),
    )
