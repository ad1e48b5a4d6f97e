"""MySQL and MariaDB through PyMySQL.

Sessions are read-only, in UTC and limited in time. Instants are turned into local time here, since
a server knows named time zones only where somebody has loaded their tables.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import pymysql
import sqlalchemy as sa
from pymysql.constants import CLIENT, ER
from pymysql.constants import CR as CLIENT_ERROR
from pymysql.cursors import SSCursor
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from adapters import mysql_catalog as catalog
from adapters import mysql_session as session
from adapters import mysql_types as types
from adapters.base import Cancellation, Capability, Lacks, Options, Query, Row, Table
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.sql.adapter import SqlAdapter
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.drift import fields_of, refuse_outdated
from adapters.sql.pace import Pace
from adapters.sql.verbatim import verbatim
from adapters.sql.where import TextRules

_MARIADB_STATEMENT_TIMEOUT = 1969
_MYSQL_STATEMENT_TIMEOUT = 3024
_UNAVAILABLE = frozenset(
    {
        ER.ACCESS_DENIED_ERROR,
        ER.BAD_DB_ERROR,
        ER.COLUMNACCESS_DENIED_ERROR,
        ER.CON_COUNT_ERROR,
        ER.DBACCESS_DENIED_ERROR,
        ER.HOST_IS_BLOCKED,
        ER.HOST_NOT_PRIVILEGED,
        ER.SERVER_SHUTDOWN,
        ER.TABLEACCESS_DENIED_ERROR,
        ER.TOO_MANY_USER_CONNECTIONS,
        1927,  # connection was killed
        CLIENT_ERROR.CR_CONNECTION_ERROR,
        CLIENT_ERROR.CR_CONN_HOST_ERROR,
        CLIENT_ERROR.CR_SERVER_GONE_ERROR,
        CLIENT_ERROR.CR_SERVER_LOST,
    }
)
_UTF8MB4 = mysql.CHAR(charset="utf8mb4")
# Types of results of which is kept how they are read.
_REMEMBERED = 1000


class MySQLAdapter(SqlAdapter):
    """``mysql://`` or ``mariadb://user:password@host:port/database``."""

    driver = "mysql+pymysql"
    lacks: ClassVar[Lacks] = {
        Capability.FLOAT_PATTERNS: "Very large and very small ones are written in another way than "
        "in JSON: `1e+15`, `1e-05`."
    }
    streaming: ClassVar[Any] = SSCursor
    """The driver's cursor that does not read a whole answer at once."""
    # Names of columns; whether names of tables are depends on the server's file system.
    case_sensitive_names = False

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        # Some columns take milliseconds to make.
        self._way_now = functools.lru_cache(_REMEMBERED)(self._way_of)
        # Not a cached property, which until Python 3.12 has one lock for all sources: a server that
        # hangs at this question would keep the others from theirs.
        self._folding = functools.lru_cache(1)(self._best_folding)

    def prepare_url(self, url: sa.URL) -> sa.URL:
        return url.update_query_dict({"charset": "utf8mb4"})

    def engine_options(self) -> dict[str, Any]:
        return {
            "connect_args": {
                "connect_timeout": self.entry_seconds,
                # For what a new server says first; see prepare_session.
                "read_timeout": self.entry_seconds,
                "write_timeout": self.entry_seconds,
                "client_flag": CLIENT.FOUND_ROWS,
                "local_infile": False,
                "program_name": "b24-connector",
            }
        }

    def prepare_session(self, raw: Any) -> None:
        mariadb = "MariaDB" in raw.get_server_info()
        with raw.cursor() as cursor:
            session.prepare(cursor, self.options.timeout, mariadb=mariadb, refuses=self._refuses)
        self.let_think(raw)

    def _refuses(self, error: Exception) -> bool:
        """Whether this is a server's word on a statement, and the connection still there."""
        driver_s = isinstance(error, self.engine.dialect.loaded_dbapi.Error)
        return driver_s and not isinstance(self.translate(error), SourceUnavailable)

    def let_think(self, raw: Any) -> None:
        """From here on the server may think for as long as a query may take."""
        raw._read_timeout = None

    def interrupt(self, raw: Any) -> None:
        self.kill(raw.thread_id())

    def kill(self, number: int) -> None:
        """End what runs on the connection that the server knows by ``number``."""
        with self.connect(timeout=2) as other:
            other.cursor().execute("KILL QUERY %s", [number])

    def connect(self, timeout: float) -> Any:
        """A connection of the driver's beside those of the pool, none of its steps longer."""
        _, arguments = self.engine.dialect.create_connect_args(self.engine.url)
        limits = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), timeout)
        return pymysql.connect(**{**arguments, **limits})

    def descriptor(self, raw: Any) -> int | None:
        return None if raw._sock is None else raw._sock.fileno()

    def translate(self, error: Exception) -> AdapterError:
        code = error.args[0] if error.args else None
        message = f"{type(error).__name__}: {error}"
        if code in (_MARIADB_STATEMENT_TIMEOUT, _MYSQL_STATEMENT_TIMEOUT):
            return QueryTimeout(message)
        if code == ER.QUERY_INTERRUPTED:
            return QueryCancelled(message)
        if code in (ER.NO_SUCH_TABLE, ER.BAD_FIELD_ERROR):
            return SchemaChanged(message)
        if code in _UNAVAILABLE:
            return SourceUnavailable(message)
        return QueryFailed(message)

    def _best_folding(self) -> str:
        """Of the Unicode collations that the server has, the one that knows the most letters."""
        known = sa.text(
            "SELECT 1 FROM information_schema.collations"
            " WHERE collation_name = 'utf8mb4_unicode_520_ci'"
        )
        with self.session(Cancellation()) as connection:
            newer = connection.execute(known).first() is not None
        return "utf8mb4_unicode_520_ci" if newer else "utf8mb4_unicode_ci"

    def text_rules(self) -> TextRules:
        def utf8(text: Element) -> Element:
            return sa.cast(text, _UTF8MB4)

        return TextRules(
            exact=lambda text: sa.cast(utf8(text), sa.LargeBinary()),
            folded=lambda text: sa.func.lower(utf8(text).collate(self._folding())).collate(
                "utf8mb4_bin"
            ),
            shown=lambda value: sa.cast(value, sa.Text()),
        )

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            return catalog.tables(connection)

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        return catalog.columns(connection, table)

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        statement = sa.text(f"SELECT * FROM ({verbatim(sql)}\n) query LIMIT 0")
        compiled = statement.compile(self.engine)
        raw: Any = connection.connection.dbapi_connection
        with raw.cursor(self.streaming) as cursor:
            cursor.execute(compiled.string, compiled.params)
            return [(f.name, catalog.field_type(f)) for f in self.result_fields(cursor)]

    def result_fields(self, cursor: Any) -> Iterable[catalog.ResultField]:
        """The columns of what a cursor has executed."""
        for f in cursor._result.fields:
            yield catalog.ResultField(f.name, f.type_code, f.charsetnr, f.flags, f.length, f.scale)

    def column(self, name: str, kind: TypeEngine[Any]) -> SqlColumn:
        return types.column_of(name, kind, self.options.timezone) or super().column(name, kind)

    def raw_rows(self, query: Query, cancellation: Cancellation, pace: Pace) -> Iterator[list[Row]]:
        statement = self.statement(query)
        with self.session(cancellation) as connection:
            raw: Any = connection.connection.dbapi_connection
            if query.table.sql is None:
                self._look(connection, query)
            cursor = raw.cursor(self.streaming)
            try:
                cursor.execute(*statement)
                while batch := cursor.fetchmany(pace.rows):
                    yield list(batch)
                # Before the connection goes back, and maybe to another thread: to free a result
                # takes the driver's lock on it, and whoever meets that lock fails.
                cursor.close()
            except BaseException as error:
                if isinstance(error, GeneratorExit):
                    self.interrupt(raw)
                # The driver would read all that is left before it lets go of the connection.
                self.abandon(raw, cursor)
                connection.invalidate()
                raise

    def abandon(self, raw: Any, cursor: Any) -> None:
        """Leave the rest of an answer unread; the connection is closed afterwards."""
        if cursor._result is not None:
            cursor._result.unbuffered_active = False

    def _look(self, connection: sa.Connection, query: Query) -> None:
        """Raise SchemaChanged if a column has another type than it is read and compared by.

        The server would convert silently, and every value be another. The transaction holds the
        table as it is from here to the end of the query. A result tells the types at no cost; where
        they differ, the catalogue decides, as a result says something else of a few columns.
        """
        raw: Any = connection.connection.dbapi_connection
        fields = list({field.name: field for field in fields_of(query)}.values())
        table = sa.table(query.table.name, schema=query.table.schema)
        names: list[Element] = [sa.column(field.name) for field in fields]
        compiled = sa.select(*names).select_from(table).limit(0).compile(self.engine)
        with raw.cursor(self.streaming) as cursor:
            cursor.execute(compiled.string, compiled.params)
            found = map(self._way_now, list(self.result_fields(cursor)))
        if any(now != types.way(field.native) for field, now in zip(fields, found, strict=True)):
            refuse_outdated(query, lambda table: self.fields(connection, table))

    def _way_of(self, present: catalog.ResultField) -> tuple[object, ...]:
        return types.way(self.column(present.name, catalog.field_type(present)))
