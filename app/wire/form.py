"""Decodes a form body the way PHP fills ``$_POST``, which is how a portal encodes it.

``filter[0][=CITY][]=Rome`` becomes ``{"filter": {"0": {"=CITY": {"0": "Rome"}}}}``: a PHP array is
an ordered map whatever its keys, so every level is a dict, and every leaf is a str.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from app.errors import ApiError

Tree = dict[str, "Tree | str"]

MAX_DEPTH = 10
MAX_KEYS = 10_000

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_INT64 = range(-(2**63), 2**63)


class _Level(Tree):
    """One PHP array while it is filled; ``upcoming`` is the key that ``[]`` gets, if not 0."""

    upcoming: int | None = None

    def key(self, key: str | None) -> str:
        """``key``, or for None one more than the greatest integer key so far."""
        name = str(self.upcoming or 0) if key is None else key
        if _INTEGER.fullmatch(name) and int(name) in _INT64:
            following = int(name) + 1
            self.upcoming = following if self.upcoming is None else max(following, self.upcoming)
        return name


def decode_form(body: bytes) -> Tree:
    """The parameters of ``body``; of repeated names the last wins.

    Raises :class:`~app.errors.ApiError`: BROKEN_TEXT, TOO_DEEP, TOO_MANY_KEYS.
    """
    parts = [part for part in body.split(b"&") if part]
    if len(parts) > MAX_KEYS:
        raise ApiError("TOO_MANY_KEYS", f"The body has more than {MAX_KEYS} parameters.")
    tree = _Level()
    for part in parts:
        name, _, value = part.partition(b"=")
        # PHP's names are C strings: they end at a null byte.
        path = _path(_text(name).lstrip(" ").partition("\0")[0])
        if path:
            _put(tree, path, _text(value))
    return tree


def _text(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise ApiError("BROKEN_TEXT", "The body is not UTF-8.") from None


def _path(name: str) -> list[str | None]:
    """``a[b][]`` as ``["a", "b", None]``; empty if PHP ignores the parameter."""
    base, bracket, rest = name.partition("[")
    base = base.replace(" ", "_").replace(".", "_")
    if not base or not bracket:
        return [base] if base else []
    path: list[str | None] = [base]
    while bracket:
        if len(path) > MAX_DEPTH:
            raise ApiError("TOO_DEEP", f"Parameter {base} is nested over {MAX_DEPTH} levels.")
        key, closed, after = rest.partition("]")
        if not closed:
            return _unclosed(path, rest)
        # What follows a closing bracket counts only if it is the next opening one.
        bracket, rest = after[:1] if after[:1] == "[" else "", after[1:]
        path.append(None if key.strip(" \t\n\r\v\f") == "" and len(key) < 2 else key)
    return path


def _unclosed(path: list[str | None], rest: str) -> list[str | None]:
    """A bracket that nothing closes: on the first level part of the name, deeper ignored."""
    if len(path) > 1:
        return path
    return [f"{path[0]}_" + re.sub(r"[ .\[]", "_", rest)]


def _put(level: _Level, path: list[str | None], value: str) -> None:
    for key in path[:-1]:
        name = level.key(key)
        below = level.get(name)
        if not isinstance(below, _Level):
            below = level[name] = _Level()
        level = below
    level[level.key(path[-1])] = value
