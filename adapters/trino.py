"""Trino through its own client and SQLAlchemy dialect.

A query runs on the server for as long as its pages are asked for, one after the other. Dates and
times come as texts that the server makes in the source's time zone: the client's own conversion
ends at year 9999 and has no place for more than six digits of a second.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
import trino
from sqlalchemy.types import TypeEngine
from trino.auth import BasicAuthentication

from adapters import trino_types as types
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

_TABLES = sa.text("""
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_schema <> 'information_schema'
""")
_COLUMNS = sa.text("""
    SELECT column_name, data_type, comment FROM information_schema.columns
    WHERE table_schema = :schema AND table_name = :table ORDER BY ordinal_position
""")

# Names of the server's StandardErrorCode. A function is "not found" for a type it does not take.
_MEANINGS: dict[str, type[AdapterError]] = {
    "EXCEEDED_TIME_LIMIT": QueryTimeout,
    "USER_CANCELED": QueryCancelled,
    **dict.fromkeys(
        "SCHEMA_NOT_FOUND TABLE_NOT_FOUND COLUMN_NOT_FOUND"
        " TYPE_MISMATCH FUNCTION_NOT_FOUND".split(),
        SchemaChanged,
    ),
    **dict.fromkeys(
        "PERMISSION_DENIED CATALOG_NOT_FOUND CATALOG_UNAVAILABLE NO_NODES_AVAILABLE"
        " QUERY_QUEUE_FULL SERVER_STARTING_UP SERVER_SHUTTING_DOWN".split(),
        SourceUnavailable,
    ),
}
# What the client makes of an answer that is none of Trino's.
_FOREIGN = (json.JSONDecodeError, LookupError, AttributeError)


class TrinoAdapter(SqlAdapter):
    """``trino://user:password@host:port/catalog/schema``, with the dialect's parameters."""

    driver = "trino"
    parameters = frozenset(
        "access_token allow_insecure_auth cert client_tags externalAuthentication extra_credential"
        " http_headers key legacy_primitive_types legacy_prepared_statements roles"
        " session_properties source verify".split()
    )
    # Trino itself knows names in lower case only.
    case_sensitive_names = False

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        sa.event.listen(self.engine, "before_cursor_execute", self._remember)

    def engine_options(self) -> dict[str, Any]:
        url = sa.make_url(self.url)
        given = url.query.get("session_properties")
        seconds = self.options.timeout.total_seconds()
        arguments: dict[str, Any] = {
            "source": "b24-connector",
            "http_scheme": "https" if _is_secured(url) else "http",
            "request_timeout": self.entry_seconds,
            "timezone": self.options.timezone.key,
            "session_properties": {
                **(json.loads(str(given)) if given else {}),
                "query_max_run_time": f"{round(seconds * 1000)}ms",
            },
            # Rows come from the server itself, and not by way of an object store beside it.
            "encoding": None,
            "legacy_prepared_statements": False,
        }
        if url.username and url.password:
            # As bytes: the client would take them for Latin-1.
            user: Any = url.username.encode()
            password: Any = str(url.password).encode()
            arguments["auth"] = BasicAuthentication(user, password)
        return {"connect_args": arguments}

    def prepare_session(self, raw: Any) -> None:
        """Nothing to do: every request carries what it needs."""

    def ping(self, raw: Any) -> None:
        """A connection is a set of headers: there is nothing to ask it."""

    def _remember(self, connection: sa.Connection, cursor: Any, *_: Any) -> None:
        """Keep what runs on a connection, for whoever wants to end it.

        With the connection, which every cursor keeps in turn: beside it, neither would ever go.
        """
        raw: Any = connection.connection.dbapi_connection
        raw.b24_cursor = cursor

    def interrupt(self, raw: Any) -> None:
        if (cursor := getattr(raw, "b24_cursor", None)) is not None:
            cursor.cancel()

    @contextmanager
    def session(self, cancellation: Cancellation) -> Iterator[sa.Connection]:
        """The client has errors that are not its driver's, and others once a query is cancelled."""
        try:
            with super().session(cancellation) as connection:
                yield connection
            if cancellation.reason is not None:  # the client takes it for the end of the rows
                raise QueryCancelled(cancellation.reason)
        except (AdapterError, trino.exceptions.HttpError, *_FOREIGN) as error:
            if cancellation.reason is not None:
                raise QueryCancelled(cancellation.reason) from None
            if isinstance(error, AdapterError):
                raise
            raise SourceUnavailable(f"{type(error).__name__}: {error}") from None

    def translate(self, error: Exception) -> AdapterError:
        message = f"{type(error).__name__}: {error}"
        if isinstance(error, trino.exceptions.TrinoQueryError):
            return _MEANINGS.get(error.error_name or "", QueryFailed)(message)
        if isinstance(error, trino.exceptions.OperationalError):
            return SourceUnavailable(message)
        return QueryFailed(message)

    def text_rules(self) -> TextRules:
        return TextRules(
            exact=lambda text: text,
            folded=sa.func.lower,
            shown=lambda value: sa.cast(value, sa.Text()),
        )

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            default = self._schema(connection)
            return [
                Table(name, schema, schema == default)
                for schema, name in connection.execute(_TABLES)
            ]

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        names = {"schema": table.schema or self._schema(connection), "table": table.name}
        found = connection.execute(_COLUMNS, names).all()
        if not found:
            raise SchemaChanged(f"table {table.name} does not exist any more")
        return [(name, Named(kind), comment or "") for name, kind, comment in found]

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        result = connection.execute(sa.text(f"SELECT * FROM ({verbatim(sql)}\n) query LIMIT 0"))
        return [(column[0], Named(str(column[1]))) for column in result.cursor.description]

    def _schema(self, connection: sa.Connection) -> str | None:
        raw: Any = connection.connection.dbapi_connection
        schema: str | None = raw.schema
        return schema

    def column(self, name: str, kind: Any) -> SqlColumn:
        return types.column_of(sa.column(name), kind.name, self.options.timezone.key)

    def stream(
        self, connection: sa.Connection, statement: sa.Select[Any], pace: Pace
    ) -> Iterator[list[Row]]:
        try:
            yield from super().stream(connection, statement, pace)
        except BaseException:
            # On the server, a query goes on until its next page has not been asked for too long.
            with suppress(trino.exceptions.Error, trino.exceptions.HttpError):
                self.interrupt(connection.connection.dbapi_connection)
            raise


def _is_secured(url: sa.URL) -> bool:
    """Whether to speak HTTPS: to its usual ports, and wherever there is a secret to protect."""
    secret = url.password or {"access_token", "cert"} & set(url.query)
    return url.port in (443, 8443) or bool(secret and "allow_insecure_auth" not in url.query)
