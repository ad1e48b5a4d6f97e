"""Turns what a report asks for into the filter that the portal sends to a connector.

Bitrix24 REST: a date range becomes two conditions at the top level, each set of dimension filters
becomes a numbered group whose conditions are joined by OR, and dates take the site's format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

FULL_FORMATS = {
    "ru": "%d.%m.%Y %H:%M:%S",
    "de": "%d.%m.%Y %H:%M:%S",
    "fr": "%d/%m/%Y %H:%M:%S",
    "en": "%m/%d/%Y %I:%M:%S %p",
}
OPERATORS = {
    "EQUALS": "=",
    "IN_LIST": "=",
    "CONTAINS": "%",
    "BETWEEN": "><",
    "IS_NULL": "=",
    "NUMERIC_GREATER_THAN": ">",
    "NUMERIC_GREATER_THAN_OR_EQUAL": ">=",
    "NUMERIC_LESS_THAN": "<",
    "NUMERIC_LESS_THAN_OR_EQUAL": "<=",
}


class ReportError(Exception):
    """The report asks for something that this portal cannot send on.

    `reason` is a short code by which pages find their own words.
    """

    def __init__(self, message: str, reason: str = "request") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Shape:
    """What a filter is built for: the dataset's fields by name with their types, and the portal."""

    types: Mapping[str, str]
    site_format: str = "en"
    old: bool = False


def site_date(value: datetime, site_format: str, *, full: bool) -> str:
    """Write a moment in the site's format, with or without the time of day."""
    pattern = FULL_FORMATS[site_format]
    if not full:
        pattern = pattern.partition(" ")[0]
    return value.strftime(pattern).replace("AM", "am").replace("PM", "pm")


def build_filter(
    shape: Shape,
    date_range: Mapping[str, str] | None = None,
    time_column: str = "",
    dimensions_filters: Sequence[Sequence[Mapping[str, Any]]] = (),
) -> dict[str, Any]:
    """Build the filter tree for a date range and for dimension filters.

    The date range applies to the column asked for, or else to the first date of the dataset; a
    dataset without dates ignores it.
    """
    tree: dict[str, Any] = {}
    column = _time_column(shape, time_column)
    if date_range and column:
        tree |= _date_conditions(shape, date_range, column)
    groups = [_group(shape, members) for members in dimensions_filters]
    for number, group in enumerate(group for group in groups if group):
        tree[str(number)] = group
    return tree


def _time_column(shape: Shape, wanted: str) -> str:
    dates = [name for name, kind in shape.types.items() if kind in ("date", "datetime")]
    return wanted if wanted in dates else next(iter(dates), "")


def _date_conditions(shape: Shape, date_range: Mapping[str, str], column: str) -> dict[str, str]:
    conditions = {}
    if start := date_range.get("startDate"):
        moment = datetime.combine(_day(start), time.min)
        conditions[f">={column}"] = site_date(moment, shape.site_format, full=False)
    if end := date_range.get("endDate"):
        moment = datetime.combine(_day(end), time(23, 59, 59))
        conditions[f"<={column}"] = site_date(moment, shape.site_format, full=True)
    return conditions


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise ReportError(f"{text!r} is not a date.", "date") from error


def _group(shape: Shape, members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    conditions = [_condition(shape, member) for member in members if _known(shape, member)]
    if not conditions:
        return {}
    if shape.old:
        # Older portals know no numbered conditions: the keys stand in the group itself.
        merged = {key: value for condition in conditions for key, value in condition.items()}
        return merged if len(merged) == 1 else {"LOGIC": "OR", **merged}
    return {"LOGIC": "OR"} | {str(n): condition for n, condition in enumerate(conditions)}


def _known(shape: Shape, member: Mapping[str, Any]) -> bool:
    return member.get("fieldName") in shape.types


def _condition(shape: Shape, member: Mapping[str, Any]) -> dict[str, Any]:
    name = str(member["fieldName"])
    operator = str(member.get("operator", ""))
    if operator not in OPERATORS:
        raise ReportError(f"The operator {operator!r} cannot be sent to a connector.")
    key = ("!" if member.get("type") == "EXCLUDE" else "") + OPERATORS[operator] + name
    if operator == "IS_NULL":
        return {key: False}
    return {key: _values(shape, shape.types[name], member.get("values"))}


def _values(shape: Shape, kind: str, values: Any) -> Any:
    if isinstance(values, list | tuple):
        return [_values(shape, kind, value) for value in values]
    if kind not in ("date", "datetime") or values in (None, ""):
        return values
    try:
        moment = datetime.fromisoformat(str(values))
    except ValueError as error:
        raise ReportError(f"{values!r} is not a date.", "date") from error
    return site_date(moment, shape.site_format, full=kind == "datetime")
