"""The table that the contract suite expects in a source: a column for each type, nasty values.

It is the same on every machine and with every version of Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from adapters.base import FieldType

T = TypeVar("T")

TABLE = "kit_orders"

COLUMNS: dict[str, FieldType] = {
    "id": FieldType.INT,
    "customer": FieldType.STRING,
    "quantity": FieldType.INT,
    "price": FieldType.DOUBLE,
    "day": FieldType.DATE,
    "created": FieldType.DATETIME,
}
"""The type of each column; ``id`` counts from 1, every other one holds nulls too."""

# Letter case, spaces at the ends, what SQL, LIKE, URLs and JSON take for something else.
_CUSTOMERS = [
    *("", " ", "a", "A", "a ", " a", "ab", "AB", "Ab", "aab", "z", "Z", "0", "1", "1.0", "00", "-"),
    *("é", "É", "e", "ß", "яблоко", "Яблоко", "ЯБЛОКО", "їжак", "ЇЖАК", "😀", "a%b", "a_b", "axb"),
    *("%", "_", "!", "\\", "a\\b", "'", '"', "`", "a&b=c", "a+b", "a,b", "#", "?", "x/y", "null"),
    *("NULL", "true", "2026-09-01", "line\nbreak", "tab\there", "[1]", "{}", "$1", ":a", "%s"),
    None,
]
_QUANTITIES = [0, 1, -1, 2, 26, 2026, 2_147_483_647, -2_147_483_648, 9_007_199_254_740_993, None]
_PRICES = ["0", "0.1", "1.1", "-2.5", "19.99", "100", "1234.5", "-0.01", "999999.99", None, "0.25"]
_DAYS = ["2026-09-01", "2026-08-31", "2024-02-29", "1970-01-01", "2026-12-31", None, "2027-01-01"]
_TIMES = [
    *("2026-09-01T00:00:00", "2026-08-31T23:59:59", "2026-09-01T23:59:59", "2026-03-29T01:30:00"),
    *("2026-03-29T02:30:00", "2026-10-25T00:30:00", "2026-10-25T01:30:00", "1970-01-01T00:00:01"),
    *("2037-12-31T23:59:59", "2026-11-01T05:30:00", "2026-11-01T06:30:00"),
    None,
]
_COUNT = 1500


def _rows() -> list[dict[str, Any]]:
    # The only one of its methods that no version of Python will change.
    chance = Random(2026).random  # noqa: S311

    def one_of(values: Sequence[T]) -> T:
        return values[int(chance() * len(values))]

    rows = []
    for i in range(_COUNT):
        customer, quantity, price = one_of(_CUSTOMERS), one_of(_QUANTITIES), one_of(_PRICES)
        day, moment = one_of(_DAYS), one_of(_TIMES)
        if i % 4 == 3:  # and some that are there only once
            customer, quantity = f"Customer {i}", i
            price, day = f"{i}.{i % 100:02}", (date(2025, 1, 1) + timedelta(i)).isoformat()
            moment = (datetime(2025, 6, 1) + timedelta(minutes=17 * i)).isoformat()
        rows.append(
            {
                "id": i + 1,
                "customer": customer,
                "quantity": quantity,
                "price": None if price is None else Decimal(price),
                "day": None if day is None else date.fromisoformat(day),
                "created": None if moment is None else datetime.fromisoformat(moment),
            }
        )
    return rows


ROWS: list[dict[str, Any]] = _rows()
"""The rows by column; date-times are in UTC."""


def json_ready(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it: ISO 8601 for dates and times, these without an offset."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value.isoformat() if isinstance(value, date) else value
