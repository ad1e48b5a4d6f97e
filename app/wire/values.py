"""Reads the values of a filter by the type of their field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NoReturn
from zoneinfo import ZoneInfo

from adapters.base import Field, FieldType
from app.errors import ApiError
from app.wire.dates import DateOrder, parse_datetime

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)
_MAX_DIGITS = 400
_MAX_EXPONENT = 308  # of a double; also keeps 1e999999999 from becoming a billion digits


@dataclass(frozen=True)
class Reader:
    """How a source's dates are written: the order of ambiguous ones, and their time zone."""

    date_order: DateOrder
    timezone: ZoneInfo

    def text(self, key: str, value: str) -> str:
        """A text; raises ApiError INVALID_VALUE for one that no database can hold."""
        if "\0" in value:
            _refuse(key, value, "a null character is part of no text")
        return value

    def number(self, key: str, value: str) -> Decimal:
        """A number as PHP writes it; raises ApiError INVALID_VALUE."""
        text = value.strip()
        if len(text) > _MAX_DIGITS or not _NUMBER.fullmatch(text):
            _refuse(key, value, "the field is a number")
        found = Decimal(text)
        if found and abs(found.adjusted()) > _MAX_EXPONENT:
            _refuse(key, value, "the number is out of range")
        return found

    def moment(self, key: str, value: str) -> datetime:
        """A local time in the source's time zone; raises ApiError INVALID_VALUE."""
        try:
            return parse_datetime(value, self.date_order, self.timezone)
        except ValueError:
            _refuse(key, value, "the field is a date")

    def read(self, field: Field, key: str, value: str) -> str | Decimal | datetime:
        """``value``, sent under the filter's ``key``, as the type of ``field`` asks."""
        match field.type:
            case FieldType.STRING:
                return self.text(key, value)
            case FieldType.INT | FieldType.DOUBLE:
                return self.number(key, value)
            case FieldType.DATE | FieldType.DATETIME:
                return self.moment(key, value)


def _refuse(key: str, value: str, reason: str) -> NoReturn:
    shown = value if len(value) <= 40 else value[:40] + "…"
    raise ApiError("INVALID_VALUE", f"Filter {key} cannot use the value {shown!r}: {reason}.")
