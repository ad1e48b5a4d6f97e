"""How a column of each type of ClickHouse is read and compared.

The server writes the JSON itself, so ``read`` gives what it writes as the portal wants it. All
date-times of ClickHouse are instants, whatever zone their type names; they are shown in the
source's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from clickhouse_connect.cc_sqlalchemy.datatypes import sqltypes

from adapters.base import FieldType, Value
from adapters.sql import columns
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.numbers import between, near_decimal

_PARTS = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
_WRAPPED = ("Nullable", "LowCardinality")
_INTEGER = re.compile(r"(U?)Int(\d+)", re.ASCII)
_SHOWN_WIDTH = 19
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_INT64_MAX = 2**63 - 1
# Digits of a second.
_MICRO, _NANO = 6, 9
_INTERVALS = {0: "toIntervalSecond", _MICRO: "toIntervalMicrosecond", _NANO: "toIntervalNanosecond"}
# Shown as they are written; anything else may hold other values and is shown as JSON.
_PLAIN = re.compile(r"(UUID|IPv[46]|Enum\d*|Time(64)?|Interval\w+|Variant|Dynamic|Nothing)")


def column(name: str, declared: str, zone: ZoneInfo) -> SqlColumn:  # noqa: C901 - a table
    """The column ``name`` of the type that the server calls ``declared``."""
    bare: Element = sa.column(name)
    kind, arguments = _unwrapped(declared)
    if integer := _INTEGER.fullmatch(kind):
        return _integer(bare, kind, int(integer[2]), signed=not integer[1])
    match kind:
        case "Bool":
            # Another type's value is refused, where toUInt8 would make one of it.
            kind = "Nullable(UInt8)" if "Nullable(" in declared else "UInt8"
            return columns.integer(sa.func.accurateCast(bare, sa.literal_column(f"'{kind}'")))
        case "Float32" | "Float64" | "BFloat16":
            return _float(bare, kind)
        case "Decimal":
            precision, scale = (int(number) for number in arguments.split(","))
            return _decimal(bare, precision, scale)
        case "String":
            return columns.text(bare, exact=True)
        case "FixedString":
            return _fixed(bare, int(arguments))
        case "Date" | "Date32":
            return SqlColumn(FieldType.DATE, bare, bare, _day)
        case "DateTime":
            shown = sa.func.toTimeZone(bare, sa.literal(zone.key, sa.Text()))
            return _instant(bare, shown, 0)
        case "DateTime64":
            local = sa.func.toTimeZone(bare, sa.literal(zone.key, sa.Text()))
            shown = sa.func.substring(sa.func.toString(local), 1, _SHOWN_WIDTH)
            return _instant(bare, shown, int(arguments.split(",")[0]))
        case "AggregateFunction":
            return columns.shown_as(sa.func.toString(sa.func.finalizeAggregation(bare)))
    if _PLAIN.fullmatch(kind):
        return columns.shown_as(sa.func.toString(bare))
    return columns.shown_as(sa.func.toJSONString(bare))


_SHOWN_AS = {
    FieldType.INT: re.compile(r"U?Int(8|16|32|64)|Decimal"),
    FieldType.DOUBLE: re.compile(r"U?Int(128|256)|Decimal|Float(32|64)"),
    FieldType.DATE: re.compile(r"Date(32)?"),
    FieldType.DATETIME: re.compile(r"DateTime|String"),
    FieldType.STRING: re.compile(r"String|Nothing"),
}


def fits(published: FieldType, declared: str) -> bool:
    """Whether values of a type, as the server calls it in an answer, are what was published."""
    return _SHOWN_AS[published].fullmatch(_unwrapped(declared)[0]) is not None


def _unwrapped(declared: str) -> tuple[str, str]:
    """The name of a type and what stands in its brackets, without what only wraps it."""
    parts = _PARTS.fullmatch(declared.strip())
    if parts is None:
        return declared, ""
    kind, arguments = parts[1], parts[2] or ""
    if kind in _WRAPPED:
        return _unwrapped(arguments)
    if kind == "SimpleAggregateFunction":
        return _unwrapped(arguments.partition(", ")[2])
    return kind, arguments


def _integer(bare: Element, kind: str, bits: int, *, signed: bool) -> SqlColumn:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    limited = between(low, high)

    def near(value: Decimal) -> Decimal:
        return limited(value).to_integral_value(ROUND_FLOOR)

    def bind(value: Decimal) -> Element:
        return sa.literal(int(value), getattr(sqltypes, kind)())

    published = FieldType.INT if bits <= 64 else FieldType.DOUBLE
    return SqlColumn(published, bare, bare, bind, near=near)


def _decimal(bare: Element, precision: int, scale: int) -> SqlColumn:
    whole = not scale and precision <= columns.INT64_DIGITS

    def bind(value: Decimal) -> Element:
        return sa.literal(value, sa.Numeric(precision, scale))

    published = FieldType.INT if whole else FieldType.DOUBLE
    return SqlColumn(published, bare, bare, bind, near=near_decimal(precision, scale))


def _float(bare: Element, kind: str) -> SqlColumn:
    if kind == "BFloat16":
        bare = sa.func.toFloat32(bare)
    make = columns.double if kind == "Float64" else columns.single
    finite, text = sa.func.isFinite(bare), sa.func.toString(bare)
    return make(bare, shown=finite, as_text=text, signed_zero=True)


def _fixed(bare: Element, width: int) -> SqlColumn:
    """Null characters at the end fill the column up and are not part of the value."""
    shown = columns.shown_as(
        sa.func.replaceRegexpOne(sa.func.toString(bare), sa.literal("\\0+$", sa.Text()), "")
    )

    def narrow(_: Any, values: Sequence[Value]) -> Element:
        fitting = [str(value) for value in values if len(str(value).encode()) <= width]
        return bare.in_([columns.bind_text(value) for value in fitting])

    return replace(shown, narrow=narrow)


def _day(value: date) -> Element:
    """Any day: a constant of a type would be moved into the years that the type knows."""
    days = (value - _EPOCH.date()).days
    return sa.func.toDate32("1970-01-01") + sa.literal(days, sa.BigInteger())


def _instant(bare: Element, shown: Element, scale: int) -> SqlColumn:
    def bind(value: datetime) -> Element:
        """Any instant that a value of this precision can reach."""
        # Nanoseconds end in the middle of a second, within the years that such a column holds.
        digits = _NANO if scale == _NANO else _MICRO if value.microsecond else 0
        most = _INT64_MAX * 10**digits // 10 ** max(scale, digits)
        count = min(max((value - _EPOCH) // _MICROSECOND * 10**digits // 10**_MICRO, -most), most)
        start = sa.func.toDateTime64(sa.literal_column("0"), sa.literal_column(str(scale)), "UTC")
        since: Element = getattr(sa.func, _INTERVALS[digits])(sa.literal(count, sa.BigInteger()))
        return start + since

    return SqlColumn(
        FieldType.DATETIME, shown, bare, bind, as_text=sa.func.toString(shown), zoned=True
    )
