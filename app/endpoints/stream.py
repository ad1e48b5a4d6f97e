"""Sends an answer of any length: whole, or so that it can never be taken for whole."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from typing import cast

import orjson

from adapters.base import Adapter, Batch, Cancellation, Query
from adapters.errors import AdapterError, QueryCancelled, QueryTimeout
from app.endpoints.feed import Feed, ShortFeed, StillThinking, joined
from app.endpoints.gate import FEW_ROWS
from app.endpoints.packing import Packing, unpacked
from app.endpoints.watch import GONE, LATE, Watch
from app.errors import ApiError
from app.guard import GRACE

# White space between values is part of JSON, and resets a portal's patience of 60 s.
_HEARTBEAT = b" "
# Seconds in which few rows are read in the thread of their request.
_TRIAL = 1.0


class AnswerBroken(BrokenPipeError):
    """The answer cannot be finished; the connection is closed without its end.

    To the server it is like a client that has gone: there is nothing to report, or to send.
    """

    def __init__(self) -> None:
        super().__init__(errno.EPIPE, "the answer broke off; the log of requests says why")


@dataclass(frozen=True)
class Limits:
    """``seconds`` for all of an answer, the client's own slowness included.

    ``heartbeat`` is how long a client is left without a byte, in seconds; ``rows`` the most rows
    that may be sent, 0 for any number.
    """

    seconds: float
    heartbeat: float
    rows: int = 0


class Answer:
    """An open answer: either it has its first rows, or it is worth waiting for them."""

    def __init__(
        self,
        adapter: Adapter,
        query: Query,
        header: Sequence[str],
        limits: Limits,
        *,
        gate: AbstractContextManager[None],
        client: socket.socket | None,
        watch: Watch,
    ) -> None:
        """Run ``query`` and wait for its first rows, so that an early failure has its own status.

        A query that gives none within a heartbeat is believed to be slow and no more: what becomes
        of it is seen by :meth:`body`. Raises AdapterError, and ApiError TOO_MANY_ROWS.
        """
        self.rows = 0
        self.length: int | None = None
        self.outcome = GONE  # until something else is known
        self._limits = limits
        self._client = client
        self._deadline = time.monotonic() + limits.seconds
        self.cancellation = Cancellation()
        self._open = ExitStack()
        try:
            self._open.enter_context(gate)
            few = query.limit is not None and query.limit <= FEW_ROWS
            self._start = b"[" + orjson.dumps(header)
            self._first: Batch | None = _NOTHING_YET
            if few and adapter.prompt:
                self._first = self._counted(self._tried(adapter, query, watch))
            if self._first is _NOTHING_YET:
                self._open.enter_context(watch.over(client, self._left(), self.cancellation))
                batches = cast("Generator[Batch]", adapter.json_rows(query, self.cancellation))
                self._feed = ShortFeed(batches) if few else Feed(batches)
                self._open.callback(self._leave)
                self._first = self._next()
            if few and self._first is not _NOTHING_YET:
                self._start += (b"," + self._first.json if self._first else b"") + b"]"
                self.length = len(self._start)
        except BaseException:
            self.close()
            raise

    def body(self, packed: Packing = unpacked) -> Iterator[bytes]:
        """The JSON text in pieces; raises AnswerBroken instead of giving the last one.

        ``length`` is how many bytes that will be, if it is known; these are not ``packed``.
        """
        try:
            if self.length is not None:
                yield self._in_time(self._start)
            else:
                yield from self._stream(packed)
            self.outcome = "complete"
            if self._client is not None:
                self._client.settimeout(None)
        except (AdapterError, ApiError) as error:
            self.outcome = self.cancellation.reason or f"{type(error).__name__}: {error}"
            raise AnswerBroken from None
        finally:
            self.close()

    def _stream(self, packed: Packing) -> Iterator[bytes]:
        start, batch = self._start, self._first
        while batch is not None:
            if batch.rows:
                yield self._in_time(packed(start + b"," + batch.json))
            else:
                yield self._in_time(packed(start + _HEARTBEAT))
            start = b""
            batch = self._next()
        yield self._in_time(packed(start + b"]", last=True))

    def close(self) -> None:
        """End the query if it still runs, and give everything back."""
        if self.outcome == GONE and time.monotonic() >= self._deadline:
            self.outcome = LATE
        self._open.close()

    def _leave(self) -> None:
        if self.outcome != "complete":
            self._feed.stop()
            self.cancellation.cancel(GONE)
        self._feed.close()

    def _tried(self, adapter: Adapter, query: Query, watch: Watch) -> Batch | None:
        """All rows, read in this thread, or none of them if that takes too long.

        Nothing can be sent meanwhile, so a query that thinks is ended, to be asked again in a
        thread of its own: to hand over costs more than most short queries do.
        """
        seconds = min(_TRIAL, self._limits.heartbeat, self._left())
        trial = Cancellation()
        with watch.over(self._client, seconds, trial):
            try:
                with closing(cast("Generator[Batch]", adapter.json_rows(query, trial))) as batches:
                    return joined(batches)
            except AdapterError as error:
                # A database that could not be reached at all is not asked twice.
                ended = trial.begun or isinstance(error, QueryCancelled)
                if trial.reason == LATE and ended:
                    return _NOTHING_YET
                raise

    def _next(self) -> Batch | None:
        """The next rows, none of them if it is time for a heartbeat, or None after the last."""
        left = self._left() + GRACE
        try:
            batch = self._feed.next(max(0.0, min(self._limits.heartbeat, left)))
        except StillThinking:
            if left <= self._limits.heartbeat:
                raise QueryTimeout("the adapter takes no notice of the time limit") from None
            return _NOTHING_YET
        except QueryCancelled as error:
            if self.cancellation.reason == LATE:
                raise QueryTimeout(LATE) from error
            raise
        return self._counted(batch)

    def _counted(self, batch: Batch | None) -> Batch | None:
        self.rows += batch.rows if batch else 0
        if self._limits.rows and self.rows > self._limits.rows:
            raise ApiError(
                "TOO_MANY_ROWS",
                f"The answer has more than the {self._limits.rows} rows that this source gives at "
                "once; narrow the filter or the date range.",
            )
        return batch

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def _in_time(self, piece: bytes) -> bytes:
        """``piece``, to be sent within the time that is left, by the server after this returns."""
        if self._client is not None:
            left = self._left()
            if left <= 0:
                raise QueryTimeout(LATE)  # also if only the client is slow
            self._client.settimeout(left)
        return piece


_NOTHING_YET = Batch(0, b"")
