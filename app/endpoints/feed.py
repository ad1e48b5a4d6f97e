"""Reads from a database in a thread of its own, so that whoever waits for it can do so in turns."""

from __future__ import annotations

import queue
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from contextlib import closing, suppress

from adapters.base import Batch
from app.threads import submit

# How many batches are read before they are sent: enough for the database not to wait for the
# network at every batch, few enough for the memory of a worker.
_AHEAD = 2

# Seconds in which a query that was ended has to leave the database; then it is waited for no more.
_PATIENCE = 2.0


class StillThinking(Exception):
    """Nothing came within the time that one was willing to wait."""


class Feed:
    """The batches of one answer, in order; take them with :meth:`next` from one thread only."""

    def __init__(self, batches: Generator[Batch]) -> None:
        """Begin to read at once."""
        self._ready: queue.Queue[Batch | Exception | None] = queue.Queue(_AHEAD)
        self._unwanted = False
        self._reading: Future[None] = submit(self._read, batches)

    def next(self, seconds: float) -> Batch | None:
        """The next batch, or None after the last one.

        Raises :class:`StillThinking` if there is none within ``seconds``, and what reading raised.
        """
        try:
            item = self._ready.get(timeout=seconds)
        except queue.Empty:
            raise StillThinking from None
        try:
            if isinstance(item, Exception):
                raise item
            return item
        finally:
            del item  # or an error and this frame would keep each other, and a connection, alive

    def stop(self) -> None:
        """Take nothing any more; reading ends with the batch that it is at."""
        self._unwanted = True
        with suppress(queue.Empty):
            while True:
                self._ready.get_nowait()

    def close(self) -> None:
        """Wait until the database is left, if it can be within a few seconds.

        A query that still thinks has to be cancelled before.
        """
        self.stop()
        with suppress(TimeoutError):
            self._reading.result(_PATIENCE)

    def _read(self, batches: Generator[Batch]) -> None:
        try:
            with closing(batches):
                for batch in batches:
                    self._ready.put(batch)
                    if self._unwanted:
                        return
        except Exception as error:
            self._ready.put(error)
        else:
            self._ready.put(None)


def joined(batches: Iterable[Batch]) -> Batch | None:
    """All of them as one; None if there are no rows."""
    found = list(batches)
    if not found:
        return None
    return Batch(sum(batch.rows for batch in found), b",".join(batch.json for batch in found))


class ShortFeed:
    """The same for an answer of few rows, which come all at once: threads wait for each other once.

    Nothing has to be stopped: reading ends with its query.
    """

    def __init__(self, batches: Generator[Batch]) -> None:
        """Begin to read at once."""
        self._ready: queue.SimpleQueue[Batch | Exception | None] = queue.SimpleQueue()
        self._taken = False
        submit(self._read, batches)

    def next(self, seconds: float) -> Batch | None:
        """As of :class:`Feed`."""
        if self._taken:
            return None
        try:
            item = self._ready.get(timeout=seconds)
        except queue.Empty:
            raise StillThinking from None
        self._taken = True
        try:
            if isinstance(item, Exception):
                raise item
            return item
        finally:
            del item  # or an error and this frame would keep each other, and a connection, alive

    def stop(self) -> None:
        """As of :class:`Feed`."""

    def close(self) -> None:
        """As of :class:`Feed`."""
        if not self._taken:
            with suppress(queue.Empty):
                self._ready.get(timeout=_PATIENCE)
            self._taken = True

    def _read(self, batches: Generator[Batch]) -> None:
        try:
            with closing(batches):
                found = joined(batches)
        except Exception as error:
            self._ready.put(error)
        else:
            self._ready.put(found)
