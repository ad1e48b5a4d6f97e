"""Comparing instants with local times, exactly also where clocks are changed.

A stored instant is shown as local time. When clocks go back, an hour is shown twice, and when they
go forward one is never shown; so "shown at or after 02:30" may be two stretches of time. This
module turns such a comparison into comparisons between instants, which an index can serve.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)
# Short enough to see every change of offset: the shortest seasons of history lasted some weeks.
_MOST_RULES_HOLD = timedelta(days=14)


class Stretch(NamedTuple):
    """Instants (UTC, naive) from ``start`` up to, not including, ``end``; None is without end."""

    start: datetime
    end: datetime | None


def shown_from(local: datetime, zone: ZoneInfo) -> list[Stretch]:
    """The instants shown in ``zone`` as ``local`` or later, as one or two stretches."""
    first, second = (_instant(local, zone, fold) for fold in (0, 1))
    if first == second:
        return [Stretch(first, None)]
    change = _change_between(min(first, second), max(first, second), zone)
    if first < second:  # shown twice: until the clocks go back, and again from the second time on
        return [Stretch(first, change), Stretch(second, None)]
    return [Stretch(change, None)]  # never shown: what comes after the clocks went forward


def _instant(local: datetime, zone: ZoneInfo, fold: int) -> datetime:
    """``local`` as UTC, kept within the years that exist."""
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta()
    try:
        return local - offset
    except OverflowError:
        return datetime.max if offset < timedelta() else datetime.min


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()


def _change_between(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the offset changes, to the second."""
    low, high = low.replace(microsecond=0) - _SECOND, high.replace(microsecond=0) + _SECOND
    before = _offset(low, zone)
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def offsets(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[Stretch, timedelta]]:
    """The offset of ``zone`` for each stretch of the instants from ``start`` up to ``end``."""
    found: list[tuple[Stretch, timedelta]] = []
    while start < end:
        offset = _offset(start, zone)
        until = start
        while until < end and _offset(until, zone) == offset:
            until = min(until + _MOST_RULES_HOLD, end)
        if _offset(until, zone) != offset:
            until = _change_between(until - _MOST_RULES_HOLD, until, zone)
        found.append((Stretch(start, until), offset))
        start = until
    return found
