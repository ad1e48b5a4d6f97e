"""Lets threads of one process read in turns, where their driver would make them fight.

sqlite3 gives up the interpreter's lock at every row. With several threads that read, each row then
costs a change of threads, which is slower than the row; in turns of a batch it is not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds, many times what a batch takes: whoever has the turn for longer does not read but think.
_PATIENCE = 0.05


class Turns:
    """One thread at a time, but for those that take too long: they are overtaken."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn, and have it in the block."""
        turn = self._turn
        if not turn.acquire(timeout=_PATIENCE):
            # Of several that overtake at once each has a turn of its own, until the next batch.
            turn = self._turn = threading.Lock()
            turn.acquire()
        try:
            yield
        finally:
            turn.release()
