"""Numbers as a column can hold and show them.

A portal is shown the shortest number that stands for a floating-point value and sends it back in a
filter. So a filter's number is compared as the decimal that it is with the decimals that are shown:
it is moved to the nearest of them first, and the comparison is adjusted by what was lost on the way
(:mod:`adapters.sql.where`).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

INT64 = range(-(2**63), 2**63)
UINT64_MAX = 2**64 - 1
MAX_DOUBLE = 1.7976931348623157e308
MAX_SINGLE = 3.4028234663852886e38

_MIN_NORMAL = 1.1754943508222875e-38

_EXACT = Context(prec=1000)


def between(low: int, high: int) -> Callable[[Decimal], Decimal]:
    """For whole numbers from ``low`` to ``high``."""
    return lambda value: min(max(value, Decimal(low)), Decimal(high))


def near_double(value: Decimal) -> Decimal:
    """For 64-bit floats."""
    return Decimal(repr(min(max(float(value), -MAX_DOUBLE), MAX_DOUBLE)))


def near_single(value: Decimal) -> Decimal:
    """For 32-bit floats."""
    return Decimal(repr(shortest_single(as_single(float(value)))))


def near_single_alone(value: Decimal) -> Decimal:
    """For 32-bit floats each shown as the shortest number that no other float is as near to.

    So PostgreSQL does; :func:`shortest_single` takes one in the middle between two floats, too.
    """
    single = as_single(float(value))
    return _shortest_alone(abs(single)).copy_sign(Decimal(single)) if single else Decimal(0)


def _shortest_alone(single: float) -> Decimal:
    (bits,) = struct.unpack("I", struct.pack("f", single))
    below, above = (struct.unpack("f", struct.pack("I", bits + step))[0] for step in (-1, 1))
    low = (below + single) / 2
    high = (single + above) / 2 if math.isfinite(above) else 2 * single - low
    for digits in range(1, 9):
        # Floats are closer together below a power of two: there the number above may do alone.
        for rounding in (ROUND_HALF_EVEN, ROUND_CEILING):
            short = Context(digits, rounding).create_decimal(Decimal(single))
            if low < short < high:
                return short
    return Context(9).create_decimal(Decimal(single))


def near_decimal(precision: int, scale: int) -> Callable[[Decimal], Decimal]:
    """For decimals of ``precision`` digits, ``scale`` of them after the point."""
    unit = Decimal(1).scaleb(-scale)
    limit = _EXACT.subtract(Decimal(1).scaleb(precision - scale), unit)

    def near(value: Decimal) -> Decimal:
        value = min(max(value, limit.copy_negate()), limit)  # a minus would round to 28 digits
        return value.quantize(unit, ROUND_FLOOR, _EXACT)

    return near


def as_single(value: float) -> float:
    """``value`` rounded to 32 bits; what is too great becomes the greatest."""
    limited = min(max(value, -MAX_SINGLE), MAX_SINGLE)
    rounded: float = struct.unpack("f", struct.pack("f", limited))[0]
    return rounded


def shortest_single(value: float | None) -> float | None:
    """A 32-bit float as the shortest number that stands for it: 0.1, not 0.10000000149011612."""
    if value is None:
        return None
    # Six digits always come back the same, except from numbers too small to have as many.
    for digits in range(6 if abs(value) >= _MIN_NORMAL else 1, 9):
        short = float(f"{value:.{digits}g}")
        if as_single(short) == value:
            return short
    return float(f"{value:.9g}")
