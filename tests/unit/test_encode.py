"""Rows become the JSON that a portal reads, digit for digit, or the answer fails."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Field, FieldType
from adapters.encode import encode_clean, encode_rows
from adapters.errors import QueryFailed

BERLIN = ZoneInfo("Europe/Berlin")
INT, DOUBLE, STRING, DATE, DATETIME = (
    FieldType.INT,
    FieldType.DOUBLE,
    FieldType.STRING,
    FieldType.DATE,
    FieldType.DATETIME,
)


def encoded(kind: FieldType, *values: Any) -> str:
    return encode_rows([Field("f", kind)], [[value] for value in values], BERLIN).decode()


@pytest.mark.parametrize("kind", FieldType)
def test_null_is_null_in_every_type(kind: FieldType) -> None:
    assert encoded(kind, None) == "[null]"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (INT, 7, "7"),
        (INT, True, "1"),
        (INT, False, "0"),
        (INT, 7.0, "7"),
        (INT, Decimal("7.00"), "7"),
        (INT, 2**64 - 1, "18446744073709551615"),
        (INT, -(2**63), "-9223372036854775808"),
        (INT, 10**40, "1" + "0" * 40),
        (INT, float("nan"), "null"),
        (INT, float("-inf"), "null"),
        (INT, Decimal("NaN"), "null"),
        (DOUBLE, 1, "1"),
        (DOUBLE, True, "1"),
        (DOUBLE, 0.1, "0.1"),
        (DOUBLE, 10**40, "1" + "0" * 40),
        (DOUBLE, float("nan"), "null"),
        (DOUBLE, float("inf"), "null"),
        (DOUBLE, float("-inf"), "null"),
        (DOUBLE, Decimal("NaN"), "null"),
        (DOUBLE, Decimal("-Infinity"), "null"),
        (DOUBLE, Decimal("12345678901234567890.1234567890"), "12345678901234567890.1234567890"),
        (DATE, date(1, 1, 1), '"0001-01-01"'),
        (DATE, date(9999, 12, 31), '"9999-12-31"'),
        (DATE, datetime(2026, 9, 1, 23, 59), '"2026-09-01"'),
        (DATE, datetime(2026, 9, 1, 23, 59, tzinfo=UTC), '"2026-09-02"'),
        (DATE, "2026-09-01", '"2026-09-01"'),
        (DATETIME, "2026-09-01 10:00:00", '"2026-09-01 10:00:00"'),
        (DATETIME, datetime(1, 1, 1), '"0001-01-01 00:00:00"'),
        (DATETIME, datetime(2026, 9, 1, 23, 59, 59, 999_999), '"2026-09-01 23:59:59"'),
        (DATETIME, date(2026, 9, 1), '"2026-09-01 00:00:00"'),
        (DATETIME, datetime(2026, 7, 1, 12, tzinfo=UTC), '"2026-07-01 14:00:00"'),
        (DATETIME, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), '"2026-10-25 02:30:00"'),
        (DATETIME, datetime(2026, 10, 25, 1, 30, tzinfo=UTC), '"2026-10-25 02:30:00"'),
        (STRING, 'Ж"\\\n\0😀', '"Ж\\"\\\\\\n\\u0000😀"'),
        (STRING, "", '""'),
        (STRING, 5, '"5"'),
        (STRING, b"\x00\xff", '"00ff"'),
        (STRING, memoryview(b"\x0a"), '"0a"'),
        (STRING, timedelta(hours=1), '"1:00:00"'),
    ],
)
def test_values_are_written_as_their_field_says(kind: FieldType, value: Any, text: str) -> None:
    assert encoded(kind, value) == f"[{text}]"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (INT, "7"),
        (INT, 7.5),
        (INT, Decimal("7.5")),
        (INT, b"7"),
        (DOUBLE, "1.5"),
        (DOUBLE, date(2026, 9, 1)),
        (DATE, "2026-9-1"),
        (DATE, "2026-09-01 00:00:00"),
        (DATE, 20260901),
        (DATETIME, "2026-09-01"),
        (DATETIME, "2026-09-01 00:00:00.5"),
        (DATETIME, 0),
        (STRING, "half of a pair: \ud83d"),
    ],
)
def test_a_value_that_does_not_fit_its_field_fails_the_answer(kind: FieldType, value: Any) -> None:
    with pytest.raises(QueryFailed) as caught:
        encoded(kind, value)
    assert str(value) not in str(caught.value), "rows are no business of the log"


def test_an_instant_beyond_the_years_that_can_be_shown_reads_as_null() -> None:
    west = timezone(timedelta(hours=-12))
    assert encoded(DATETIME, datetime(9999, 12, 31, 23, tzinfo=west)) == "[null]"
    assert encoded(DATE, datetime(9999, 12, 31, 23, tzinfo=west)) == "[null]"


@pytest.mark.parametrize("row", [[], [1], [1, 2, 3]])
def test_a_row_of_another_width_fails_the_answer(row: list[int]) -> None:
    fields = [Field("a", INT), Field("b", INT)]
    with pytest.raises(QueryFailed, match=f"{len(row)} values where 2"):
        encode_rows(fields, [[1, 2], row], BERLIN)


def test_rows_are_joined_without_a_comma_at_either_end() -> None:
    assert encoded(INT, 1, 2, 3) == "[1],[2],[3]"
    assert encode_rows([Field("a", INT)], [], BERLIN) == b""


CLEAN = st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(codec="utf-8"))


@given(st.lists(st.lists(CLEAN, min_size=1, max_size=3), max_size=5))
def test_clean_values_come_back_as_they_were(rows: list[list[Any]]) -> None:
    assert json.loads(b"[" + encode_clean(rows) + b"]") == rows


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_decimal_is_lost(value: Decimal) -> None:
    (row,) = json.loads(f"[{encoded(DOUBLE, value)}]", parse_float=Decimal, parse_int=Decimal)
    assert row == [value]
    assert format(row[0], "f") == format(value, "f")
