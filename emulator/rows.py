"""Reads an answer of the data endpoint while it arrives: an array of arrays, the header first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

Row = list[Any]
_ENOUGH = 262_144


class BrokenAnswerError(Exception):
    """The answer is not a complete JSON array of arrays."""


def batches(blocks: Iterable[bytes]) -> Iterator[list[Row]]:
    """Yield rows in batches, as soon as they are complete, and insist on the closing bracket.

    White space between the parts is allowed anywhere: a patient connector sends it to keep the
    connection alive.
    """
    buffer = b""
    opened = False
    wanted = 1
    for block in blocks:
        buffer += block
        if not opened:
            buffer = buffer.lstrip()
            if not buffer:
                continue
            if not buffer.startswith(b"["):
                raise BrokenAnswerError("The answer is not a JSON array.")
            buffer, opened = buffer[1:], True
        if len(buffer) >= wanted:
            rows, buffer = _take(buffer)
            if rows:
                yield rows
            # The first rows are shown at once, later ones are decoded in larger pieces.
            wanted = _ENOUGH if rows else 2 * len(buffer) + 1
    yield from _rest(buffer)


def _rest(buffer: bytes) -> Iterator[list[Row]]:
    # What is left has to end with the bracket that closes the answer, or it does not parse.
    rows = _parse(b"[" + buffer)
    if rows is None:
        raise BrokenAnswerError("The answer breaks off, or is not valid JSON.")
    if rows:
        yield rows


def _take(buffer: bytes) -> tuple[list[Row], bytes]:
    """Split off the complete rows: up to the last bracket that closes one and has another after it.

    A bracket inside a text can look the same, but cutting there leaves the text open, which does
    not parse; then an earlier bracket is tried.
    """
    end = len(buffer)
    while (end := buffer.rfind(b"]", 0, end)) >= 0:
        rest = buffer[end + 1 :].lstrip()
        if rest.startswith(b","):
            rows = _parse(b"[" + buffer[: end + 1] + b"]")
            if rows is not None:
                return rows, rest[1:]
    return [], buffer


def _parse(text: bytes) -> list[Row] | None:
    try:
        rows = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not all(isinstance(row, list) for row in rows):
        raise BrokenAnswerError("A row is not an array.")
    return list(rows)
