"""Limits how much is under way at once, so that no source takes all threads from the others."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import ApiError
from app.ops.metrics import UNDER_WAY
from app.sources import Place

# A preview asks for 20 rows; whoever asks for so few may pass, however many long answers there are.
FEW_ROWS = 100
# Checks, lists, descriptions and previews of one place: of the 32 threads of a worker.
VISITS = 8
# So many of them for one client address, where they are counted by it.
SHARE = VISITS // 2
# In seconds: where a place is taken for so long, nobody waits for it.
_PATIENCE = 1.0
_RETRY_AFTER = 5


class Gate:
    """The answers and visits under way in this process."""

    def __init__(self, limit: int) -> None:
        """Let ``limit`` long answers through at once, whatever their sources."""
        self._limit = limit
        self._lock = threading.Lock()
        self._inside: Counter[Place] = Counter()
        self._left = threading.Condition()
        self._visits: defaultdict[Place, dict[object, float]] = defaultdict(dict)

    @contextmanager
    def passing(self, place: Place, limit: int, rows: int | None) -> Iterator[None]:
        """Be inside for the time of the block; ``limit`` is that of the place.

        ``rows`` is the most that the answer may have, None for any number. Raises ApiError
        TOO_BUSY.
        """
        few = rows is not None and rows <= FEW_ROWS
        with (
            self.visiting(place) if few else self._answering(place, limit),
            UNDER_WAY.labels(place.source).track_inprogress(),
        ):
            yield

    @contextmanager
    def visiting(self, place: Place) -> Iterator[None]:
        """Ask a place something short in the block.

        With :data:`VISITS` inside, or a client's :data:`SHARE`, one waits for the next to leave,
        unless the place has kept somebody for so long that it seems to hang. Raises ApiError
        TOO_BUSY.
        """
        visit = object()
        most = VISITS if place.client is None else SHARE
        with self._left:
            while len(inside := self._visits[place]) >= most:
                left = next(iter(inside.values())) + _PATIENCE - time.monotonic()
                if left <= 0:
                    raise _busy()
                self._left.wait(left)
            inside[visit] = time.monotonic()
        try:
            yield
        finally:
            with self._left:
                del inside[visit]
                if not inside:
                    self._visits.pop(place, None)
                self._left.notify_all()

    @contextmanager
    def _answering(self, place: Place, limit: int) -> Iterator[None]:
        with self._lock:
            if self._inside[place] >= limit or self._inside.total() >= self._limit:
                raise _busy()
            self._inside[place] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[place] -= 1
                self._inside += Counter()  # forgets who is at nought


def _busy() -> ApiError:
    return ApiError(
        "TOO_BUSY",
        "As many requests as this source, or the service, may answer at once are under way; "
        f"try again in {_RETRY_AFTER} seconds.",
        retry_after=_RETRY_AFTER,
    )
