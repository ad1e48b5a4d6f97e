"""SQL Server and Azure SQL through pymssql, which brings all that it needs with it.

Texts are compared as the bytes of their UTF-8, which SQL Server has known since 2019: nothing else
tells ``a`` from ``a`` with a blank at its end. The server has no time limit for a statement, and
lets few users end one; both are done by cutting the connection, which ends what runs on it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymssql
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adapters import mssql_types as types
from adapters.base import Cancellation, Options, Row, Table
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.sql.adapter import SqlAdapter
from adapters.sql.columns import Named, SqlColumn
from adapters.sql.pace import Pace
from adapters.sql.verbatim import verbatim
from adapters.sql.where import TextRules

_READABLE = "QUOTENAME(s.name) + '.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'"
_COMMENT = "p.class = 1 AND p.major_id = o.object_id AND p.name = 'MS_Description' AND p.minor_id"
_TABLES = sa.text(f"""
    SELECT s.name, o.name, CASE WHEN s.name = SCHEMA_NAME() THEN 1 ELSE 0 END,
           CAST(p.value AS NVARCHAR(4000))
    FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
    LEFT JOIN sys.extended_properties p ON {_COMMENT} = 0
    WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND EXISTS (
        SELECT 1 FROM sys.columns c
        WHERE c.object_id = o.object_id
        AND HAS_PERMS_BY_NAME({_READABLE}, c.name, 'COLUMN') = 1
    )
""")
# A type made by somebody is known by what it is made of; one that is a class (240) by its name.
_COLUMNS = sa.text(f"""
    SELECT c.name, COALESCE(TYPE_NAME(NULLIF(c.system_type_id, 240)), TYPE_NAME(c.user_type_id)),
           c.precision, c.scale, CAST(p.value AS NVARCHAR(4000)),
           HAS_PERMS_BY_NAME({_READABLE}, c.name, 'COLUMN')
    FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
    JOIN sys.columns c ON c.object_id = o.object_id
    LEFT JOIN sys.extended_properties p ON {_COMMENT} = c.column_id
    WHERE o.name = :table AND s.name = COALESCE(:schema, SCHEMA_NAME())
    ORDER BY c.column_id
""")
_DESCRIBE = sa.text("EXEC sp_describe_first_result_set @tsql = :sql")

_LOCK_TIMEOUT = 1222
_GONE = frozenset({207, 208})
_UNAVAILABLE = frozenset(
    # No permission, no such database or login, shutting down, or a cloud that is busy.
    {229, 230, 233, 596, 916, 4060, 6005, 10928, 10929, 18452, 18456, 40197, 40501, 40613, 49918}
)
_DRIVER = range(20000, 20300)
_SEE_SERVER = 20018

_waiting = threading.local()


def _note_descriptor(descriptor: int) -> None:
    """The driver says which socket it is about to wait on, and nothing else says it."""
    note = getattr(_waiting, "note", None)
    if note is not None:
        note(descriptor)


pymssql._mssql.set_wait_callback(_note_descriptor)


class SQLServerAdapter(SqlAdapter):
    """``mssql://user:password@host:port/database``, with pymssql's parameters after ``?``."""

    driver = "mssql+pymssql"
    # As most databases' collation has it.
    case_sensitive_names = False

    def __init__(self, url: str, options: Options) -> None:
        self._descriptors: dict[int, int] = {}
        super().__init__(url, options)
        sa.event.listen(self.engine, "close", lambda raw, _: self._descriptors.pop(id(raw), None))

    def engine_options(self) -> dict[str, Any]:
        return {
            "isolation_level": "AUTOCOMMIT",
            "connect_args": {
                "login_timeout": max(1, round(self.entry_seconds)),
                "appname": "b24-connector",
                "charset": "UTF-8",
                # Of SQL Server 2012 and later. The driver would try one after the other otherwise,
                # each for as long as a login may take.
                "tds_version": "7.4",
            },
        }

    def prepare_session(self, raw: Any) -> None:
        milliseconds = round(self.options.timeout.total_seconds() * 1000)
        _waiting.note = lambda descriptor: self._descriptors.update({id(raw): descriptor})
        try:
            with raw.cursor() as cursor:
                cursor.execute(f"SET LOCK_TIMEOUT {milliseconds} SET DEADLOCK_PRIORITY LOW")
        finally:
            _waiting.note = None

    def descriptor(self, raw: Any) -> int | None:
        return self._descriptors.get(id(raw))

    def interrupt(self, raw: Any) -> None:
        self._sever(raw)

    @contextmanager
    def session(self, cancellation: Cancellation) -> Iterator[sa.Connection]:
        """A connection that we have cut ourselves is not the server's fault."""
        deadline = time.monotonic() + self.options.timeout.total_seconds()
        try:
            with super().session(cancellation) as connection:
                yield connection
        except SourceUnavailable:
            if cancellation.reason is not None:
                raise QueryCancelled(cancellation.reason) from None
            if time.monotonic() > deadline:
                raise QueryTimeout("the time limit has passed") from None
            raise

    def translate(self, error: Exception) -> AdapterError:
        arguments = error.args
        if arguments and isinstance(arguments[0], tuple):
            arguments = arguments[0]
        number = arguments[0] if arguments and isinstance(arguments[0], int) else None
        message = f"{type(error).__name__}: {error}"
        if number == _LOCK_TIMEOUT:
            return QueryTimeout(message)
        if number in _GONE or re.search(r"Invalid (object|column) name", message):
            return SchemaChanged(message)
        lost = number is None and isinstance(
            error, pymssql.OperationalError | pymssql.InterfaceError
        )
        if lost or number in _UNAVAILABLE or (number in _DRIVER and number != _SEE_SERVER):
            return SourceUnavailable(message)
        return QueryFailed(message)

    def text_rules(self) -> TextRules:
        return TextRules(exact=types.utf8, folded=types.folded, shown=types.nvarchar, special="[")

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            return [
                Table(name, schema, bool(default), comment or "")
                for schema, name, default, comment in connection.execute(_TABLES)
            ]

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        names = {"table": table.name, "schema": table.schema}
        found = connection.execute(_COLUMNS, names).all()
        if not found:
            raise SchemaChanged(f"table {table.name} does not exist any more")
        return [
            (name, Named(kind.lower(), precision, scale), comment or "")
            for name, kind, precision, scale, comment, readable in found
            if readable
        ]

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        # The server is given the text itself, without the marks that keep colons apart.
        statement = f"SELECT * FROM ({sa.text(verbatim(sql))!s}\n) query"
        found = connection.execute(_DESCRIBE, {"sql": statement}).mappings()
        return [
            (
                column["name"],
                Named(
                    (column["system_type_name"] or column["user_type_name"]).partition("(")[0],
                    column["precision"],
                    column["scale"],
                ),
            )
            for column in found
            if not column["is_hidden"]
        ]

    def column(self, name: str, kind: Any) -> SqlColumn:
        return types.column_of(sa.column(name), kind, self.options.timezone)

    def stream(
        self, connection: sa.Connection, statement: sa.Select[Any], pace: Pace
    ) -> Iterator[list[Row]]:
        try:
            yield from super().stream(connection, statement, pace)
        except BaseException:
            # The driver would read all that is left before it lets go of the connection.
            connection.invalidate()
            raise
