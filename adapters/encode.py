"""Rows to JSON, the way a portal reads them (Bitrix24: answer of the data endpoint).

``int`` and ``double`` become JSON numbers (booleans 0 and 1, a number that JSON cannot say null),
``date`` ``Y-m-d``, ``datetime`` ``Y-m-d H:i:s``, null stays null, everything else is a string.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from adapters.errors import QueryFailed

if TYPE_CHECKING:
    from adapters.base import Field


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def encode_rows(fields: Sequence[Field], rows: Iterable[Sequence[Any]], zone: ZoneInfo) -> bytes:
    """Any values that an adapter may give, as ``[…],[…]``.

    Raises :class:`~adapters.errors.QueryFailed` for a row of the wrong width or a value that does
    not fit its field: a wrong cell would be believed.
    """
    converters = [_CONVERTERS[field.type] for field in fields]
    converted = []
    for row in rows:
        if not isinstance(row, (tuple, list)):  # a text or a dict would pass for other values
            raise QueryFailed(f"a row is a {type(row).__name__}, neither tuple nor list")
        if len(row) != len(converters):
            raise QueryFailed(f"a row has {len(row)} values where {len(converters)} were asked for")
        cells: list[Any] = []
        for field, convert, value in zip(fields, converters, row, strict=True):
            try:
                cells.append(None if value is None else convert(value, zone))
            except (TypeError, ValueError, ArithmeticError) as error:
                raise _misfit(field, value) from error
        converted.append(cells)
    try:
        return encode_clean(converted)
    except TypeError as error:
        raise QueryFailed("a text holds half of a surrogate pair") from error


def convert(field: Field, value: Any, zone: ZoneInfo) -> str | int | float | Decimal | None:
    """One value as JSON has it; raises :class:`~adapters.errors.QueryFailed` if it does not fit."""
    if value is None:
        return None
    try:
        cell: str | int | float | Decimal | None = _CONVERTERS[field.type](value, zone)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise _misfit(field, value) from error
    return cell


def _misfit(field: Field, value: Any) -> QueryFailed:
    return QueryFailed(f"column {field.name!r} is {field.type} but holds {type(value).__name__}")


def number_text(value: float | Decimal) -> str:
    """A finite number as it stands in the JSON."""
    return orjson.dumps(value, default=_number).decode()


def encode_clean(rows: Sequence[Sequence[Any]]) -> bytes:
    """Values that are None, int, float, Decimal or str already, as ``[…],[…]``."""
    return orjson.dumps(rows, default=_number)[1:-1]


def _number(value: object) -> orjson.Fragment | None:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    return orjson.Fragment(format(value, "f")) if value.is_finite() else None


def _integer(value: Any, _: ZoneInfo) -> int | Decimal | None:
    if not isinstance(value, (int, float, Decimal)):
        raise TypeError
    if not math.isfinite(value):
        return None
    if value != int(value):
        raise ValueError
    whole = int(value)
    return whole if -(2**63) <= whole < 2**64 else Decimal(whole)


def _double(value: Any, _: ZoneInfo) -> int | float | Decimal:
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, (int, float, Decimal)):
        raise TypeError
    return value if not isinstance(value, int) or abs(value) < 2**63 else Decimal(value)


def _date(value: Any, zone: ZoneInfo) -> str | None:
    if isinstance(value, str):
        return _written(_DATE, value)
    if not isinstance(value, date):
        raise TypeError
    day = local(value, zone) if isinstance(value, datetime) else value
    return None if day is None else day.isoformat()[:10]


def _datetime(value: Any, zone: ZoneInfo) -> str | None:
    if isinstance(value, str):
        return _written(_DATETIME, value)
    if not isinstance(value, date):
        raise TypeError
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    moment = local(value, zone)
    return None if moment is None else moment.isoformat(" ", "seconds")


def _written(form: re.Pattern[str], value: str) -> str:
    if not form.fullmatch(value):
        raise ValueError
    datetime.fromisoformat(value)  # raises it for a day that no calendar has
    return value


def local(value: datetime, zone: ZoneInfo) -> datetime | None:
    """The local time of an aware value; None for one outside the years that can be shown."""
    try:
        return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value
    except OverflowError:
        return None


def _string(value: Any, _: ZoneInfo) -> str:
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        raise TypeError  # Python's way of writing it is nobody's
    return value.hex() if isinstance(value, (bytes, memoryview)) else str(value)


_CONVERTERS: dict[str, Callable[[Any, ZoneInfo], Any]] = {
    "int": _integer,
    "double": _double,
    "date": _date,
    "datetime": _datetime,
    "string": _string,
}
