"""How each type of DuckDB is read, compared, and written as JSON by DuckDB itself."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adapters.base import FieldType
from adapters.sql import columns
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.numbers import UINT64_MAX, between, near_decimal

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
# The first and the last that a number of nanoseconds can stand for.
_NANOSECONDS = ("1677-09-22 00:00:00", "2262-04-11 23:47:16.854775806")
# Smaller floats of 32 bits have fewer than six digits that always come back the same.
_MIN_NORMAL = 1.1754943508222875e-38


@dataclass(eq=False)
class Native(TypeEngine[Any]):
    """A type by the name that DuckDB gives it: ``DECIMAL(12,2)``, ``STRUCT(a INTEGER)``."""

    name: str


@functools.lru_cache(10_000)
def column_of(name: str, kind: str) -> SqlColumn:
    """How a column of the type called ``kind`` is read and compared.

    Remembered, since a file is described before every query of it.
    """
    return replace(_column(sa.column(name), kind), declared=kind)


def _column(column: Element, kind: str) -> SqlColumn:
    if decimal := _DECIMAL.fullmatch(kind):
        precision, scale = int(decimal[1]), int(decimal[2])
        if precision <= columns.INT64_DIGITS and not scale:
            return columns.integer(column)
        near = near_decimal(precision, scale)
        number = columns.number(column, near=near)
        if precision == scale:  # of which DuckDB writes .5, and JSON 0.5
            point: Element = sa.literal_column("'.'")
            zero: Element = sa.literal_column("'0.'")
            number = replace(number, as_text=sa.func.replace(_text(column), point, zero))
        # With another scale both sides would become floating-point numbers.
        return replace(number, bind=lambda value: _cast(columns.bind_decimal(near(value)), kind))
    known = _KINDS.get(kind)
    if known is not None:
        return known(column)
    if kind.endswith("]") or kind.startswith(("STRUCT(", "MAP(", "UNION(", "TUPLE(")):
        return columns.shown_as(_text(sa.func.to_json(column)))
    return columns.shown_as(_text(column))


def json_of(column: SqlColumn) -> Element:
    """The JSON that :mod:`adapters.encode` makes of the column, but for ``001F`` in capitals."""
    match column.type:
        case FieldType.INT:
            json = _text(column.read)
        case FieldType.DOUBLE:
            json = _text(column.read) if column.as_text is None else column.as_text
            json = json if column.shown is None else sa.case((column.shown, json))
        case FieldType.STRING | FieldType.DATE | FieldType.DATETIME:
            json = _text(sa.func.to_json(column.read))
    return sa.func.coalesce(json, sa.literal_column("'null'"))


def _text(value: Element) -> Element:
    return sa.cast(value, sa.Text())


def _cast(value: Element, kind: str) -> Element:
    return sa.cast(value, _Named(kind))


class _Named(sa.types.UserDefinedType[Any]):
    """A type in a CAST."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


def _wide(kind: str, low: int, high: int) -> Callable[[Element], SqlColumn]:
    """Whole numbers of 128 bits: more than a portal's ``int`` holds, none of their digits lost."""
    clamp = between(low, high)

    def near(value: Decimal) -> Decimal:
        return clamp(value.to_integral_value(ROUND_FLOOR))

    def made(column: Element) -> SqlColumn:
        return SqlColumn(
            FieldType.DOUBLE,
            column,
            column,
            lambda value: _cast(columns.bind_integer(value), kind),
            convert=lambda value: None if value is None else Decimal(value),
            near=near,
        )

    return made


def _double(column: Element) -> SqlColumn:
    finite = sa.func.isfinite(column)
    read = sa.case((finite, column))
    found = columns.double(column, shown=finite, as_text=_digits(column))
    return replace(found, read=read)


def _single(column: Element) -> SqlColumn:
    """DuckDB does not always write the shortest number that stands for a FLOAT."""
    precise = _cast(column, "DOUBLE")
    tries = [sa.func.printf(sa.literal_column(f"'%.{n}g'"), precise) for n in (6, 7, 8, 9)]
    shortest = sa.case(
        (column == sa.literal_column("0"), precise),
        (
            sa.func.abs(precise) < sa.literal_column(repr(_MIN_NORMAL)),
            _cast(_text(column), "DOUBLE"),
        ),
        *((_cast(text, "FLOAT") == column, _cast(text, "DOUBLE")) for text in tries[:-1]),
        else_=_cast(tries[-1], "DOUBLE"),
    )
    finite = sa.func.isfinite(column)
    read = sa.case((finite, shortest))
    return replace(columns.single(column, shown=finite, as_text=_digits(read)), read=read)


