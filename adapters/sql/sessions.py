"""Connections to a SQL database: pooled, limited in time, and cut off when nothing else helps."""

from __future__ import annotations

import inspect
import logging
import struct
import threading
import time
import traceback
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import exc

from adapters.alarm import ALARMS, sever
from adapters.base import Adapter, Cancellation, Options
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SourceUnavailable,
)
from adapters.parameters import refuse_unknown

# Seconds in which a server has to let us in, of a longer time limit.
ENTRY = 10.0
# Seconds beyond the time limit in which a server may say by itself that it has passed.
GRACE = 1.0
# Of the time limit: the clocks of two machines do not go quite alike.
_NEARLY_ALL = 0.99

# A connection that breaks is ours to report; the pool would add a traceback.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


class SqlSessions(Adapter):
    """Keeps a pool of SQLAlchemy's connections, and lends one for each query.

    An engine has to say which SQLAlchemy driver it uses, what a new connection is told, how a
    running statement is ended from another thread, and what its driver's errors mean.
    """

    driver: ClassVar[str]
    """SQLAlchemy's ``dialect+driver``."""
    parameters: ClassVar[Iterable[str] | None] = None
    """What may follow in the URL; None for what the driver's ``connect`` takes, if it says so."""

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        self.entry_seconds = min(ENTRY, options.timeout.total_seconds() / 2)
        # The connection that this thread is about to get from the pool.
        self._entering = threading.local()
        given = sa.make_url(url)
        parsed = given.set(drivername=self.driver)
        pool: dict[str, Any] = {
            "pool_recycle": 1800,
            "pool_size": 5,
            "max_overflow": 20,
            "pool_timeout": 10,
            "pool_use_lifo": True,
        }
        self.engine = sa.create_engine(
            self.prepare_url(parsed), hide_parameters=True, **(pool | self.engine_options())
        )
        self._refuse_unknown(given)
        # Before SQLAlchemy's own first questions, which may meet silence too.
        sa.event.listen(self.engine, "connect", self._enter, insert=True)
        sa.event.listen(self.engine, "connect", lambda raw, _: self.prepare_session(raw))
        sa.event.listen(self.engine, "checkout", self._revive)

    def _refuse_unknown(self, url: sa.URL) -> None:
        known, given = self.parameters, set(url.query)
        if known is None:
            try:
                takes = inspect.signature(self.engine.dialect.loaded_dbapi.connect).parameters
            except ValueError:
                return
            if any(each.kind is each.VAR_KEYWORD for each in takes.values()):
                return
            # Without those that SQLAlchemy makes something else of.
            given &= self.engine.dialect.create_connect_args(self.engine.url)[1].keys()
            known = takes
        refuse_unknown(url.drivername, sorted(given), known)

    def prepare_url(self, url: sa.URL) -> sa.URL:
        """The URL as the driver wants it."""
        return url

    def engine_options(self) -> dict[str, Any]:
        """More arguments for SQLAlchemy's ``create_engine``."""
        return {}

    @abstractmethod
    def prepare_session(self, raw: Any) -> None:
        """Make a new connection of the driver read-only, limited in time, and set its time zone."""

    def ping(self, raw: Any) -> None:
        """Return if a connection of the driver works, or raise the driver's error."""
        self.engine.dialect.do_ping(raw)

    @abstractmethod
    def interrupt(self, raw: Any) -> None:
        """End what runs on a connection of the driver; called from another thread."""

    def descriptor(self, raw: Any) -> int | None:
        """The socket of a connection of the driver, if it has one."""
        return None

    @abstractmethod
    def translate(self, error: Exception) -> AdapterError:
        """What an error of the driver means."""

    @contextmanager
    def session(self, cancellation: Cancellation) -> Iterator[sa.Connection]:
        """A connection from the pool; the driver's errors become ours."""
        raw: Any = None
        limit = self.options.timeout.total_seconds()
        over, seconds = time.monotonic() + _NEARLY_ALL * limit, limit + GRACE
        try:
            # The alarm also covers what is said when the connection goes back to the pool.
            with ALARMS.every(seconds, lambda: self._sever(raw)), self._connected() as connection:
                raw = connection.connection.dbapi_connection
                try:
                    with cancellation.by(lambda: self.interrupt(raw), lambda: self._sever(raw)):
                        yield connection
                except self.engine.dialect.loaded_dbapi.Error as error:
                    if self.engine.dialect.is_disconnect(error, raw, None):
                        connection.invalidate()
                    raise
                finally:
                    if cancellation.reason is not None:
                        # Whatever still travels to end this query must not meet another one.
                        connection.invalidate()
        except exc.DBAPIError as error:
            raise _or_late(self._meaning(error), cancellation, over) from None
        except UnicodeError as error:
            raise QueryFailed(f"the database gave a text that is none: {error}") from None
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise _or_late(self.translate(error), cancellation, over) from None

    def _meaning(self, error: exc.DBAPIError) -> AdapterError:
        original = error.orig
        if isinstance(original, Exception):
            return self.translate(original)
        return SourceUnavailable(type(original).__name__)

    def _connected(self) -> sa.Connection:
        """A connection from the pool that is known to work, in a time that is known too."""
        mine = self._entering
        mine.raw = mine.fresh = None
        waiting = vars(mine)  # of this thread, which the alarm's is not
        with ALARMS.every(self.entry_seconds, lambda: self._sever(waiting["raw"])):
            try:
                return self.engine.connect()
            except exc.DBAPIError as error:
                if error.orig is not None:
                    # A driver's half of a connection lives on in them until garbage is collected.
                    traceback.clear_frames(error.orig.__traceback__)
                # Whatever it is: there is no query yet that could have failed.
                raise SourceUnavailable(*self._meaning(error).args) from None
            except self.engine.dialect.loaded_dbapi.Error as error:
                raise SourceUnavailable(*self.translate(error).args) from None
            except exc.TimeoutError:
                raise SourceUnavailable("every connection of this source is in use") from None
            except (UnicodeError, AssertionError, IndexError, struct.error) as error:
                # What a driver makes of a server that speaks another protocol.
                raise SourceUnavailable(f"{type(error).__name__}: {error}") from None

    def _enter(self, raw: Any, _: Any) -> None:
        self._entering.raw = self._entering.fresh = raw

    def _revive(self, raw: Any, *_: Any) -> None:
        """Ask a connection that has been idle whether it still works.

        SQLAlchemy can do this by itself, but waits for the answer of a dead network for ever.
        """
        mine = self._entering
        if mine.fresh is raw:
            return
        mine.raw = raw
        try:
            self.ping(raw)
        except self.engine.dialect.loaded_dbapi.Error:
            raise exc.InvalidatePoolError from None

    def _sever(self, raw: Any) -> None:
        descriptor = None if raw is None else self.descriptor(raw)
        if descriptor is not None:
            sever(descriptor)

    def close(self) -> None:
        self.engine.dispose()


def _or_late(error: AdapterError, cancellation: Cancellation, over: float) -> AdapterError:
    """What ``error`` is if the time was ``over`` by then.

    Some engines say the same of a query that ran into its limit as of one that somebody has ended.
    """
    ended = isinstance(error, QueryCancelled) and cancellation.reason is None
    return QueryTimeout(*error.args) if ended and time.monotonic() >= over else error
