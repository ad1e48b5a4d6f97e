"""Oracle Database through python-oracledb, without Oracle's own client.

Every query is a read-only transaction. To Oracle an empty text is null, so it reads as null, and
no text is equal to it. Names are those that the database keeps, mostly in upper case.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import oracledb
import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import TypeEngine

from adapters import oracle_types as types
from adapters.base import (
    And,
    Cancellation,
    Compare,
    Expression,
    Field,
    In,
    IsNull,
    Like,
    Options,
    Or,
    Query,
    Row,
    Table,
)
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

_TABLES = sa.text("""
    SELECT owner, table_name, comments,
           CASE WHEN owner = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN 1 ELSE 0 END
    FROM all_tab_comments
    WHERE table_name NOT LIKE 'BIN$%'
    AND owner IN (SELECT username FROM all_users WHERE oracle_maintained = 'N')
""")
_COLUMNS = sa.text("""
    SELECT c.column_name, c.data_type, c.data_precision, c.data_scale, m.comments
    FROM all_tab_cols c LEFT JOIN all_col_comments m
    ON m.owner = c.owner AND m.table_name = c.table_name AND m.column_name = c.column_name
    WHERE c.table_name = :name AND c.hidden_column = 'NO'
    AND c.owner = COALESCE(:schema, SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA'))
    ORDER BY c.column_id
""")

_GONE = frozenset({"ORA-00904", "ORA-00942"})
_UNAVAILABLE = re.compile(
    # No login, no such service, not permitted, shutting down, or the connection is lost.
    r"ORA-(00028|01012|01017|01031|01033|01034|01035|01045|01089|03113|03114|03135|12\d{3}|28000"
    r"|28001|28040)|DPY-(1001|3010|4011|4026|4027|6\d{3})"
)
# Logins under way at once: as many as there may be connections.
_MOST_LOGINS = 25
# More would be too many for one IN.
_MOST_VALUES = 1000


class OracleAdapter(SqlAdapter):
    """``oracle://user:password@host:port/service``."""

    driver = "oracle+oracledb"

    def __init__(self, url: str, options: Options) -> None:
        self._logins = threading.BoundedSemaphore(_MOST_LOGINS)
        super().__init__(url, options)
        # Lets every value be of the type that the driver gives it: a text is a VARCHAR2, where
        # SQLAlchemy would make it a CLOB, which cannot be compared.
        sa.event.listen(self.engine, "do_setinputsizes", lambda sizes, *_: sizes.clear())

    def prepare_url(self, url: sa.URL) -> sa.URL:
        """SQLAlchemy would take the path for a SID, which only old databases go by."""
        if not url.database:
            return url
        return url.set(database="").update_query_dict({"service_name": url.database})

    def engine_options(self) -> dict[str, Any]:
        return {"creator": self._connect}

    def _connect(self) -> Any:
        """The driver waits for a silent server's welcome for ever, but not in this thread."""
        _, given = self.engine.dialect.create_connect_args(self.engine.url)
        arguments: dict[str, Any] = {
            **given,
            "tcp_connect_timeout": self.entry_seconds,
            "retry_count": 0,
            "program": "b24-connector",
        }
        if not self._logins.acquire(blocking=False):
            raise oracledb.OperationalError("the server has not answered earlier logins yet")
        made: Future[Any] = Future()

        def login() -> None:
            try:
                made.set_result(oracledb.connect(**arguments))
            except Exception as error:
                made.set_exception(error)
            finally:
                self._logins.release()

        try:
            threading.Thread(target=login, daemon=True, name="oracle-login").start()
        except RuntimeError:  # no thread is to be had
            self._logins.release()
            raise
        try:
            return made.result(self.entry_seconds)
        except TimeoutError:
            made.add_done_callback(_close)
            raise oracledb.OperationalError("the server does not answer the login") from None

    def prepare_session(self, raw: Any) -> None:
        raw.call_timeout = round(self.options.timeout.total_seconds() * 1000)
        with raw.cursor() as cursor:
            cursor.execute(
                f"ALTER SESSION SET TIME_ZONE = '{self.options.timezone.key}'"
                " NLS_NUMERIC_CHARACTERS = '.,' NLS_COMP = BINARY NLS_SORT = BINARY"
            )

    def interrupt(self, raw: Any) -> None:
        raw.cancel()

    @contextmanager
    def session(self, cancellation: Cancellation) -> Iterator[sa.Connection]:
        """Read-only, like all that follows in the same transaction."""
        with super().session(cancellation) as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield connection

    def translate(self, error: Exception) -> AdapterError:
        message = f"{type(error).__name__}: {error}"
        code = getattr(error.args[0], "full_code", "") if error.args else ""
        if code == "DPY-4024":
            return QueryTimeout(message)
        if code == "ORA-01013":
            return QueryCancelled(message)
        if code in _GONE:
            return SchemaChanged(message)
        if _UNAVAILABLE.fullmatch(code):
            return SourceUnavailable(message)
        return QueryFailed(message)

    def text_rules(self) -> TextRules:
        return TextRules(
            exact=types.exact,
            folded=types.folded,
            shown=sa.func.to_char,
        )

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            return [
                Table(name, owner, bool(default), comment or "")
                for owner, name, comment, default in connection.execute(_TABLES)
            ]

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        names = {"name": table.name, "schema": table.schema}
        found = connection.execute(_COLUMNS, names).all()
        if not found:
            raise SchemaChanged(f"table {table.name} does not exist any more")
        return [
            (name, Named(re.sub(r"\(\d+\)", "", kind).lower(), precision, scale), comment or "")
            for name, kind, precision, scale, comment in found
        ]

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        statement = sa.text(f"SELECT * FROM ({verbatim(sql)}\n) query WHERE 1 = 0")
        cursor: Any = connection.execute(statement).cursor
        return [
            (name, Named(*_described(kind.name, precision, scale)))
            for name, kind, _, _, precision, scale, _ in cursor.description
        ]

    def select(self, query: Query) -> sa.Select[Any]:
        """Names exactly as the database keeps them, and no comparison with an empty text."""
        # Every row is ``1 = 1``: where SQLAlchemy takes Oracle to know booleans, it writes ``1``.
        self.engine.dialect.supports_native_boolean = False
        table = query.table
        if table.sql is None:
            schema = None if table.schema is None else quoted_name(table.schema, quote=True)
            table = replace(table, name=quoted_name(table.name, quote=True), schema=schema)
        return super().select(replace(query, table=table, where=_comparable(query.where)))

    def column(self, name: str, kind: Any) -> SqlColumn:
        return types.column_of(quoted_name(name, quote=True), kind)

    def stream(
        self, connection: sa.Connection, statement: sa.Select[Any], pace: Pace
    ) -> Iterator[list[Row]]:
        """Fetches take no longer, all together, than the source allows."""
        deadline = time.monotonic() + self.options.timeout.total_seconds()
        raw: Any = connection.connection.dbapi_connection
        limit = raw.call_timeout
        try:
            for batch in super().stream(connection, statement, pace):
                yield batch
                raw.call_timeout = round((deadline - time.monotonic()) * 1000)
                if raw.call_timeout <= 0:
                    raise QueryTimeout("the time limit has passed")
        finally:
            with suppress(oracledb.Error):  # a lost connection has none
                raw.call_timeout = limit


def _close(made: Future[Any]) -> None:
    """Give back a connection that came too late."""
    with suppress(Exception):
        made.result().close()


def _described(name: str, precision: int | None, scale: int | None) -> tuple[Any, ...]:
    """A type of a result, by the name that it has in the catalogue."""
    word = name.removeprefix("DB_TYPE_").lower()
    known = {
        "nvarchar": "nvarchar2",
        "varchar": "varchar2",
        "timestamp_tz": "timestamp with time zone",
        "timestamp_ltz": "timestamp with local time zone",
        "interval_ds": "interval day to second",
        "interval_ym": "interval year to month",
    }
    if word == "number" and scale == -127:  # a FLOAT, or a NUMBER of any scale
        return (word, None, None)
    return (known.get(word, word), precision or None, scale)


def _comparable(expression: Expression) -> Expression:
    """The same without an empty text, which Oracle takes for null, and without long lists."""
    match expression:
        case And(items):
            return And(tuple(map(_comparable, items)))
        case Or(items):
            return Or(tuple(map(_comparable, items)))
        case In(field, values, negated) if len(values) > _MOST_VALUES or "" in values:
            kept = [value for value in values if value != ""]
            starts = range(0, max(1, len(kept)), _MOST_VALUES)
            lists = tuple(In(field, tuple(kept[i : i + _MOST_VALUES]), negated) for i in starts)
            return And(lists) if negated else Or(lists)
        case Compare(field, operator, ""):
            return _present(field, operator in (">", ">="))
        case Like(field, pattern, negated) if "".join(map(str, pattern)) == "":
            return _present(field, negated)
        case _:
            return expression


def _present(field: Field, every: bool) -> Expression:  # noqa: FBT001
    """Every row that shows something, or none."""
    return IsNull(field, negated=True) if every else Or(())
