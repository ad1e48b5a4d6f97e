"""`select`, `filter`, `order` and `page` of the list methods.

Bitrix24 REST: prefixes in front of a field name choose the comparison, groups may be nested with
`logic`, 50 entries make a page, and no total is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from emulator.php import is_array, is_numeric, items, to_int
from emulator.rest.errors import MethodError
from emulator.rest.schemas import FieldSpec

PAGE_SIZE = 50
_PREFIX = re.compile(r"[<>=!@%]*")
_OPERATORS = ("!=%", "!%=", "!><", "!%", "!=", "!@", "=%", "%=", "><", ">=", "<=")
_SHORT = ("!", "%", "@", "=", ">", "<")
_HIDDEN = ("settings", "fields")

Row = Mapping[str, Any]


def listing(
    rows: Iterable[Row], parameters: Mapping[str, Any], specs: Sequence[FieldSpec]
) -> list[dict[str, Any]]:
    """Filter, sort, cut to a page and select."""
    allowed = [spec.title for spec in specs]
    _check(parameters, allowed)
    condition = parameters.get("filter") or {}
    kept = [row for row in rows if _matches(row, condition)]
    for name, direction in reversed(items(parameters.get("order") or {})):
        descending = str(direction).upper() == "DESC"
        kept.sort(key=lambda row, name=name: _sortable(row.get(name)), reverse=descending)  # type: ignore[misc]
    start = _offset(parameters.get("page"))
    wanted = [str(name) for _, name in items(parameters.get("select") or [])]
    return [_selected(row, wanted) for row in kept[start : start + PAGE_SIZE]]


def _selected(row: Row, wanted: list[str]) -> dict[str, Any]:
    if not wanted or "*" in wanted:
        return {name: value for name, value in row.items() if name != "fields"}
    return {name: row[name] for name in wanted if name in row and name != "fields"}


def _offset(page: Any) -> int:
    if not is_numeric(page) or to_int(page) <= 1:
        return 0
    return (to_int(page) - 1) * PAGE_SIZE


def _check(parameters: Mapping[str, Any], allowed: list[str]) -> None:
    for name in ("select", "filter", "order"):
        value = parameters.get(name)
        if value is None:
            continue
        if not is_array(value):
            raise MethodError(
                f"VALIDATION_{name.upper()}_TYPE", f'Parameter "{name}" must be array.'
            )
        if name == "filter":
            _check_filter(value, allowed)
        else:
            _check_names(name, value, allowed)


def _check_names(parameter: str, value: Any, allowed: list[str]) -> None:
    if parameter == "select":
        names = [str(name) for _, name in items(value)]
        allowed = [*allowed, "*"]
    else:
        names = [name for name, _ in items(value)]
    for name in names:
        if name not in allowed:
            raise _not_allowed(name, parameter)


def _not_allowed(name: str, parameter: str) -> MethodError:
    return MethodError(
        f"VALIDATION_FIELD_NOT_ALLOWED_IN_{parameter.upper()}",
        f'Field "{name}" is not allowed in the "{parameter}".',
    )


def _check_filter(value: Any, allowed: list[str]) -> None:
    for key, item in items(value):
        if key == "logic":
            if str(item).upper() not in ("AND", "OR"):
                raise MethodError(
                    "VALIDATION_INVALID_FILTER_LOGIC", 'Field "logic" must be either "AND" or "OR".'
                )
        elif is_array(item):
            # Bitrix24 REST: a list of values is walked like a group, so only numbers pass in it.
            _check_filter(item, allowed)
        else:
            name = _PREFIX.sub("", key, count=1)
            if name not in allowed and not (is_numeric(item) and is_numeric(name)):
                raise _not_allowed(name, "filter")


def _matches(row: Row, condition: Any) -> bool:
    entries = [(key, item) for key, item in items(condition) if key != "logic" and item != []]
    results = [
        _matches(row, item) if key.isdigit() and is_array(item) else _compares(row, key, item)
        for key, item in entries
    ]
    either = str(dict(items(condition)).get("logic", "AND")).upper() == "OR"
    return any(results) if either and results else all(results)


def _compares(row: Row, key: str, wanted: Any) -> bool:
    prefix = next((p for p in (*_OPERATORS, *_SHORT) if key.startswith(p)), "")
    name = key[len(prefix) :]
    if name in _HIDDEN or name not in row:
        return True
    negated = prefix.startswith("!")
    kind = prefix.removeprefix("!")
    values = [value for _, value in items(wanted)] if is_array(wanted) else [wanted]
    if kind == "><":
        low, high = (values + values)[:2]
        return (_ordered(">=", row[name], low) and _ordered("<=", row[name], high)) != negated
    return any(_one(kind, row[name], value) for value in values) != negated


def _one(kind: str, actual: Any, wanted: Any) -> bool:
    match kind:
        case "%":
            return _text(wanted) in _text(actual)
        case "=%" | "%=":
            return _like(_text(wanted)).fullmatch(_text(actual)) is not None
        case ">" | ">=" | "<" | "<=":
            return _ordered(kind, actual, wanted)
        case _:
            return _same(actual, wanted)


def _text(value: Any) -> str:
    # The portal's database compares texts without regard to letter case.
    return "" if value is None else str(value).casefold()


def _same(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, bool):
        return actual == (wanted in (True, 1, "1", "Y", "true"))
    if isinstance(actual, int) and is_numeric(wanted):
        return float(actual) == float(wanted)
    return _text(actual) == _text(wanted)


def _ordered(kind: str, actual: Any, wanted: Any) -> bool:
    if actual is None:
        return False
    left: Any = _text(actual)
    right: Any = _text(wanted)
    if isinstance(actual, int) and is_numeric(wanted):
        left, right = float(actual), float(wanted)
    compare: dict[str, Callable[[Any, Any], bool]] = {
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
    }
    return compare[kind](left, right)


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in pattern), re.DOTALL)


def _sortable(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, "")
    return (1, value) if isinstance(value, int) else (2, _text(value))
