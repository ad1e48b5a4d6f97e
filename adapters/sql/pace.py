"""How many rows are read at a time."""

from __future__ import annotations

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

    def learn(self, rows: int, size: int) -> None:
        """So many rows were ``size`` bytes of JSON."""
        self.rows = max(1, min(_MOST_ROWS, _BYTES * rows // size))
