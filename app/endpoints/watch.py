"""Ends queries that nobody waits for any more, and those that take too long.

One thread looks at every answer under way a few times a second: a portal that has hung up, or a
time limit that has passed, cancels the query from outside, also while the database is thinking.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from adapters.base import Cancellation

GONE = "the client is gone"
LATE = "the time limit has passed"

_TICK = 0.2
_HUNG_UP = select.POLLRDHUP | select.POLLHUP | select.POLLERR


@dataclass(eq=False)
class _Watched:
    client: socket.socket | None
    deadline: float
    cancellation: Cancellation


class Watch:
    """The answers under way in this process."""

    def __init__(self) -> None:
        self._watched: set[_Watched] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(
        self, client: socket.socket | None, seconds: float, cancellation: Cancellation
    ) -> Iterator[None]:
        """Cancel with :data:`GONE` or :data:`LATE` if that happens before the block ends."""
        entry = _Watched(client, time.monotonic() + seconds, cancellation)
        with self._changed:
            if self._thread is None:  # after the fork of a worker, and not before
                thread = threading.Thread(target=self._run, daemon=True, name="watch")
                thread.start()  # or fail, and be tried again
                self._thread = thread
            self._watched.add(entry)
            if len(self._watched) == 1:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._watched.discard(entry)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._watched)
                # Under the lock, so that no socket is closed and its number reused meanwhile.
                ended = [(e, reason) for e in self._watched if (reason := _reason(e))]
            for entry, reason in ended:
                with suppress(RuntimeError):  # no thread is to be had: at the next look
                    threading.Thread(
                        target=entry.cancellation.cancel, args=[reason], daemon=True
                    ).start()
                    with self._changed:
                        self._watched.discard(entry)
            time.sleep(_TICK)


def _reason(entry: _Watched) -> str | None:
    if time.monotonic() > entry.deadline:
        return LATE
    if entry.client is not None and _has_hung_up(entry.client):
        return GONE
    return None


def _has_hung_up(client: socket.socket) -> bool:
    poll = select.poll()
    try:
        poll.register(client, _HUNG_UP)
    except (OSError, ValueError):
        return True
    return bool(poll.poll(0))
