"""Types of Trino: how a column of each is read, compared and shown as text."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from trino.sqlalchemy.datatype import TIMESTAMP, aware_split

from adapters.base import FieldType
from adapters.sql import columns
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.numbers import near_decimal

_TYPE = re.compile(r"(\w+)\s*(?:\((.*)\))?\s*(.*)", re.DOTALL)
_FIELD_NAME = re.compile(r'("(?:[^"]|"")*"|\S+)\s+')
_JSON_KEYS = frozenset(
    "boolean tinyint smallint integer bigint real double decimal varchar".split()
)
_JSON_VALUES = _JSON_KEYS | {"json", "date", "timestamp"}


def column_of(column: Element, kind: str, zone: str) -> SqlColumn:
    """How a column of the type called ``kind`` is read and compared; instants in ``zone``."""
    word, arguments, rest = _parts(kind)
    match word:
        case "boolean":
            return columns.boolean(column)
        case "tinyint" | "smallint" | "integer" | "bigint":
            return columns.integer(column)
        case "real" | "double":
            make = columns.single if word == "real" else columns.double
            digits = sa.func.json_format(sa.cast(column, sa.JSON()))
            return make(column, shown=sa.func.is_finite(column), as_text=digits)
        case "decimal":
            return _decimal(column, *map(int, arguments.split(",")))
        case "date":
            return _moment(FieldType.DATE, column)
        case "timestamp" if rest:
            local = sa.func.at_timezone(column, zone)
            return _moment(FieldType.DATETIME, column, shown=local, zone=zone)
        case "timestamp":
            return _moment(FieldType.DATETIME, column)
        case "varchar":
            return columns.text(column, exact=True)
        case _:
            return columns.shown_as(_text(column, kind))


def _parts(kind: str) -> tuple[str, str, str]:
    """``decimal(12,2)`` as its word, its arguments and what follows them."""
    found = _TYPE.fullmatch(kind.strip())
    return (found[1].lower(), found[2] or "", found[3]) if found else ("", "", "")


def _decimal(column: Element, precision: int, scale: int = 0) -> SqlColumn:
    if columns.is_whole(sa.Numeric(precision, scale)):
        return columns.integer(column)
    return columns.number(column, near=near_decimal(precision, scale))


def _text(column: Element, kind: str) -> Element:
    """What stands for a value of a type of which a portal has none."""
    match _parts(kind)[0]:
        case "char":
            # Blanks at the end of char(n) are not part of the value.
            blanks: Element = sa.literal_column("TRAILING ' ' FROM")
            return sa.func.trim(blanks.op("")(sa.cast(column, sa.Text())))
        case "varbinary":
            return sa.func.lower(sa.func.to_hex(column))
        case "json":
            return sa.func.json_format(column)
        case "geometry":
            return sa.func.ST_AsText(column)
        case "uuid" | "ipaddress" | "time" | "interval":
            return sa.cast(column, sa.Text())
        case "array" | "map" | "row" if _fits_json(kind):
            return sa.func.json_format(sa.cast(column, sa.JSON()))
        case _:
            return sa.cast(sa.null(), sa.Text())


def _fits_json(kind: str) -> bool:
    """Whether the server can make JSON of a type."""
    word, arguments, rest = _parts(kind)
    match word:
        case "array":
            return _fits_json(arguments)
        case "map":
            key, value = aware_split(arguments)
            return _parts(key)[0] in _JSON_KEYS and _fits_json(value)
        case "row" if not rest:
            fields = [field.strip() for field in aware_split(arguments)]
            return all(_fits_json(f) or _fits_json(_FIELD_NAME.sub("", f, 1)) for f in fields)
        case _:
            return word in _JSON_VALUES and not rest


def _moment(
    kind: FieldType, column: Element, shown: Element | None = None, zone: str | None = None
) -> SqlColumn:
    """A date, a timestamp or an instant, of which ``shown`` is the local time in ``zone``."""
    word, width = ("DATE", 10) if kind is FieldType.DATE else ("TIMESTAMP", 19)
    first, last = "0001-01-01", "9999-12-31"
    if kind is FieldType.DATETIME:
        first, last = f"{first} 00:00:00", f"{last} 23:59:59.999999"
    zoned = f" {zone}" if zone else ""
    start: Element = sa.literal_column(f"{word} '{first}{zoned}'")
    end: Element = sa.literal_column(f"{word} '{last}{zoned}'")
    known = column.between(start, end)
    text = sa.func.substr(sa.cast(column if shown is None else shown, sa.Text()), 1, width)
    stored: Any = TIMESTAMP  # of the dialect, which is not typed
    stored = sa.Date() if kind is FieldType.DATE else stored(6, timezone=zone is not None)

    def bind(value: date) -> Element:
        written = value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
        return sa.cast(sa.literal(written + (" UTC" if zone else ""), sa.Text()), stored)

    return SqlColumn(kind, sa.case((known, text)), column, bind, shown=known, zoned=bool(zone))
