"""SQLite files, always opened read-only.

SQLite stores any value in any column. A column is published by its declared type, and a value
that does not fit it reads as null: a text among numbers, a date that is not ISO 8601 text.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.types import TypeEngine

from adapters.base import Cancellation, Comparison, FieldType, Table, Value
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.sql import columns
from adapters.sql.adapter import SqlAdapter, verbatim
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.where import TextRules

_DATE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_ZONED = ("*[Zz]", "*[+-][0-9][0-9]:[0-9][0-9]")
# Every text and blob sorts after every number, so this range holds the finite numbers and no more.
_NUMBERS = (sa.literal(-columns.MAX_DOUBLE), sa.literal(columns.MAX_DOUBLE))
# How far a local time may be from the text that stores it, with an offset of its own.
_OFFSETS = timedelta(days=2)
_SAMPLE_ROWS = 1000
_STEPS_PER_LOOK = 100_000
_VIEW = "b24_query"


class SQLiteAdapter(SqlAdapter):
    """``sqlite:///relative.db`` or ``sqlite:////absolute.db``."""

    driver = "sqlite+pysqlite"
    case_sensitive_names = False

    def prepare_url(self, url: sa.URL) -> sa.URL:
        path = f"file:{quote(url.database or '')}"
        return url.set(database=path, query={"mode": "ro", "uri": "true"})

    def engine_options(self) -> dict[str, Any]:
        return {"connect_args": {"check_same_thread": False}, "poolclass": sa.QueuePool}

    def prepare_session(self, raw: sqlite3.Connection) -> None:
        zone = self.options.timezone
        raw.execute("PRAGMA query_only = 1")
        raw.text_factory = lambda data: data.decode("utf-8", "replace")
        raw.create_function("b24_lower", 1, _lower, deterministic=True)
        raw.create_function("b24_local", 1, lambda text: _local(text, zone), deterministic=True)

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
        if re.match(r"unable to open|file is not a database|database (disk|is locked)", message):
            return SourceUnavailable(message)
        return QueryFailed(message)

    def text_rules(self) -> TextRules:
        return TextRules(
            exact=lambda text: text.collate("BINARY"),
            folded=sa.func.b24_lower,
            shown=lambda value: sa.cast(value, sa.Text()),
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
        found = connection.execute(
            sa.text("SELECT name, type FROM pragma_table_xinfo(:table) WHERE hidden != 1"),
            {"table": table.name},
        ).all()
        if not found:
            raise SchemaChanged(f"table {table.name} does not exist any more")
        return [(name, _declared(kind), "") for name, kind in found]

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        """A temporary view knows the declared types; the rest is read off the first rows."""
        connection.exec_driver_sql("PRAGMA query_only = 0")
        try:
            connection.execute(sa.text(f"CREATE TEMP VIEW {_VIEW} AS {verbatim(sql)}"))
            try:
                found = connection.exec_driver_sql(
                    f"SELECT name, type FROM pragma_table_info('{_VIEW}')"
                ).all()
                sample: Iterable[Any] = ()
                if not all(declared for _, declared in found):
                    rows = connection.exec_driver_sql(f"SELECT * FROM {_VIEW} LIMIT {_SAMPLE_ROWS}")
                    sample = rows.all()
                return [
                    (name, _declared(kind) if kind else _sampled(row[i] for row in sample))
                    for i, (name, kind) in enumerate(found)
                ]
            finally:
                connection.exec_driver_sql(f"DROP VIEW {_VIEW}")
        finally:
            connection.exec_driver_sql("PRAGMA query_only = 1")

    def column(self, name: str, kind: TypeEngine[Any]) -> SqlColumn:
        column: Element = sa.column(name)
        stored = sa.func.typeof(column)
        a_number = stored.in_(["integer", "real"])
        match kind:
            case sa.DateTime():
                return _datetime(column)
            case sa.Date():
                day = sa.case((column.op("GLOB")(f"{_DATE}*"), _date_of(column)))
                return SqlColumn(FieldType.DATE, day, day, _bind_time, narrow=_narrow(column))
            case sa.Integer():
                read = sa.case((a_number, column))
                return SqlColumn(FieldType.INT, read, column, _bind_number, bounds=_NUMBERS)
            case sa.Float() | sa.Numeric():
                read = sa.case((sa.and_(a_number, column.between(*_NUMBERS)), column))
                return SqlColumn(FieldType.DOUBLE, read, column, _bind_number, bounds=_NUMBERS)
            case sa.Text():
                read = sa.case((stored == "text", column), else_=_shown(column, stored))
                exact = column.collate("BINARY")
                return SqlColumn(FieldType.STRING, read, exact, columns.bind_text)
            case _:
                return columns.shown_as(_shown(column, stored))


def _shown(column: Element, stored: Element) -> Element:
    blob = sa.func.lower(sa.func.hex(column))
    return sa.case((stored == "blob", blob), else_=sa.cast(column, sa.Text()))


def _date_of(column: Element) -> Element:
    return sa.func.date(sa.func.substr(column, 1, 10))


def _datetime(column: Element) -> SqlColumn:
    zoned = sa.or_(*(column.op("GLOB")(pattern) for pattern in _ZONED))
    local = sa.case(
        (column.op("GLOB")(_DATE), sa.func.datetime(column)),
        (sa.and_(column.op("GLOB")(f"{_DATE}*"), zoned), sa.func.b24_local(column)),
        (column.op("GLOB")(f"{_DATE}*"), sa.func.datetime(column)),
    )
    return SqlColumn(FieldType.DATETIME, local, local, _bind_time, narrow=_narrow(column))


def _narrow(column: Element) -> Any:
    """Dates as ISO text sort as text, so a range of days with some slack can use the index."""

    def narrow(comparison: Comparison, value: Value) -> Element:
        if not isinstance(value, date):
            raise TypeError(type(value).__name__)
        day = value.date() if isinstance(value, datetime) else value
        try:
            if ">" in comparison:
                return column >= columns.bind_text((day - _OFFSETS).isoformat())
            return column < columns.bind_text((day + _OFFSETS).isoformat())
        except OverflowError:
            return sa.true()

    return narrow


def _bind_time(value: date) -> Element:
    """As SQLite's own date functions write it; a value with a fraction sorts after its second."""
    return columns.bind_text(value.isoformat(" ") if isinstance(value, datetime) else str(value))


def _bind_number(value: Decimal) -> Element:
    whole = value == value.to_integral_value() and int(value) in columns.INT64
    return sa.literal(int(value)) if whole else sa.literal(float(value), sa.Double())


def _lower(text: object) -> str | None:
    return None if text is None else str(text).lower()


def _local(text: str, zone: ZoneInfo) -> str | None:
    try:
        return datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return None


def _declared(declared: str) -> TypeEngine[Any]:
    """The type that a column was declared with; NullType where values alone decide."""
    name = re.sub(r"\(.*", "", declared).strip().upper()
    for pattern, kind in _TYPES:
        if re.search(pattern, name):
            return kind
    return sa.types.NullType()


_TYPES: list[tuple[str, TypeEngine[Any]]] = [
    (r"^DATE$", sa.Date()),
    (r"^(DATETIME|TIMESTAMP)", sa.DateTime()),
    (r"POINT", sa.types.NullType()),
    (r"INT|^BOOL|^YEAR$", sa.Integer()),
    (r"CHAR|CLOB|TEXT", sa.Text()),
    (r"REAL|FLOA|DOUB|^(DEC|DECIMAL|NUM|NUMERIC|NUMBER|MONEY|CURRENCY)$", sa.Double()),
]


def _sampled(values: Iterable[Any]) -> TypeEngine[Any]:
    """The type of a computed column, from what the first rows hold."""
    seen = {_class(value) for value in values if value is not None}
    for kinds, found in _SAMPLED:
        if seen and seen <= kinds:
            return found
    return sa.types.NullType()


def _class(value: Any) -> str:
    if isinstance(value, str):
        return "date" if _A_DATE.fullmatch(value) else "time" if _A_TIME.match(value) else "text"
    return type(value).__name__


_A_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_A_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_SAMPLED: list[tuple[set[str], TypeEngine[Any]]] = [
    ({"int"}, sa.Integer()),
    ({"int", "float"}, sa.Double()),
    ({"date"}, sa.Date()),
    ({"date", "time"}, sa.DateTime()),
]
