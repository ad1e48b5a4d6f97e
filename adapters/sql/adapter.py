"""The adapter that every SQL engine starts from."""

from __future__ import annotations

import functools
import logging
import struct
import threading
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Compiled
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.types import TypeEngine

from adapters.base import Adapter, And, Batch, Cancellation, Field, Options, Query, Row, Table
from adapters.encode import encode_clean
from adapters.errors import AdapterError, QueryFailed, SchemaChanged, SourceUnavailable
from adapters.sql import columns
from adapters.sql.alarm import ALARMS, sever
from adapters.sql.columns import SqlColumn
from adapters.sql.verbatim import verbatim
from adapters.sql.where import TextRules, where

BATCH_ROWS = 1000

# How many statements without a filter are kept compiled: previews ask the same again and again.
_REMEMBERED = 256
# Seconds in which a server has to let us in, of a longer time limit.
_ENTRY = 10.0
# Seconds beyond the time limit in which a server may say by itself that it has passed.
_GRACE = 1.0

# A connection that breaks is ours to report; the pool would add a traceback.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


class SqlAdapter(Adapter):
    """Reflects with SQLAlchemy, compiles a query to one SELECT and streams its rows.

    An engine has to say which SQLAlchemy driver it uses, how it compares texts, how a running
    statement is ended from another thread, and what its driver's errors mean. It may override
    the rest, above all :meth:`column` for its own types.
    """

    driver: ClassVar[str]
    """SQLAlchemy's ``dialect+driver``."""

    system_schemas: ClassVar[frozenset[str]] = frozenset({"information_schema"})

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        self.entry_seconds = min(_ENTRY, options.timeout.total_seconds() / 2)
        # The connection that this thread is about to get from the pool.
        self._entering = threading.local()
        self._unfiltered = functools.lru_cache(_REMEMBERED)(self._compile_unfiltered)
        parsed = sa.make_url(url).set(drivername=self.driver)
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
        # Before SQLAlchemy's own first questions, which may meet silence too.
        sa.event.listen(self.engine, "connect", self._enter, insert=True)
        sa.event.listen(self.engine, "connect", lambda raw, _: self.prepare_session(raw))
        sa.event.listen(self.engine, "checkout", self._revive)

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

    @abstractmethod
    def text_rules(self) -> TextRules:
        """How texts are compared; may ask the server, which is connected to by then."""

    @abstractmethod
    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        """Names and types of the columns that a statement would return."""

    def check(self) -> None:
        with self.session(Cancellation()) as connection:
            connection.execute(sa.select(sa.literal(1))).scalar()

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            inspector = sa.inspect(connection)
            found = []
            default = inspector.default_schema_name
            for schema in inspector.get_schema_names():
                if schema in self.system_schemas:
                    continue
                comments = inspector.get_multi_table_comment(schema, kind=ObjectKind.ANY)
                for (_, name), comment in comments.items():
                    text = comment["text"] or "" if comment else ""
                    found.append(Table(name, schema, schema == default, text))
            return found

    def describe(self, table: Table) -> list[Field]:
        with self.session(Cancellation()) as connection:
            if table.sql is not None:
                described = [(n, t, "") for n, t in self.describe_sql(connection, table.sql)]
                names = [name for name, _, _ in described]
                if twice := {name for name in names if names.count(name) > 1}:
                    raise QueryFailed(f"query {table.name}: columns named twice: {sorted(twice)}")
            else:
                described = self.reflect(connection, table)
            return [
                Field(name, (column := self.column(name, kind)).type, comment, column)
                for name, kind, comment in described
            ]

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        """Name, type and comment of a table's columns; raises SchemaChanged if it is gone."""
        with warnings.catch_warnings():
            # A type that SQLAlchemy does not know is shown as text, like any other.
            warnings.simplefilter("ignore", exc.SAWarning)
            try:
                found = sa.inspect(connection).get_columns(table.name, table.schema)
            except exc.NoSuchTableError as error:
                raise SchemaChanged(f"table {table.name} does not exist any more") from error
        return [(c["name"], c["type"], c.get("comment") or "") for c in found]

    def column(self, name: str, kind: TypeEngine[Any]) -> SqlColumn:
        """How a column of this type is read and compared."""
        column: columns.Element = sa.column(name)
        match kind:
            case sa.Boolean():
                return columns.boolean(column)
            case sa.Integer():
                return columns.integer(column)
            case sa.Float():
                return columns.double(column)
            case sa.Numeric():
                return columns.integer(column) if columns.is_whole(kind) else columns.number(column)
            case sa.String():
                return columns.text(column)
            case _:
                return columns.shown_as(sa.cast(column, sa.Text()))

    def rows(self, query: Query, cancellation: Cancellation) -> Iterator[list[Row]]:
        converts = [field.native.convert for field in query.fields]
        for batch in self.raw_rows(query, cancellation):
            if any(converts):
                yield [
                    tuple(
                        value if convert is None else convert(value)
                        for convert, value in zip(converts, row, strict=True)
                    )
                    for row in batch
                ]
            else:
                yield batch

    def raw_rows(self, query: Query, cancellation: Cancellation) -> Iterator[list[Row]]:
        """What the driver gives for the SELECT, before the columns' ``convert``."""
        with self.session(cancellation) as connection:
            streaming = connection.execution_options(yield_per=BATCH_ROWS)
            result = streaming.execute(self.select(query))
            for batch in result.partitions():
                yield [tuple(row) for row in batch]

    def json_rows(self, query: Query, cancellation: Cancellation) -> Iterator[Batch]:
        for batch in self.rows(query, cancellation):
            yield Batch(len(batch), encode_clean(batch))

    def select(self, query: Query) -> sa.Select[Any]:
        """The query as one SELECT."""
        statement = _select(query.table, tuple(field.native.read for field in query.fields))
        condition = where(query.where, self.text_rules(), self.options.timezone)
        return statement.where(condition).limit(query.limit)

    def compiled(self, query: Query) -> Compiled:
        """The query as the driver takes it.

        Without a filter, there is nothing in a statement that came with the request but the limit,
        which is part of what it is remembered by.
        """
        if query.where == And(()):
            reads = tuple(field.native.read for field in query.fields)
            return self._unfiltered(query.table, reads, query.limit)
        return self._compile(self.select(query))

    def _compile_unfiltered(
        self, table: Table, reads: tuple[columns.Element, ...], limit: int | None
    ) -> Compiled:
        return self._compile(_select(table, reads).limit(limit))

    def _compile(self, statement: sa.Select[Any]) -> Compiled:
        return statement.compile(self.engine, compile_kwargs={"render_postcompile": True})

    @contextmanager
    def session(self, cancellation: Cancellation) -> Iterator[sa.Connection]:
        """A connection from the pool; the driver's errors become ours."""
        raw: Any = None
        seconds = self.options.timeout.total_seconds() + _GRACE
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
            raise self._meaning(error) from None
        except UnicodeError as error:
            raise QueryFailed(f"the database gave a text that is none: {error}") from None
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise self.translate(error) from None

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


def _select(table: Table, reads: tuple[columns.Element, ...]) -> sa.Select[Any]:
    return sa.select(*(read.label(f"c{i}") for i, read in enumerate(reads))).select_from(
        _from(table)
    )


def _from(table: Table) -> sa.FromClause:
    if table.sql is None:
        return sa.table(table.name, schema=table.schema)
    return sa.text(f"({verbatim(table.sql)}\n) query")  # type: ignore[return-value]
