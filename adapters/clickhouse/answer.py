"""Cuts what ClickHouse writes as ``FORMAT JSONCompact`` into batches, without parsing the rows.

Such an answer is one document: the columns, the rows one per line, and at the end the number of
rows. A text in JSON holds no raw line break, so the ends of rows are found by their bytes. The end
is the proof that the answer is whole: a server that fails half-way appends its error to what it
has sent, under status 200, and then may even end the answer in good order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from adapters.base import Batch

FORMAT = "JSONCompact"

_START = b'\t"data":\n\t[\n'
_BETWEEN = b"],\n\t\t["
_END = b"\n\t],\n"
_LAYOUT = b"\n\t"
_LAYOUT_OF_A_ROW = b"\n\t\t"
_ERROR = re.compile(rb"Code: (\d+)\. DB::(?:Net|TCP|HTTP)?Exception: ")
_MOST_OF_AN_ERROR = 2000


class BrokenAnswer(Exception):
    """The answer ends before its end; ``code`` is that of the server's error, if it gave one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


def answer(pieces: Iterable[bytes]) -> tuple[list[str], Iterator[Batch]]:
    """Types and rows of an answer that comes in ``pieces``; the rows as they come.

    Raises :class:`BrokenAnswer`, now or at the end, unless all rows come that the server counts.
    """
    unread = iter(pieces)
    head = b""
    for piece in unread:
        head += piece
        head, started, rest = head.partition(_START)
        if started:
            types = [
                column["type"] for column in json.loads(head.rstrip().rstrip(b",") + b"}")["meta"]
            ]
            return types, _batches(rest.removeprefix(b"\t\t"), unread)
    raise _broken(head)


def _batches(rest: bytes, unread: Iterator[bytes]) -> Iterator[Batch]:
    count = 0
    for piece in unread:
        rest += piece
        end = rest.rfind(_BETWEEN)
        if end >= 0:
            batch = _batch(rest[: end + 1])
            rest = rest[end + len(_BETWEEN) - 1 :]
            count += batch.rows
            yield batch
    lines, ended, trailer = rest.partition(_END)
    last = _batch(lines) if lines else Batch(0, b"")
    if not ended or _announced(trailer) != count + last.rows:
        raise _broken(rest)
    if last.rows:
        yield last


def _batch(lines: bytes) -> Batch:
    """Whole rows: what goes of them is what parts them, as texts have such characters escaped."""
    rows = lines.translate(None, _LAYOUT)
    return Batch((len(lines) - len(rows)) // len(_LAYOUT_OF_A_ROW) + 1, rows)


def _announced(trailer: bytes) -> int | None:
    """How many rows the server says it has sent; None if it says that it has failed."""
    try:
        said = json.loads(b"{" + trailer)
    except ValueError:
        return None
    rows = said.get("rows")
    return rows if isinstance(rows, int) and "exception" not in said else None


def _broken(rest: bytes) -> BrokenAnswer:
    """What the server says at the end of an answer that it could not finish."""
    errors = list(_ERROR.finditer(rest))
    if not errors:
        return BrokenAnswer("the answer ends before its end")
    text = rest[errors[-1].start() :][:_MOST_OF_AN_ERROR].decode(errors="replace")
    return BrokenAnswer(text.strip(), int(errors[-1][1]))
