"""The corners of PHP that show on the wire: forms, `empty()`, `is_numeric()`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus

_NUMERIC = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
_BRACKETS = re.compile(r"\[([^\]]*)\]")


def urlencode(text: str) -> str:
    """Percent-encode the way `urlencode()` does: a space is `+`, and a tilde is not left alone."""
    return quote_plus(text, safe="").replace("~", "%7E")


def build_query(parameters: Mapping[str, Any]) -> str:
    """Encode nested parameters as `http_build_query()` does.

    Nulls and empty arrays vanish at every depth, `true` becomes `1` and `false` becomes `0`.
    """
    return "&".join(f"{name}={value}" for name, value in _pairs("", items(parameters)))


def _pairs(prefix: str, entries: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for key, value in entries:
        name = f"{prefix}%5B{urlencode(key)}%5D" if prefix else urlencode(key)
        if isinstance(value, Mapping | list | tuple):
            yield from _pairs(name, items(value))
        elif value is not None:
            yield name, urlencode(_scalar(value))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def items(value: Any) -> list[tuple[str, Any]]:
    """Keys and values of a PHP array, whichever JSON type it came as."""
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [(str(key), item) for key, item in enumerate(value)]
    return []


def is_array(value: Any) -> bool:
    """Tell what `is_array()` would say: JSON lists and JSON objects are both PHP arrays."""
    return isinstance(value, Mapping | list | tuple)


def is_empty(value: Any) -> bool:
    """Tell what `empty()` would say; note that the text `0` is empty."""
    return value in (None, "", "0", 0, False) or (is_array(value) and not value)


def is_numeric(value: Any) -> bool:
    """Tell what `is_numeric()` would say: numbers and numeric text, but never a boolean."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return True
    return isinstance(value, str) and _NUMERIC.fullmatch(value) is not None


def to_int(value: Any) -> int:
    """Cast as `(int)` does, for a value that passed `is_numeric`."""
    try:
        return int(value)
    except ValueError:
        return int(float(value))


def parse_query(text: str) -> dict[str, Any]:
    """Decode a form or a query string; arrays whose keys count up from 0 become lists."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, _, rest = name.partition("[")
        path = [head, *_BRACKETS.findall("[" + rest)] if rest else [name]
        _put(tree, path, value)
    return {key: _listed(value) for key, value in tree.items()}


def _put(tree: dict[str, Any], path: list[str], value: str) -> None:
    *parents, last = path
    for step in parents:
        branch = tree.get(step)
        if not isinstance(branch, dict):
            branch = tree[step] = {}
        tree = branch
    tree[last or str(len(tree))] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(item) for key, item in value.items()}
    if list(inner) == [str(index) for index in range(len(inner))]:
        return list(inner.values())
    return inner
