"""The pure pieces under the SQL adapters: numbers, local times, statements."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adapters.sql.localtime import offsets, shown_from
from adapters.sql.numbers import (
    as_single,
    between,
    near_decimal,
    near_double,
    near_single,
    near_single_alone,
    shortest_single,
)
from adapters.sql.verbatim import verbatim

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
ZONES += ["Pacific/Apia", "Africa/Monrovia", "Europe/Dublin", "Asia/Tehran", "America/Caracas"]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_the_shortest_number_stands_for_its_float(value: float) -> None:
    short = shortest_single(value)
    assert short is not None
    assert struct.pack("f", short) == struct.pack("f", value)
    assert len(repr(short).strip("-0.").split("e")[0]) <= 10
    assert near_single(Decimal(repr(short))) == Decimal(repr(short))


@pytest.mark.parametrize(
    ("value", "short"), [(0.1, "0.1"), (16777216, "16777216.0"), (1e-45, "1e-45"), (1.1, "1.1")]
)
def test_shortest_singles(value: float, short: str) -> None:
    assert repr(shortest_single(as_single(value))) == short


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_the_nearest_number_is_one_that_the_column_can_show(value: Decimal) -> None:
    if abs(value.adjusted()) > 308:
        return
    whole = between(-(2**63), 2**63 - 1)
    for near in (near_double, near_single, near_single_alone, near_decimal(12, 2), whole):
        assert near(near(value)) == near(value)
    assert near_decimal(12, 2)(value).as_tuple().exponent == -2


@pytest.mark.parametrize("zone", ZONES)
@given(
    local=st.datetimes(datetime(1901, 1, 1), datetime(2090, 1, 1)),
    step=st.integers(-30 * 3600, 30 * 3600),
)
def test_an_instant_is_in_a_stretch_if_it_is_shown_late_enough(
    zone: str, local: datetime, step: int
) -> None:
    local = local.replace(microsecond=0)
    instant = local.replace(tzinfo=UTC) + timedelta(seconds=step)
    shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    naive = instant.replace(tzinfo=None)
    inside = any(
        start <= naive and (end is None or naive < end)
        for start, end in shown_from(local, ZoneInfo(zone))
    )
    assert inside == (shown >= local)


@pytest.mark.parametrize("zone", ZONES)
@given(instant=st.datetimes(datetime(1970, 1, 1), datetime(2037, 12, 31)))
def test_every_instant_has_one_offset(zone: str, instant: datetime) -> None:
    found = _OFFSETS[zone]
    (offset,) = [o for (start, end), o in found if start <= instant < (end or datetime.max)]
    assert offset == instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()


_OFFSETS = {z: offsets(datetime(1970, 1, 1), datetime(2038, 1, 1), ZoneInfo(z)) for z in ZONES}


@given(st.text("a :\\%'\"`;-#/*$\n1", max_size=20))
def test_a_statement_survives_being_put_into_another(sql: str) -> None:
    kept = str(sa.text(verbatim(sql)).compile())
    assert sql.strip().startswith(kept)


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 ; ; -- a; b\n", "SELECT 1 "),
        ("SELECT 1; /* a */ # b", "SELECT 1"),
        ("SELECT ';' -- ;", "SELECT ';' -- ;"),
        ("SELECT $x$;$x$", "SELECT $x$;$x$"),
        ("SELECT 'it''s;' ", "SELECT 'it''s;'"),
    ],
)
def test_what_follows_the_last_semicolon_is_left_out(sql: str, kept: str) -> None:
    assert str(sa.text(verbatim(sql)).compile()).rstrip() == kept.rstrip()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_decimal_of_many_digits_stays_within_them(sign: int) -> None:
    beyond = sign * Decimal("1e40")
    assert near_decimal(38, 0)(beyond) == Decimal("9" * 38).copy_sign(beyond)
