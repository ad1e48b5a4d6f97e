"""Dates and times in SQLite, which has no type for them: ISO 8601 texts, with or without an offset.

A text that is no date reads as null. An index on the column serves a range of days with some slack,
since such texts sort by time but for their offsets; the exact comparison follows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from adapters.base import Comparison, FieldType, Value
from adapters.sql.columns import Element, Narrow, SqlColumn, Usual, bind_text

DATE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_MINUTE = f"{DATE}[ T][0-9][0-9]:[0-9][0-9]"
_SECOND = f"{_MINUTE}:[0-9][0-9]"
_DIGITS = "0123456789"
_ZEROS = bytes.maketrans(_DIGITS.encode(), b"0" * len(_DIGITS))
_FIRST_YEAR = "0001"
# How far a local time may be from the text that stores it, with an offset of its own.
_OFFSETS = timedelta(days=2)


def date_column(column: Element) -> SqlColumn:
    """The day of a text that begins with one."""
    day = sa.func.substr(column, 1, 10)
    shown = sa.case(
        (_exists(sa.func.date, column), column),  # the usual form, told in one step
        (sa.and_(_is_like(column, f"{DATE}*"), _exists(sa.func.date, day)), day),
    )
    usual = Usual(column, _all_usual("0000-00-00", date.fromisoformat))
    return SqlColumn(FieldType.DATE, shown, shown, _bind, narrow=_days(column), usual=usual)


def datetime_column(column: Element) -> SqlColumn:
    """Local times as they stand; those with an offset go through ``b24_local`` (:func:`local`).

    What a filter compares has the fraction of the stored text, without zeros at its end.
    """
    spaced = sa.func.replace(column, "T", " ")
    second = sa.func.substr(spaced, 1, 19)
    fraction = sa.func.substr(column, 20)
    is_fraction = sa.or_(
        fraction == "",
        sa.and_(_is_like(fraction, ".*"), sa.func.rtrim(sa.func.substr(column, 21), _DIGITS) == ""),
    )
    moment = sa.case(
        (_exists(sa.func.datetime, column), column),  # the usual form, told in one step
        _if_real(_is_like(column, DATE), spaced.concat(" 00:00:00")),
        _if_real(_is_like(column, _MINUTE), spaced.concat(":00")),
        _if_real(
            sa.and_(_is_like(column, f"{_SECOND}*"), is_fraction),
            second,
            second.concat(sa.func.rtrim(fraction, ".0")),
        ),
        (_is_like(column, f"{_MINUTE}*"), sa.func.b24_local(column)),
    )
    shown = sa.func.substr(moment, 1, 19)
    usual = Usual(column, _all_usual("0000-00-00 00:00:00", datetime.fromisoformat))
    return SqlColumn(
        FieldType.DATETIME, shown, moment, _bind, narrow=_days(column), second=shown, usual=usual
    )


def local(text: str, zone: ZoneInfo) -> str | None:
    """A text with an offset as local time; None for one without, or for no date at all."""
    try:
        moment = datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-"))
        if moment.tzinfo is None:
            return None
        return _written(moment.astimezone(zone).replace(tzinfo=None))
    except (ValueError, OverflowError):
        return None


def _all_usual(form: str, parse: Callable[[str], object]) -> Callable[[Sequence[Any]], bool]:
    """Whether values are nulls, or texts of that ``form`` that stand for a date that exists.

    All of them at once, in a fraction of the time that SQLite takes for each.
    """

    def holds(values: Sequence[Any]) -> bool:
        texts = [value for value in values if value is not None]
        try:
            # As many line ends as stand between the texts, so there is none within any of them.
            forms = "\n".join(texts).encode().translate(_ZEROS)
            if forms != "\n".join([form] * len(texts)).encode():
                return False
            deque(map(parse, texts), maxlen=0)
        except (TypeError, ValueError):
            return False
        return True

    return holds


def _is_like(text: Element, pattern: str) -> Element:
    return text.op("GLOB", is_comparison=True)(pattern)


def _if_real(
    condition: Element, second: Element, value: Element | None = None
) -> tuple[Element, Element]:
    real = sa.and_(condition, _exists(sa.func.datetime, second))
    return real, second if value is None else value


def _exists(normal: Callable[..., Element], text: Element) -> Element:
    """Arithmetic turns the 30th of February into March, where SQLite lets it stand otherwise."""
    # As a text of its own, since a column's affinity would make a number of the year.
    return sa.and_(normal(text, "+0 days") == text, text.concat("") >= _FIRST_YEAR)


def _days(column: Element) -> Narrow:
    def narrow(comparison: Comparison | Literal["="], values: Sequence[Value]) -> Element:
        days = [v.date() if isinstance(v, datetime) else v for v in values if isinstance(v, date)]
        conditions = []
        if comparison in ("=", ">", ">="):
            conditions += _beyond(lambda low: column >= low, min(days), -_OFFSETS)
        if comparison in ("=", "<", "<="):
            conditions += _beyond(lambda high: column < high, max(days), _OFFSETS)
        return sa.and_(sa.true(), *conditions)

    return narrow


def _beyond(compare: Callable[[Element], Element], day: date, slack: timedelta) -> list[Element]:
    """No condition where the slack leaves the years that exist."""
    try:
        return [compare(bind_text((day + slack).isoformat()))]
    except OverflowError:
        return []


def _bind(value: date) -> Element:
    return bind_text(_written(value) if isinstance(value, datetime) else value.isoformat())


def _written(moment: datetime) -> str:
    text = moment.isoformat(" ")
    return text.rstrip("0") if moment.microsecond else text
