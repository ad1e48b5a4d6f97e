"""Comparing instants with local times is exact where clocks change: every minute is tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapters.sql.localtime import shown_from

MINUTE = timedelta(minutes=1)

# A zone, and a moment near one of its changes of clocks, in UTC.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1)),
    ("America/New_York", datetime(2026, 3, 8, 7)),
    ("America/New_York", datetime(2026, 11, 1, 6)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15)),  # by half an hour
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30)),
    ("Africa/Casablanca", datetime(2026, 2, 15, 2)),  # back for Ramadan
    ("Africa/Casablanca", datetime(2026, 3, 22, 2)),
    ("Asia/Kathmandu", datetime(1985, 12, 31, 18, 30)),  # a quarter of an hour, once
    ("Pacific/Apia", datetime(2011, 12, 30, 10)),  # a whole day that never was
    ("Europe/Dublin", datetime(2026, 10, 25, 1)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3)),  # at midnight
    ("Europe/Moscow", datetime(2014, 10, 25, 22)),
    ("UTC", datetime(2026, 3, 29, 1)),
]


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def is_in(instant: datetime, local: datetime, zone: ZoneInfo) -> bool:
    return any(
        start <= instant and (end is None or instant < end)
        for start, end in shown_from(local, zone)
    )


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=str)
@pytest.mark.parametrize("second", [0, 1, 59])
def test_exactly_the_instants_shown_at_or_after_a_local_time(
    name: str, change: datetime, second: int
) -> None:
    zone = ZoneInfo(name)
    reach = 120 if name != "Pacific/Apia" else 26 * 60
    step = 7 if name != "Pacific/Apia" else 97
    instants = [change + i * MINUTE for i in range(-reach, reach, step)]
    instants += [change + timedelta(seconds=i) for i in (-1, 0, 1)]
    instants += [change + timedelta(microseconds=i) for i in (-1, 1)]
    locals_ = {shown(i, zone) for i in instants}
    locals_ |= {shown(change, zone) + i * MINUTE for i in range(-reach, reach, step)}
    for local in (one.replace(second=second) for one in locals_):
        for instant in instants:
            assert is_in(instant, local, zone) == (shown(instant, zone) >= local), (local, instant)


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
def test_the_first_and_last_local_times_have_an_answer(name: str) -> None:
    zone = ZoneInfo(name)
    middle = datetime(2026, 6, 1)
    assert is_in(middle, datetime.min, zone)
    assert not is_in(middle, datetime.max, zone)


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=str)
def test_the_changes_above_are_real(name: str, change: datetime) -> None:
    zone = ZoneInfo(name)
    second = timedelta(seconds=1)
    assert (shown(change, zone) - shown(change - second, zone) != second) == (name != "UTC")
