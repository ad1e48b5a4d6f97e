"""Types of Oracle: how a column of each is read, compared and shown as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import oracle

from adapters.base import FieldType
from adapters.sql import columns
from adapters.sql.columns import Element, Named, Narrow, SqlColumn
from adapters.sql.numbers import MAX_DOUBLE, MAX_SINGLE, as_single, near_decimal, shortest_single

_SECONDS = "YYYY-MM-DD HH24:MI:SS"


def column_of(name: str, kind: Named) -> SqlColumn:  # noqa: C901 - a table
    """How a column of a type is read and compared."""
    column: Element = sa.column(name)
    match kind.name:
        case "number":
            return _number(column, kind)
        case "float":
            return columns.number(column, convert=_as_decimal, as_text=_number_text(column))
        case "binary_double":
            return _float(columns.double(column, shown=_finite(column, MAX_DOUBLE)))
        case "binary_float":
            finite = _finite(column, MAX_SINGLE)
            return _float(columns.single(column, shown=finite, convert=shortest_single))
        case "boolean":
            return columns.integer(sa.case((column, 1), (sa.not_(column), 0)))
        case "date":
            # A timestamp that it is compared with keeps an index from being used.
            return replace(_moment(column, column, zoned=False), bind=_date)
        case "timestamp":
            return _moment(column, column, zoned=False)
        case "timestamp with time zone" | "timestamp with local time zone":
            # Such a value is shown in the time zone of the session.
            local = sa.cast(column, oracle.TIMESTAMP(local_timezone=True))
            return _moment(column, local, zoned=True)
        case "varchar2" | "nvarchar2" | "varchar":
            return replace(_text(column), narrow=_equal(column))
        case "char" | "nchar":
            # Blanks at the end are not part of the value.
            return _text(sa.func.rtrim(column))
        case "clob" | "nclob":
            return _text(sa.column(name, sa.CLOB()))
        case "blob":
            blob: Element = sa.column(name, sa.LargeBinary())
            return replace(_text(blob), convert=_digits)
        case _:
            return _text(_shown(column, kind.name))


def exact(text: Element) -> Element:
    """What equality and order by code points are decided on.

    The database refuses to compare a CLOB or BLOB that is too long.
    """
    plain = sa.func.to_char(text) if isinstance(text.type, sa.CLOB) else _hex(text)
    return plain.op("COLLATE")(sa.literal_column("BINARY"))


def folded(text: Element) -> Element:
    """A text in one letter case."""
    return sa.func.lower(_hex(text))


def _hex(text: Element) -> Element:
    binary = isinstance(text.type, sa.LargeBinary)
    return sa.func.lower(sa.func.rawtohex(text)) if binary else text


def _digits(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _bind(value: Any) -> Element:
    return sa.literal(str(value), sa.String())


def _equal(column: Element) -> Narrow:
    """What an index finds before texts are compared exactly."""
    return lambda _, values: column.in_([_bind(value) for value in values])


def _text(column: Element) -> SqlColumn:
    return SqlColumn(FieldType.STRING, column, column, _bind)


def _shown(column: Element, kind: str) -> Element:
    """What stands for a value of a type of which a portal has none."""
    match kind:
        case "raw" | "long raw":
            return sa.func.lower(sa.func.rawtohex(column))
        case "rowid" | "urowid" | "interval day to second" | "interval year to month":
            return sa.func.to_char(column)
        case "json":
            return sa.func.json_serialize(_as_clob(column), type_=sa.CLOB())
        case "xmltype":
            return sa.func.xmlserialize(
                sa.literal_column("CONTENT").op("")(column), type_=sa.CLOB()
            )
        case "sdo_geometry":
            return sa.func.sdo_util.to_wktgeometry(column, type_=sa.CLOB())
        case "vector":
            return sa.func.from_vector(_as_clob(column), type_=sa.CLOB())
        case _:
            return sa.func.to_char(sa.null())


def _number(column: Element, kind: Named) -> SqlColumn:
    text = _number_text(column)
    precision, scale = kind.precision, kind.scale
    if precision and columns.is_whole(sa.Numeric(precision, scale or 0)):
        return columns.integer(column)
    if precision and scale is not None and 0 <= scale <= precision:
        near = near_decimal(precision, scale)
        return columns.number(column, convert=_as_decimal, as_text=text, near=near)
    return columns.number(column, convert=_as_decimal, as_text=text)


def _number_text(column: Element) -> Element:
    """Oracle writes a half as ``.5``."""
    return sa.func.regexp_replace(sa.func.to_char(column, "TM9"), r"^(-?)\.", r"\10.")


def _as_decimal(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _float(column: SqlColumn) -> SqlColumn:
    single = column.convert is not None

    def bind(value: Decimal) -> Element:
        number = as_single(float(value)) if single else float(value)
        return sa.func.to_binary_double(_bind(repr(number)))

    return replace(column, bind=bind, as_text=sa.func.lower(sa.func.to_char(column.read)))


def _finite(column: Element, limit: float) -> Element:
    low, high = (sa.func.to_binary_double(_bind(repr(end))) for end in (-limit, limit))
    return column.between(low, high)


def _moment(column: Element, local: Element, *, zoned: bool) -> SqlColumn:
    """A date, which has a time in Oracle, a timestamp or an instant, ``local`` in the session."""
    known = column >= sa.literal_column("DATE '0001-01-01'")

    def bind(value: date) -> Element:
        written = value.isoformat(" ", "microseconds") if isinstance(value, datetime) else value
        if zoned:
            return sa.func.to_timestamp_tz(_bind(f"{written} +00:00"), f"{_SECONDS}.FF6 TZH:TZM")
        return sa.func.to_timestamp(_bind(written), f"{_SECONDS}.FF6")

    shown = sa.case((known, sa.func.to_char(local, _SECONDS)))
    return SqlColumn(FieldType.DATETIME, shown, column, bind, shown=known, zoned=zoned)


def _date(value: datetime) -> Element:
    if value.microsecond:
        return sa.func.to_timestamp(_bind(value.isoformat(" ")), f"{_SECONDS}.FF6")
    return sa.func.to_date(_bind(value.isoformat(" ")), _SECONDS)


def _as_clob(column: Element) -> Element:
    return column.op("RETURNING")(sa.literal_column("CLOB"))
