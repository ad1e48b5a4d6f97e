"""How many rows are read at a time."""

from __future__ import annotations

from adapters.base import Batch

# As many rows as make a piece of this size: large enough for what a piece costs, however many rows
# it has, and small enough for the memory of a worker that holds a few of each answer.
_BYTES = 128 * 1024
_MOST_ROWS = 2000
# Of the first rows nothing is known yet.
FIRST_ROWS = 100


class Pace:
    """``rows`` is how many to read next, so that memory stays flat however wide they are."""

    def __init__(self) -> None:
        self.rows = FIRST_ROWS

    def batch(self, rows: int, json: bytes) -> Batch:
        """The rows that were read, from which is learned how wide rows are."""
        self.rows = max(1, min(_MOST_ROWS, _BYTES * rows // len(json)))
        return Batch(rows, json)
