"""Limits how many answers are under way at once, so that long ones leave room for short ones."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import ApiError
from app.ops.metrics import UNDER_WAY

# A preview asks for 20 rows; whoever asks for so few may pass, however many long answers there are.
FEW_ROWS = 100
_RETRY_AFTER = 5


class Gate:
    """The long answers under way in this process."""

    def __init__(self, limit: int) -> None:
        """Let ``limit`` of them through at once, whatever their sources."""
        self._limit = limit
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()

    @contextmanager
    def passing(self, source: str, limit: int, rows: int | None) -> Iterator[None]:
        """Be inside for the time of the block; ``limit`` is that of the source.

        ``rows`` is the most that the answer may have, None for any number. Raises ApiError
        TOO_BUSY.
        """
        if rows is not None and rows <= FEW_ROWS:
            with UNDER_WAY.labels(source).track_inprogress():
                yield
            return
        with self._lock:
            if self._inside[source] >= limit or self._inside.total() >= self._limit:
                raise ApiError(
                    "TOO_BUSY",
                    f"As many answers as source {source} or the service may give at once are "
                    f"under way; try again in {_RETRY_AFTER} seconds.",
                    retry_after=_RETRY_AFTER,
                )
            self._inside[source] += 1
        try:
            with UNDER_WAY.labels(source).track_inprogress():
                yield
        finally:
            with self._lock:
                self._inside[source] -= 1