def _digits(number: Element) -> Element:
    """A finite DOUBLE as JSON writes it.

    DuckDB's own JSON does so but for the large and very small, and four times as fast as its texts,
    which are wrong of a few of the very large: of 2 to the power of 81, 91 and 807.
    """
    size = sa.func.abs(number)
    usual = size.between(sa.literal_column("1e-5"), sa.literal_column("9999999999999998.0"))
    text, json = _text(number), _text(sa.func.to_json(number))
    with_sign = sa.func.replace(json, sa.literal_column("'e'"), sa.literal_column("'e+'"))
    return sa.case(
        (sa.or_(usual, number == sa.literal_column("0")), json),
        (size >= sa.literal_column("1e21"), with_sign),
        (size > sa.literal_column("1"), text),
        else_=sa.func.replace(text, sa.literal_column("'e-0'"), sa.literal_column("'e-'")),
    )


def _date(column: Element) -> SqlColumn:
    first: Element = sa.literal_column("DATE '0001-01-01'")
    last: Element = sa.literal_column("DATE '9999-12-31'")
    known = column.between(first, last)

    def bind(value: date) -> Element:
        return sa.literal(value, sa.Date())

    return SqlColumn(FieldType.DATE, sa.case((known, _text(column))), column, bind, shown=known)


def _moment(column: Element, *, zoned: bool) -> SqlColumn:
    """Sessions are in the source's time zone, so DuckDB itself shows instants as local time."""
    kind = "TIMESTAMPTZ" if zoned else "TIMESTAMP"
    known = column.between(
        sa.literal_column(f"{kind} '0001-01-01 00:00:00'"),
        sa.literal_column(f"{kind} '9999-12-31 23:59:59.999999'"),
    )
    local = _cast(column, "TIMESTAMP") if zoned else column
    second = sa.func.date_trunc(sa.literal_column("'second'"), local)
    read = sa.case((known, _text(second)))

    def bind(value: datetime) -> Element:
        moment = value.replace(tzinfo=UTC) if zoned else value
        return sa.literal(moment, sa.DateTime(timezone=zoned))

    return SqlColumn(FieldType.DATETIME, read, column, bind, shown=known, zoned=zoned)


def _fine(column: Element, *, zoned: bool) -> SqlColumn:
    """Nanoseconds since 1970 in 64 bits; a date-time that has no such number is an error."""
    kind, utc = ("TIMESTAMPTZ_NS", "+00") if zoned else ("TIMESTAMP_NS", "")
    first, last = _NANOSECONDS
    bounds: list[Element] = [sa.literal_column(f"{kind} '{each}{utc}'") for each in _NANOSECONDS]
    known = column.between(bounds[0], bounds[1])

    def bind(value: datetime) -> Element:
        near = min(max(first, str(value)), last)
        return _cast(sa.literal(near + utc, sa.Text()), kind)

    read = sa.case((known, sa.func.left(_text(column), sa.literal_column("19"))))
    return SqlColumn(FieldType.DATETIME, read, column, bind, shown=known, zoned=zoned)


def _local(column: Element) -> SqlColumn:
    return _moment(column, zoned=False)


def _instant(column: Element) -> SqlColumn:
    return _moment(column, zoned=True)


_KINDS: dict[str, Callable[[Element], SqlColumn]] = {
    "BOOLEAN": columns.boolean,
    **dict.fromkeys(
        ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"],
        columns.integer,
    ),
    "UBIGINT": lambda column: columns.integer(column, UINT64_MAX),
    "HUGEINT": _wide("HUGEINT", -(2**127), 2**127 - 1),
    "UHUGEINT": _wide("UHUGEINT", 0, 2**128 - 1),
    "FLOAT": _single,
    "DOUBLE": _double,
    "VARCHAR": columns.text,
    "DATE": _date,
    "TIMESTAMP": _local,
    "TIMESTAMP_S": lambda column: _local(_cast(column, "TIMESTAMP")),
    "TIMESTAMP_MS": lambda column: _local(_cast(column, "TIMESTAMP")),
    "TIMESTAMP_NS": lambda column: _fine(column, zoned=False),
    "TIMESTAMP WITH TIME ZONE": _instant,
    "TIMESTAMPTZ_NS": lambda column: _fine(column, zoned=True),
    "BLOB": lambda column: columns.shown_as(sa.func.lower(sa.func.hex(column))),
}
