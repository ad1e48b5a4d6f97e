"""Dates and times of MySQL.

The zero date, dates with a zero in them and the year 0 read as null. Sessions are in UTC, and
instants become local time here, since a server knows named time zones only where somebody has
loaded their tables.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from adapters.base import FieldType
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.localtime import offsets

_FIRST = "0001-01-01"
_WIDTHS = {FieldType.DATE: 10, FieldType.DATETIME: 19}
# Beyond what TIMESTAMP can hold on any server.
_TIMESTAMPS = (datetime(1969, 12, 31), datetime(2107, 1, 1))


def moment(kind: FieldType, column: Element) -> SqlColumn:
    """A DATE or a DATETIME."""
    first = sa.literal(_FIRST, sa.String())
    real = sa.and_(column >= first, sa.func.month(column) > 0, sa.func.day(column) > 0)
    read = sa.case((real, _text(column, kind)))
    return SqlColumn(kind, read, column, _bind, shown=real)


def instant(column: Element, zone: ZoneInfo) -> SqlColumn:
    """A TIMESTAMP."""
    found = moment(FieldType.DATETIME, column)
    return replace(
        found,
        zoned=True,
        convert=lambda text: _local(text, zone),
        as_text=_text(_shifted(column, zone), FieldType.DATETIME),
    )


def _shifted(column: Element, zone: ZoneInfo) -> Element:
    """Local time by the server's arithmetic: for LIKE, which nobody is in a hurry for."""
    stretches = offsets(*_TIMESTAMPS, zone)
    return sa.case(
        *(
            (column < _bind(stretch.end), sa.func.timestampadd(sa.text("SECOND"), offset, column))
            for stretch, offset in ((s, int(o.total_seconds())) for s, o in stretches)
            if stretch.end is not None
        )
    )


def _text(column: Element, kind: FieldType) -> Element:
    return sa.func.left(sa.cast(column, sa.Text()), _WIDTHS[kind])


def _bind(value: date) -> Element:
    return sa.literal(str(value), sa.String())


def _local(text: str | None, zone: ZoneInfo) -> str | None:
    if text is None:
        return None
    local = datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(zone)
    return local.strftime("%Y-%m-%d %H:%M:%S")
