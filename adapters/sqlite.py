"""SQLite files, always opened read-only.

SQLite stores any value in any column. A column is published by its declared type, and a value
that does not fit it reads as null: a text among numbers, a date that is not ISO 8601 text.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer
from sqlalchemy.types import TypeEngine

from adapters.base import Cancellation, Field, Options, Query, Row, Table
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.evaluate import folded
from adapters.sql import columns
from adapters.sql.adapter import SqlAdapter
from adapters.sql.columns import Element, Narrow, SqlColumn
from adapters.sql.drift import fields_of, refuse_outdated
from adapters.sql.numbers import INT64, MAX_DOUBLE, near_double
from adapters.sql.pace import Pace
from adapters.sql.turns import Turns
from adapters.sql.verbatim import verbatim
from adapters.sql.where import TextRules
from adapters.sqlite_dates import date_column, datetime_column, local
from adapters.sqlite_types import column_types

_TURNS = Turns()
_STEPS_PER_LOOK = 100_000
_VIEW = "b24_query"
# From here on every float of 64 bits is a whole number.
_WHOLE_FLOATS = 2**52


class SQLiteAdapter(SqlAdapter):
    """``sqlite:///relative.db`` or ``sqlite:////absolute.db``."""

    driver = "sqlite+pysqlite"
    parameters = frozenset[str]()
    case_sensitive_names = False

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        self.engine.dialect.identifier_preparer = _Backticks(self.engine.dialect)
        self._path = Path(sa.make_url(url).database or "")
        self._order = "BINARY"
        sa.event.listen(self.engine, "do_connect", self._opened)
        sa.event.listen(self.engine, "checkout", self._refuse_replaced)

    def prepare_url(self, url: sa.URL) -> sa.URL:
        path = f"file:{quote(url.database or '')}"
        return url.set(database=path, query={"mode": "ro", "uri": "true"})

    def engine_options(self) -> dict[str, Any]:
        return {"connect_args": {"check_same_thread": False}, "poolclass": sa.QueuePool}

    def prepare_session(self, raw: sqlite3.Connection) -> None:
        zone = self.options.timezone
        raw.execute("PRAGMA query_only = 1")
        raw.text_factory = _decode_leniently
        (encoding,) = raw.execute("PRAGMA encoding").fetchone()
        # Bytes of UTF-8 are in the order of code points, those of UTF-16 are not.
        self._order = "BINARY" if encoding == "UTF-8" else "b24_order"
        raw.create_collation("b24_order", lambda a, b: (a > b) - (a < b))

        def lower(text: bytes | None) -> str | None:
            return None if text is None else folded(text.decode(encoding, "replace"))

        raw.create_function("b24_lower", 1, lower, deterministic=True)
        raw.create_function("b24_shown", 1, _shown, deterministic=True)
        raw.create_function("b24_local", 1, lambda text: local(text, zone), deterministic=True)

    def _opened(self, _: sa.Dialect, record: Any, *__: Any) -> None:
        record.info["file"] = _identity(self._path)

    def _refuse_replaced(self, _: Any, record: Any, __: Any) -> None:
        """A file that took the place of another is not seen by who has the other open."""
        if record.info["file"] != _identity(self._path):
            raise exc.DisconnectionError

    def interrupt(self, raw: sqlite3.Connection) -> None:
        raw.interrupt()

    @contextmanager
    def session(self, cancellation: Cancellation) -> Iterator[sa.Connection]:
        """SQLite has no time limit of its own: one is kept while its machine runs."""
        deadline = time.monotonic() + self.options.timeout.total_seconds()
        with super().session(cancellation) as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_LOOK)
            try:
                yield connection
            except (sqlite3.OperationalError, exc.OperationalError):
                if cancellation.reason is None and time.monotonic() > deadline:
                    raise QueryTimeout("the time limit has passed") from None
                raise
            finally:
                raw.set_progress_handler(None, 0)

    def translate(self, error: Exception) -> AdapterError:
        message = str(error)
        if message == "interrupted":
            return QueryCancelled(message)
        if re.match(r"no such (table|column)", message):
            return SchemaChanged(message)
        if re.match(
            r"unable to open|file is not a database|database (disk|is locked)|disk I/O", message
        ):
            return SourceUnavailable(f"{self._path.absolute()}: {message}")
        return QueryFailed(message)

    def text_rules(self) -> TextRules:
        return TextRules(
            exact=lambda text: text.collate(self._order),
            # As bytes, since sqlite3 fails on a function's argument that is not valid UTF-8.
            folded=lambda text: sa.func.b24_lower(sa.cast(text, sa.LargeBinary())),
            shown=sa.func.b24_shown,
        )

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            names = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
                " AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            ).scalars()
            return [Table(name) for name in names]

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        found = column_types(connection, table.name)
        if not found:
            raise SchemaChanged(f"table {table.name} does not exist any more")
        return [(name, kind, "") for name, kind in found]

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        """A temporary view knows the types of columns that it takes from tables."""
        connection.exec_driver_sql("PRAGMA query_only = 0")
        try:
            connection.execute(sa.text(f"CREATE TEMP VIEW {_VIEW} AS {verbatim(sql)}"))
            try:
                return column_types(connection, _VIEW)
            finally:
                connection.exec_driver_sql(f"DROP VIEW {_VIEW}")
        finally:
            connection.exec_driver_sql("PRAGMA query_only = 1")

    def describe(self, table: Table) -> list[Field]:
        with self.session(Cancellation()) as connection:
            version = _schema_version(connection)  # before reading: what changes then is noticed
        return [
            replace(field, native=replace(field.native, version=version))
            for field in super().describe(table)
        ]

    def raw_rows(self, query: Query, cancellation: Cancellation, pace: Pace) -> Iterator[list[Row]]:
        """What is usual is read the cheap way, until a batch holds something else.

        The statement is then run again, more patiently, from where it was. In one transaction it
        gives the same rows in the same order.
        """
        sent = 0
        with self.session(cancellation) as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.execute("BEGIN")
            version = _schema_version(connection)
            if any(field.native.version != version for field in fields_of(query)):
                refuse_outdated(query, self.describe)
            try:
                for usual, decode in _WAYS:
                    raw.text_factory = decode
                    try:
                        for batch in self._read(connection, query, sent, pace, usual=usual):
                            yield batch
                            sent += len(batch)
                    except _Unusual:
                        continue
                    except (sqlite3.OperationalError, exc.OperationalError) as error:
                        if "Could not decode" not in str(error):
                            raise
                    else:
                        return
            finally:
                raw.text_factory = _decode_leniently

    def _read(
        self, connection: sa.Connection, query: Query, start: int, pace: Pace, *, usual: bool
    ) -> Iterator[list[Row]]:
        """The rows from ``start`` on; raises _Unusual for a batch that has to be read otherwise."""
        checks = []
        if usual:
            checks = [(i, f.native.usual) for i, f in enumerate(query.fields) if f.native.usual]
            query = replace(query, fields=tuple(_as_usual(field) for field in query.fields))
        cursor: Any = connection.execute(self.select(query)).cursor
        deque(islice(cursor, start), maxlen=0)
        while batch := _fetched(cursor, pace.rows):
            for i, check in checks:
                if not check.holds([row[i] for row in batch]):
                    raise _Unusual
            yield batch

    def column(self, name: str, kind: TypeEngine[Any]) -> SqlColumn:
        column: Element = sa.column(name)
        stored = sa.func.typeof(column)
        match kind:
            case sa.DateTime():
                return datetime_column(column)
            case sa.Date():
                return date_column(column)
            case sa.Integer():
                return _only(stored == "integer", columns.integer(column))
            case sa.Float():
                return _number(column, columns.double(column, as_text=None))
            case sa.Numeric():
                number = replace(columns.number(column), bind=_bind_number, near=_near_number)
                return _number(column, number)
            case sa.Text():
                text = columns.text(column, narrow=_equal(column))
                return _only(stored == "text", text)
            case _:
                blob = sa.func.lower(sa.func.hex(column))
                as_text = sa.cast(column, sa.Text())
                return columns.shown_as(sa.case((stored == "blob", blob), else_=as_text))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _fetched(cursor: Any, number: int) -> list[Row]:
    with _TURNS.taken():
        rows: list[Row] = cursor.fetchmany(number)
        return rows


