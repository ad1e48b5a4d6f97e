"""Types of SQL Server: how a column of each is read, compared and shown as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from adapters.base import FieldType
from adapters.sql import columns
from adapters.sql.columns import Element, Named, Narrow, SqlColumn
from adapters.sql.localtime import offsets
from adapters.sql.numbers import as_single, near_decimal, shortest_single

# Beyond them a date-time with an offset is never shifted to local time by the server.
_LOCAL = (datetime(1900, 1, 1), datetime(2100, 1, 1))

_DATETIME2 = sa.types.to_instance(mssql.DATETIME2)
_DATETIMEOFFSET = sa.types.to_instance(mssql.DATETIMEOFFSET)
_NVARCHAR = sa.NVARCHAR()


def column_of(column: Element, kind: Named, zone: ZoneInfo) -> SqlColumn:  # noqa: C901 - a table
    """How a column of a type is read and compared; instants are shown in ``zone``."""
    match kind.name:
        case "bit":
            return columns.boolean(column)
        case "tinyint" | "smallint" | "int" | "bigint":
            return columns.integer(column)
        case "decimal" | "numeric":
            return _decimal(column, kind)
        case "money" | "smallmoney":
            exact = sa.cast(column, sa.Numeric(19, 4))
            return columns.number(exact, near=near_decimal(19, 4))
        case "float":
            return _float(columns.double(column, as_text=_float_text(column)))
        case "real":
            as_text = _float_text(column)
            return _float(columns.single(column, as_text=as_text, convert=shortest_single))
        case "date":
            return _moment(FieldType.DATE, column)
        case "datetime" | "datetime2" | "smalldatetime":
            return _moment(FieldType.DATETIME, column)
        case "datetimeoffset":
            return _instant(column, zone)
        case "varchar" | "nvarchar":
            return columns.text(column, narrow=_equal(column))
        case _:
            return columns.shown_as(_text(column, kind.name))


def _instant(column: Element, zone: ZoneInfo) -> SqlColumn:
    utc = sa.cast(sa.func.switchoffset(column, "+00:00"), _DATETIME2)
    found = _moment(FieldType.DATETIME, column)

    def bind(value: datetime) -> Element:
        return sa.cast(_bind(f"{value.isoformat(' ')} +00:00"), _DATETIMEOFFSET)

    def local(text: str | None) -> str | None:
        if text is None:
            return None
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        try:
            return moment.astimezone(zone).isoformat(" ")[:19]
        except OverflowError:
            return None

    # By the server's arithmetic: for LIKE, which nobody is in a hurry for.
    stretches = [(s, int(o.total_seconds())) for s, o in offsets(*_LOCAL, zone)]
    shifted = sa.case(
        *(
            (column < bind(stretch.end), sa.func.dateadd(sa.text("second"), offset, utc))
            for stretch, offset in stretches
            if stretch.end is not None
        )
    )
    read, as_text = _shown(utc, FieldType.DATETIME), _shown(shifted, FieldType.DATETIME)
    return replace(found, read=read, bind=bind, zoned=True, convert=local, as_text=as_text)


def _bind(value: Any) -> Element:
    return sa.literal(str(value), sa.NVARCHAR())


def nvarchar(value: Element) -> Element:
    """A value as a text of any length."""
    return sa.cast(value, _NVARCHAR)


def _equal(column: Element) -> Narrow:
    """What an index finds before texts are compared exactly."""
    return lambda _, values: column.in_([_bind(value) for value in values])


def utf8(text: Element) -> Element:
    """What equality and order by code points are decided on."""
    utf8 = sa.cast(text.collate("Latin1_General_100_BIN2_UTF8"), sa.VARCHAR())
    return sa.cast(utf8, sa.VARBINARY())


def folded(text: Element) -> Element:
    """A text in one letter case."""
    lower = sa.func.lower(nvarchar(text).collate("Latin1_General_100_CI_AS"))
    return lower.collate("Latin1_General_100_BIN2")


def _decimal(column: Element, kind: Named) -> SqlColumn:
    precision, scale = kind.precision or 38, kind.scale or 0
    if columns.is_whole(sa.Numeric(precision, scale)):
        return columns.integer(column)
    return columns.number(column, near=near_decimal(precision, scale))


def _float(column: SqlColumn) -> SqlColumn:
    """Compared with a float that is written as a text: a number would be taken for a decimal."""
    single = column.convert is not None

    def bind(value: Decimal) -> Element:
        number = as_single(float(value)) if single else float(value)
        return sa.cast(_bind(repr(number)), sa.Double())

    return replace(column, bind=bind)


def _float_text(column: Element) -> Element:
    return columns.float_text(sa.func.lower(sa.func.format(column, "R", "en-US")))


def _text(column: Element, kind: str) -> Element:
    """What stands for a value of a type of which a portal has none."""
    match kind:
        case "char" | "nchar":
            # Blanks at the end are not part of the value.
            return sa.func.rtrim(column)
        case "binary" | "varbinary" | "image" | "timestamp" | "rowversion":
            digits = sa.func.convert(sa.text("VARCHAR(MAX)"), _varbinary(column), 2)
            return sa.func.lower(digits)
        case "uniqueidentifier":
            return sa.func.lower(sa.cast(column, sa.NVARCHAR(36)))
        case "geometry" | "geography":
            return column.op(".")(sa.func.STAsText())
        case "hierarchyid" | "sql_variant":
            return sa.cast(column, sa.NVARCHAR(4000))
        case "text" | "ntext" | "xml" | "json" | "vector" | "time":
            return nvarchar(column)
        case _:
            return sa.cast(sa.null(), _NVARCHAR)


def _varbinary(column: Element) -> Element:
    return sa.cast(column, sa.VARBINARY())


def _shown(column: Element, kind: FieldType) -> Element:
    """ISO 8601: style 23 is that of a date, 120 that of a date and time."""
    if kind is FieldType.DATE:
        return sa.func.convert(sa.text("CHAR(10)"), column, 23)
    return sa.func.convert(sa.text("CHAR(19)"), column, 120)


def _moment(kind: FieldType, column: Element) -> SqlColumn:
    stored = sa.DATE() if kind is FieldType.DATE else _DATETIME2

    def bind(value: date) -> Element:
        written = value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
        return sa.cast(_bind(written), stored)

    return SqlColumn(kind, _shown(column, kind), column, bind)
