"""Stands between the service and an adapter, which anybody may have written.

Whatever an adapter does wrong becomes an error of its own source: an exception that it may not
raise, values that are not what they have to be, calls that never return.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from adapters.base import (
    Adapter,
    Batch,
    Cancellation,
    Capability,
    Field,
    FieldType,
    Options,
    Query,
    Row,
    Table,
)
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SourceUnavailable,
)
from app.threads import submit

log = logging.getLogger("b24.adapter")

# Calls that were given up and run on, until no more are made.
MOST_LOST = 8
# Seconds beyond the time limit, or after a cancellation, in which a call may still end by itself.
GRACE = 2.0
# A look whether a source answers takes no longer, in seconds: all sources wait for it in turns.
_CHECK = 20.0

T = TypeVar("T")


class Guard(Adapter):
    """An adapter that keeps to the rules of :class:`adapters.base.Adapter`, or fails by itself.

    Its errors name the class and the method; a traceback of what is not an error of
    :mod:`adapters.errors` stands in the log.
    """

    def __init__(self, adapter: Adapter, options: Options) -> None:
        super().__init__("", options)
        self.case_sensitive_names = adapter.case_sensitive_names
        self.prompt = adapter.prompt
        self._adapter = adapter
        self._name = f"{type(adapter).__module__}.{type(adapter).__qualname__}"
        self._calls: set[_Call] = set()
        self._lock = threading.Lock()

    def check(self) -> None:
        limit = min(_CHECK, self.options.timeout.total_seconds())
        self._ask("check", self._adapter.check, limit)

    def tables(self) -> list[Table]:
        return self._ask("tables", lambda: _tables(self._adapter.tables()))

    def describe(self, table: Table) -> list[Field]:
        reason = self._adapter.lacks.get(Capability.STATEMENTS)
        if table.sql is not None and reason is not None:
            raise QueryFailed(f"{self._name} takes no queries of the configuration: {reason}")
        return self._ask("describe", lambda: _fields(self._adapter.describe(table)))

    def rows(self, query: Query, cancellation: Cancellation) -> Iterator[list[Row]]:
        """Not used by the service, and not guarded."""
        return self._adapter.rows(query, cancellation)

    def json_rows(self, query: Query, cancellation: Cancellation) -> Generator[Batch]:
        with self._call(cancellation):
            batches = self._contain("json_rows", partial(self._open, query, cancellation))
            step: Callable[[], Batch] = partial(next, batches, _END)
            rows = 0
            try:
                while True:
                    batch = self._contain("json_rows", step)
                    if cancellation.reason is not None:  # what came may be less than there is
                        raise QueryCancelled(cancellation.reason)
                    if batch is _END:
                        return
                    self._contain("json_rows", partial(_check_batch, batch))
                    rows += batch.rows
                    if query.limit is not None and rows > query.limit:
                        raise QueryFailed(
                            f"{self._name}.json_rows gave more rows than the limit of {query.limit}"
                        )
                    if batch.rows:
                        yield batch
            finally:
                self._contain("json_rows", getattr(batches, "close", _nothing))

    def _open(self, query: Query, cancellation: Cancellation) -> Iterator[Batch]:
        return iter(self._adapter.json_rows(query, cancellation))

    def close(self) -> None:
        with suppress(AdapterError):
            self._wait("close", submit(self._contain, "close", self._adapter.close), GRACE)

    def _ask(self, method: str, call: Callable[[], T], seconds: float | None = None) -> T:
        """What ``call`` returns, if it does so in time."""
        limit = self.options.timeout.total_seconds() if seconds is None else seconds
        given_up = Cancellation()

        def ask() -> T:
            with self._call(given_up):
                return self._contain(method, call)

        try:
            return self._wait(method, submit(ask), limit + GRACE)
        except QueryTimeout:
            given_up.cancel("nobody waits for it any more")
            raise

    def _wait(self, method: str, answer: Future[T], seconds: float) -> T:
        try:
            return answer.result(seconds)
        except TimeoutError:
            raise QueryTimeout(f"{self._name}.{method} does not come back") from None

    def _contain(self, method: str, call: Callable[[], T]) -> T:
        """What ``call`` returns; whatever it raises is an error of the source."""
        try:
            return call()
        except QueryFailed as error:
            raise QueryFailed(f"{self._name}.{method}: {error}") from error
        except AdapterError:
            raise
        except BaseException as error:
            log.error("adapter %s.%s broke", self._name, method, exc_info=error)  # noqa: TRY400
            raise QueryFailed(f"{self._name}.{method} raised {type(error).__name__}") from None

    @contextmanager
    def _call(self, cancellation: Cancellation) -> Iterator[None]:
        """Counts a call for as long as it runs; raises SourceUnavailable if too many are lost."""
        call = _Call(cancellation)
        with self._lock:
            lost = sum(call.is_lost() for call in self._calls)
            if lost >= MOST_LOST:
                raise SourceUnavailable(
                    f"{lost} calls of {self._name} do not come back; it has to be repaired"
                )
            self._calls.add(call)
        try:
            yield
        finally:
            with self._lock:
                self._calls.discard(call)


@dataclass(eq=False)
class _Call:
    cancellation: Cancellation
    seen: float | None = None  # when it was first noticed that it had been cancelled

    def is_lost(self) -> bool:
        """Whether it runs on although it was cancelled a while ago."""
        if self.cancellation.reason is None:
            return False
        if self.seen is None:
            self.seen = time.monotonic()
        return time.monotonic() - self.seen > GRACE


_END = Batch(0, b"")


def _nothing() -> None:
    pass


def _check_batch(batch: Batch) -> None:
    """What can be seen without reading it."""
    whole = (
        isinstance(batch, Batch)
        and isinstance(batch.rows, int)
        and isinstance(batch.json, bytes)
        and (batch.json[:1], batch.json[-1:]) == ((b"[", b"]") if batch.rows else (b"", b""))
    )
    if not whole:
        raise QueryFailed("gave something that is no batch of rows as JSON")


def _tables(found: Iterable[Table]) -> list[Table]:
    tables = list(found)
    for table in tables:
        if not isinstance(table, Table):
            raise QueryFailed(f"gave a {type(table).__name__} for a table")
        if not (_is_text(table.name) and _is_text(table.schema or "") and _is_text(table.comment)):
            raise QueryFailed("gave a table of which the name or the comment is no text")
    _refuse_twice((table.schema, table.name) for table in tables)
    return tables


def _fields(found: Iterable[Field]) -> list[Field]:
    fields = list(found)
    for field in fields:
        if not isinstance(field, Field):
            raise QueryFailed(f"gave a {type(field).__name__} for a field")
        if not (_is_text(field.name) and _is_text(field.comment)):
            raise QueryFailed("gave a field of which the name or the comment is no text")
        if not isinstance(field.type, FieldType):
            raise QueryFailed(f"gave the field {field.name!r} a type that is no FieldType")
    _refuse_twice(field.name for field in fields)
    return fields


def _refuse_twice(names: Iterable[Any]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise QueryFailed(f"gave {name!r} {times} times")


def _is_text(value: Any) -> bool:
    """Half of a surrogate pair is no text: no JSON could hold it."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
