"""Sends an answer of any length: whole, or so that it can never be taken for whole."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import orjson

from adapters.base import Adapter, Batch, Cancellation, Query
from adapters.errors import AdapterError, QueryCancelled, QueryTimeout
from app.endpoints.watch import GONE, LATE, Watch
from app.errors import ApiError


class AnswerBroken(Exception):
    """The answer cannot be finished; the connection is closed without its end."""


class Answer:
    """An open answer: its first rows are here, the rest is still in the database."""

    def __init__(
        self,
        adapter: Adapter,
        query: Query,
        *,
        seconds: float,
        max_rows: int,
        client: socket.socket | None,
        watch: Watch,
    ) -> None:
        """Run ``query`` and wait for its first rows, so that an early failure has its own status.

        ``seconds`` is the time for all of it, the client's own slowness included; ``max_rows``
        the most rows that may be sent, 0 for any number. Raises AdapterError, and ApiError
        TOO_MANY_ROWS.
        """
        self.rows = 0
        self.outcome = GONE  # until something else is known
        self._max_rows = max_rows
        self._client = client
        self._deadline = time.monotonic() + seconds
        self.cancellation = Cancellation()
        self._open = ExitStack()
        try:
            self._open.enter_context(watch.over(client, seconds, self.cancellation))
            batches = adapter.json_rows(query, self.cancellation)
            self._open.callback(_close, batches)
            first = self._next(batches)
        except BaseException:
            self.close()
            raise
        self._batches = itertools.chain([first] if first else [], self._rest(batches))

    def body(self, header: Sequence[str]) -> Iterator[bytes]:
        """The JSON text in pieces; raises AnswerBroken instead of giving the last one."""
        try:
            start = b"[" + orjson.dumps(header)
            for batch in self._batches:
                yield self._in_time(start + b"," + batch.json)
                start = b""
            yield self._in_time(start + b"]")
            self.outcome = "complete"
            if self._client is not None:
                self._client.settimeout(None)
        except (AdapterError, ApiError) as error:
            self.outcome = self.cancellation.reason or f"{type(error).__name__}: {error}"
            raise AnswerBroken("the answer broke off; the log of requests says why") from None
        finally:
            self.close()

    def close(self) -> None:
        """End the query if it still runs, and give everything back."""
        if self.outcome == GONE and time.monotonic() >= self._deadline:
            self.outcome = LATE
        self._open.close()

    def _rest(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        while batch := self._next(batches):
            yield batch

    def _next(self, batches: Iterator[Batch]) -> Batch | None:
        try:
            batch = next(batches, None)
        except QueryCancelled as error:
            if self.cancellation.reason == LATE:
                raise QueryTimeout(LATE) from error
            raise
        self.rows += batch.rows if batch else 0
        if self._max_rows and self.rows > self._max_rows:
            raise ApiError(
                "TOO_MANY_ROWS",
                f"The answer has more than the {self._max_rows} rows that this source gives at "
                "once; narrow the filter or the date range.",
            )
        return batch

    def _in_time(self, piece: bytes) -> bytes:
        """``piece``, to be sent within the time that is left, by the server after this returns."""
        if self._client is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise QueryTimeout("the client reads too slowly")
            self._client.settimeout(left)
        return piece


def _close(batches: Iterator[Batch]) -> None:
    close = getattr(batches, "close", None)
    if close is not None:
        close()
