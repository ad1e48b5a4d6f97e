"""Breaks connections to servers that have fallen silent.

A server that hangs, or that a dead network hides, sends neither an answer nor an end, and a driver
waits for either of them forever. One thread per process shuts the connection's socket down when
its time has passed; the driver then sees it closed.
"""

from __future__ import annotations

import atexit
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


def sever(descriptor: int) -> None:
    """End the connection behind ``descriptor`` both ways, whatever waits on it."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as twin:
        twin.shutdown(socket.SHUT_RDWR)


@dataclass(eq=False)
class _Set:
    due: float
    seconds: float
    action: Callable[[], object]


class Alarms:
    """Actions that are called when their time comes, unless they are taken back before."""

    def __init__(self) -> None:
        self._set: set[_Set] = set()
        self._changed = threading.Condition()
        self._next = float("inf")
        self._thread: threading.Thread | None = None
        self._ended = False

    @contextmanager
    def every(self, seconds: float, action: Callable[[], object]) -> Iterator[None]:
        """Call ``action`` when the block has taken ``seconds``, and again until it ends.

        It must not block, and it is never called after the block.
        """
        entry = _Set(time.monotonic() + seconds, seconds, action)
        with self._changed:
            if self._thread is None:  # after the fork of a worker, and not before
                thread = threading.Thread(target=self._run, daemon=True, name="alarms")
                thread.start()  # or fail, and be tried again
                self._thread = thread
                # A driver in C++ complains of threads that are there when all else is gone.
                atexit.register(self._end)
            self._set.add(entry)
            if entry.due < self._next:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._set.discard(entry)

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(1)

    def _run(self) -> None:
        with self._changed:
            while not self._ended:
                now = time.monotonic()
                for entry in self._set:
                    if entry.due <= now:
                        entry.due = now + entry.seconds
                        # Whatever is wrong with one connection, the others need this thread.
                        with suppress(Exception):
                            entry.action()
                self._next = min((entry.due for entry in self._set), default=float("inf"))
                self._changed.wait(None if not self._set else self._next - now)


ALARMS = Alarms()