class _Backticks(SQLiteIdentifierPreparer):
    """In double quotes SQLite takes a name that is no column for a text: a dropped one lies."""

    def __init__(self, dialect: sa.Dialect) -> None:
        super().__init__(dialect, initial_quote="`", escape_quote="`")


def _schema_version(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())


class _Unusual(Exception):
    """A batch holds what the cheap way to read it would show wrongly."""


def _as_usual(field: Field) -> Field:
    usual = field.native.usual
    return field if usual is None else replace(field, native=replace(field.native, read=usual.read))


def _decode_leniently(data: bytes) -> str:
    return data.decode("utf-8", "replace")


# Whether to believe in what is usual, and how to decode texts: sqlite3 does it itself for ``str``.
_WAYS: tuple[tuple[bool, Callable[[bytes], str]], ...] = (
    (True, str),
    (False, str),
    (False, _decode_leniently),
)


def _only(fitting: Element, column: SqlColumn) -> SqlColumn:
    """Values that do not fit read as null."""
    return replace(column, read=sa.case((fitting, column.read)), shown=fitting)


def _number(column: Element, number: SqlColumn) -> SqlColumn:
    """Every text and blob sorts after every number; JSON makes null of an infinite one."""
    limit = sa.literal(MAX_DOUBLE)
    read = sa.case((column < sa.literal_column("''"), column))
    return replace(number, read=read, shown=column.between(-limit, limit))


def _equal(column: Element) -> Narrow:
    """What an index of any collation finds before texts are compared exactly."""
    return lambda _, values: column.in_([columns.bind_text(str(value)) for value in values])


def _near_number(value: Decimal) -> Decimal:
    """What a NUMERIC column would make of it: an integer of 64 bits or a float.

    Where floats have no fractions any more, integers lie between them: the one below is nearer.
    """
    whole = value.to_integral_value(ROUND_FLOOR)
    if int(whole) in INT64 and (value == whole or abs(whole) >= _WHOLE_FLOATS):
        return whole
    return near_double(value)


def _bind_number(value: Decimal) -> Element:
    whole = value == value.to_integral_value() and int(value) in INT64
    return columns.bind_integer(value) if whole else columns.bind_double(value)


def _shown(value: float | str | None) -> str | None:
    """A number as JSON writes it."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
