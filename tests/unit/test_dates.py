"""Dates of every site format are read as the portal means them, and nothing else is read."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wire.dates import DateOrder, parse_datetime

BERLIN = ZoneInfo("Europe/Berlin")
MDY, DMY = DateOrder.MDY, DateOrder.DMY
FORMATS = [
    ("%d.%m.%Y", DMY),
    ("%d.%m.%Y %H:%M", MDY),
    ("%d.%m.%Y %H:%M:%S", MDY),
    ("%m/%d/%Y", MDY),
    ("%m/%d/%Y %I:%M %p", DMY),
    ("%m/%d/%Y %I:%M:%S %p", MDY),
    ("%m/%d/%Y %I:%M:%S%p", DMY),
    ("%d/%m/%Y", DMY),
    ("%d/%m/%Y %H:%M", DMY),
    ("%d/%m/%Y %H:%M:%S", DMY),
    ("%Y-%m-%d", MDY),
    ("%Y-%m-%d %H:%M", DMY),
    ("%Y-%m-%d %H:%M:%S", MDY),
    ("%Y-%m-%dT%H:%M", DMY),
    ("%Y-%m-%dT%H:%M:%S", MDY),
    ("%Y-%m-%dT%H:%M:%S.%f", DMY),
]


def read(text: str, order: DateOrder = MDY, zone: ZoneInfo = BERLIN) -> str:
    return parse_datetime(text, order, zone).isoformat(" ")


@pytest.mark.parametrize(("pattern", "order"), FORMATS)
@given(moment=st.datetimes(min_value=datetime(1000, 1, 1)))
def test_every_site_format_round_trips(pattern: str, order: DateOrder, moment: datetime) -> None:
    text = moment.strftime(pattern)
    assert parse_datetime(text, order, BERLIN) == datetime.strptime(text, pattern)
    assert parse_datetime(f" {text.lower()} ", order, BERLIN) == datetime.strptime(text, pattern)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("03/04/2026", MDY, "2026-03-04 00:00:00"),
        ("03/04/2026", DMY, "2026-04-03 00:00:00"),
        ("3/4/2026", DMY, "2026-04-03 00:00:00"),
        ("13/04/2026", MDY, "2026-04-13 00:00:00"),
        ("04/13/2026", DMY, "2026-04-13 00:00:00"),
        ("03/04/2026 10:00", DMY, "2026-04-03 10:00:00"),
        ("03/04/2026 10:00 am", DMY, "2026-03-04 10:00:00"),
        ("03.04.2026", MDY, "2026-04-03 00:00:00"),
    ],
)
def test_slashes_are_decided_by_am_then_by_the_parts_then_by_the_source(
    text: str, order: DateOrder, expected: str
) -> None:
    assert read(text, order) == expected


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("12:00:00 am", "00:00:00"),
        ("12:59 am", "00:59:00"),
        ("01:00 am", "01:00:00"),
        ("11:59:59 AM", "11:59:59"),
        ("12:00 pm", "12:00:00"),
        ("12:59:59 pm", "12:59:59"),
        ("1:00pm", "13:00:00"),
        ("11:59:59 pm", "23:59:59"),
    ],
)
def test_the_hour_of_twelve_belongs_to_its_half_of_the_day(text: str, hour: str) -> None:
    assert read(f"09/01/2026 {text}") == f"2026-09-01 {hour}"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-07-01T12:00:00Z", "Europe/Berlin", "2026-07-01 14:00:00"),
        ("2026-01-01T12:00:00z", "Europe/Berlin", "2026-01-01 13:00:00"),
        ("2026-07-01T12:00:00+02:00", "Europe/Berlin", "2026-07-01 12:00:00"),
        ("2026-07-01T12:00:00+0530", "UTC", "2026-07-01 06:30:00"),
        ("2026-07-01T12:00:00-03", "UTC", "2026-07-01 15:00:00"),
        ("2026-07-01 12:00:00 +02:00", "UTC", "2026-07-01 10:00:00"),
        ("2026-12-31T23:30:00-01:00", "Asia/Kathmandu", "2027-01-01 06:15:00"),
        # Clocks go forward at 01:00 UTC on the 29th of March, and back on the 25th of October.
        ("2026-03-29T00:59:59Z", "Europe/Berlin", "2026-03-29 01:59:59"),
        ("2026-03-29T01:00:00Z", "Europe/Berlin", "2026-03-29 03:00:00"),
        ("2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-25 02:30:00"),
        ("2026-10-25T01:30:00Z", "Europe/Berlin", "2026-10-25 02:30:00"),
    ],
)
def test_an_offset_makes_an_instant_that_is_shown_in_the_zone_of_the_source(
    text: str, zone: str, expected: str
) -> None:
    assert read(text, zone=ZoneInfo(zone)) == expected


def test_without_an_offset_local_time_stays_as_written_even_if_no_clock_shows_it() -> None:
    assert read("29.03.2026 02:30:00") == "2026-03-29 02:30:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-09-01T10:00:00.5", "2026-09-01 10:00:00.500000"),
        ("2026-09-01 10:00:00,25", "2026-09-01 10:00:00.250000"),
        ("2026-09-01T10:00:00.123456789", "2026-09-01 10:00:00.123456"),
        ("2026-09-01T10:00:00.000", "2026-09-01 10:00:00"),
        ("2026-09-01T10:00:00.999999Z", "2026-09-01 12:00:00.999999"),
    ],
)
def test_fractions_are_kept_to_the_microsecond(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("29.02.2024", "2024-02-29 00:00:00"),
        ("02/29/2000", "2000-02-29 00:00:00"),
        ("01.01.0001", "0001-01-01 00:00:00"),
        ("31.12.9999 23:59:59", "9999-12-31 23:59:59"),
    ],
)
def test_rare_days_are_real_days(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "today",
        "0",
        "1756684800",
        "2026",
        "2026-09",
        "09.2026",
        "01.09.26",
        "1.9",
        "29.02.2026",
        "31.04.2026",
        "2026-02-30",
        "32.01.2026",
        "00.01.2026",
        "01.00.2026",
        "13/13/2026",
        "01.13.2026",
        "2026-13-01",
        "01.01.0000",
        "13/04/2026 01:00 pm",
        "01.09.2026 24:00",
        "01.09.2026 10:60",
        "01.09.2026 10:00:60",
        "01.09.2026 10",
        "01.09.2026 0:30 am",
        "01.09.2026 13:00 pm",
        "01.09.2026 am",
        "01.09.2026 10:00 xm",
        "01-09-2026",
        "2026/09/01",
        "2026.09.01",
        "01.09/2026",
        "1 September 2026",
        "20260901",
        "2026-09-01T",
        "2026-09-01T10",
        "2026-09-01+02:00",
        "2026-09-01T10:00:00+25:00",
        "2026-09-01T10:00:00+2",
        "2026-09-01T10:00:00.",
        "2026-09-01T10:00:00 Europe/Berlin",
        "01.09.2026\n10:00",
        "01.09.2026, 10:00",
        "٠١.٠٩.٢٠٢٦",
        "-2026-09-01",
        "2026-W36-2",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "01.09.2026 10:00 ; DROP",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_datetime(text, MDY, BERLIN)


@given(st.text() | st.from_regex(r"[0-9./T: -]{6,20}", fullmatch=True))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        moment = parse_datetime(text, DMY, BERLIN)
    except ValueError:
        return
    assert moment.tzinfo is None
