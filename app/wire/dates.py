"""Dates and times as portals write them, without a time zone (Bitrix24: site formats).

``d.m.Y[ H:i[:s]]``, ``m/d/Y[ h:i[:s] am|pm]``, ``d/m/Y[ H:i[:s]]``, ``Y-m-d[ H:i[:s]]``, and
ISO 8601 with ``T``, fraction or offset.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class DateOrder(StrEnum):
    """How a date with slashes is read when nothing in it decides."""

    MDY = "mdy"
    DMY = "dmy"


_PATTERN = re.compile(
    r"""
    (?: (?P<d>\d{1,2}) \. (?P<m>\d{1,2}) \. (?P<y>\d{4})
      | (?P<first>\d{1,2}) / (?P<second>\d{1,2}) / (?P<year>\d{4})
      | (?P<iso_y>\d{4}) - (?P<iso_m>\d{1,2}) - (?P<iso_d>\d{1,2})
    )
    (?: (?P<t>[T\ ]\ *) (?P<hour>\d{1,2}) : (?P<minute>\d{2})
        (?: : (?P<second_of>\d{2}) (?: [.,] (?P<fraction>\d{1,9}) )? )?
        (?: \ ? (?P<half>[ap]m) )?
        (?: \ ? (?P<offset>Z | [+-]\d{2}(?: :?\d{2})?) )?
    )?
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)


def parse_datetime(text: str, order: DateOrder, zone: ZoneInfo) -> datetime:
    """``text`` as a naive local time in ``zone``; a date alone is its midnight.

    An offset in the text makes it an instant, which is turned into local time. Raises ValueError.
    """
    found = _PATTERN.fullmatch(text.strip())
    if not found:
        raise ValueError("not a date in any known format")
    part = found.groupdict()
    year, month, day = _date(part, order)
    hour = int(part["hour"] or 0)
    if part["half"]:
        hour = _hour_of_day(hour, part["half"].lower())
    fraction = (part["fraction"] or "")[:6].ljust(6, "0")
    moment = datetime(
        year, month, day, hour, int(part["minute"] or 0), int(part["second_of"] or 0), int(fraction)
    )
    if part["offset"]:
        return _localized(moment, part["offset"], zone)
    return moment


def _date(part: dict[str, str | None], order: DateOrder) -> tuple[int, int, int]:
    if part["y"]:
        return int(part["y"]), int(part["m"] or 0), int(part["d"] or 0)
    if part["iso_y"]:
        return int(part["iso_y"]), int(part["iso_m"] or 0), int(part["iso_d"] or 0)
    first, second = int(part["first"] or 0), int(part["second"] or 0)
    year = int(part["year"] or 0)
    month_first = order is DateOrder.MDY
    if part["half"] or second > 12:
        month_first = True
    elif first > 12:
        month_first = False
    return (year, first, second) if month_first else (year, second, first)


def _hour_of_day(hour: int, half: str) -> int:
    if not 1 <= hour <= 12:
        raise ValueError("an hour with am or pm lies between 1 and 12")
    return hour % 12 + (12 if half == "pm" else 0)


def _localized(moment: datetime, offset: str, zone: ZoneInfo) -> datetime:
    sign_and_hours = offset.upper()
    if sign_and_hours == "Z":
        sign_and_hours = "+00"
    aware = datetime.fromisoformat(f"{moment.isoformat()}{sign_and_hours}")
    try:
        return aware.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("a moment outside the years 1 to 9999") from None
