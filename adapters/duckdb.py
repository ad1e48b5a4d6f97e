"""DuckDB: database files, always opened read-only, and what other adapters need of the engine.

DuckDB lets a file be open in one process that writes, or in any number that read. So a file is open
here only while a query runs, and a writer that comes meanwhile has to try again, as we do.

Sessions reach no other file and no network, load no extension, and cannot change that. The rows of
the data endpoint are made into JSON by DuckDB itself.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.types import TypeEngine

from adapters.alarm import ALARMS
from adapters.base import Batch, Cancellation, Field, Options, Query, Row, Table
from adapters.duckdb_types import Native, column_of, json_of
from adapters.errors import (
    AdapterError,
    BadAddress,
    QueryCancelled,
    QueryFailed,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.sql.adapter import SqlAdapter
from adapters.sql.columns import SqlColumn
from adapters.sql.drift import refuse_outdated
from adapters.sql.pace import Pace
from adapters.sql.verbatim import verbatim
from adapters.sql.where import TextRules

# Seconds between two attempts at a file that somebody writes to, and for all of them.
_PAUSE = 0.1
_PATIENCE = 3.0

# What every session may do. Files, the network and extensions are shut off by
# ``enable_external_access``, which has to come last.
CONFINED = {
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "allowed_configs": ["TimeZone", "max_streaming_buffer_size"],
    "memory_limit": "1GB",
    "temp_directory": "",
}
_BACKSLASHED = re.compile(rb"\\(?:u00..|.)", re.DOTALL)

registry.register("duckdb.b24", "adapters.duckdb_dialect", "Dialect")


class DuckDBAdapter(SqlAdapter):
    """``duckdb:///relative.duckdb`` or ``duckdb:////absolute.duckdb``.

    ``?memory_limit=4GB`` and ``?threads=4`` may follow: what all sessions of a process share.
    """

    driver = "duckdb+b24"
    case_sensitive_names = False
    parameters: ClassVar[frozenset[str]] = frozenset({"memory_limit", "threads"})

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        parsed = sa.make_url(url)
        self.path = parsed.database or ""
        self.settings = {name: str(value) for name, value in parsed.query.items()}
        scheme = parsed.drivername
        if parsed.host:
            meant = f"{scheme}:///{parsed.host}{'/' if self.path else ''}{self.path}"
            raise BadAddress(f"needs a third slash, as in {meant}")

    def engine_options(self) -> dict[str, Any]:
        return {"creator": self.open}

    def config(self) -> dict[str, Any]:
        """How DuckDB is opened."""
        limits = {"memory_limit", "threads"} & self.settings.keys()
        return CONFINED | {name: self.settings[name] for name in limits}

    def open(self) -> duckdb.DuckDBPyConnection:
        """A new connection; raises duckdb.Error."""
        config = self.config() | {"enable_external_access": "false", "lock_configuration": "true"}
        give_up = time.monotonic() + min(_PATIENCE, self.entry_seconds / 2)
        while True:
            try:
                return duckdb.connect(self.path, read_only=True, config=config)
            except duckdb.IOException as error:
                if "Could not set lock" not in str(error) or time.monotonic() > give_up:
                    raise
            time.sleep(_PAUSE)

    def prepare_session(self, raw: duckdb.DuckDBPyConnection) -> None:
        raw.execute(f"SET TimeZone = '{self.options.timezone.key}'")
        raw.execute("SET max_streaming_buffer_size = '1MB'")

    def interrupt(self, raw: duckdb.DuckDBPyConnection) -> None:
        raw.interrupt()

    @contextmanager
    def session(self, cancellation: Cancellation) -> Iterator[sa.Connection]:
        """A connection of its own, closed afterwards; DuckDB has no time limit: it is kept here."""
        seconds = self.options.timeout.total_seconds()
        with super().session(cancellation) as connection:
            raw: Any = connection.connection.dbapi_connection
            try:
                with ALARMS.every(seconds, raw.interrupt):
                    yield connection
            finally:
                connection.invalidate()
                self._entering.raw = self._entering.fresh = None

    def translate(self, error: Exception) -> AdapterError:
        message = str(error)
        if isinstance(error, duckdb.InterruptException):
            return QueryCancelled(message)
        if isinstance(error, duckdb.CatalogException) and "does not exist" in message:
            return SchemaChanged(message)
        if isinstance(error, duckdb.BinderException) and "not found in FROM" in message:
            return SchemaChanged(message)
        if isinstance(error, (duckdb.IOException, duckdb.ConnectionException)):
            return SourceUnavailable(message)
        return QueryFailed(message)

    def text_rules(self) -> TextRules:
        return TextRules(
            exact=lambda text: text.collate("C"),
            folded=lambda text: sa.func.lower(text).collate("C"),
            shown=lambda value: sa.cast(value, sa.Text()),
        )

    def check(self) -> None:
        with self.session(Cancellation()) as connection:
            run(connection, "SELECT 1")

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            found = run(
                connection,
                "SELECT table_name, schema_name, comment FROM duckdb_tables()"
                " WHERE NOT internal AND database_name = current_database() UNION ALL"
                " SELECT view_name, schema_name, comment FROM duckdb_views()"
                " WHERE NOT internal AND database_name = current_database()",
            )
            return [
                Table(name, schema, schema == "main", comment or "")
                for name, schema, comment in found.fetchall()
            ]

    def describe(self, table: Table) -> list[Field]:
        with self.session(Cancellation()) as connection:
            comments = self.comments(connection, table)
            return [
                replace(field, comment=comments.get(field.name) or "")
                for field in self.fields(connection, table)
            ]

    def comments(self, connection: sa.Connection, table: Table) -> dict[str, str | None]:
        """What the database says of a table's columns; nothing of what is in no schema."""
        if table.schema is None:
            return {}
        found = run(
            connection,
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?"
            " AND schema_name = ? AND database_name = current_database()",
            [table.name, table.schema],
        )
        return dict(found.fetchall())

    def fields(self, connection: sa.Connection, table: Table) -> list[Field]:
        """The columns without their comments, which take DuckDB longer than all else."""
        if table.sql is None:
            found = self.describe_table(connection, table)
        else:
            found = self.describe_sql(connection, table.sql)
        return [
            Field(name, (column := self.column(name, kind)).type, native=column)
            for name, kind in found
        ]

    def describe_table(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any]]]:
        """Names and types of a table's columns; raises SchemaChanged if it is gone."""
        named = sa.table(table.name, schema=table.schema)
        name = self.engine.dialect.identifier_preparer.format_table(named)
        return _described(connection, name)

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        statement = f"SELECT * FROM ({verbatim(sql)}\n) query".replace("\\:", ":")
        raw: Any = connection.connection.dbapi_connection
        # DuckDB runs several statements at once, the last of which would give the rows.
        if [s.type for s in raw.extract_statements(statement)] != [duckdb.StatementType.SELECT]:
            raise QueryFailed("a query of the configuration is one SELECT, and nothing after it")
        return _described(connection, statement)

    def column(self, name: str, kind: TypeEngine[Any]) -> SqlColumn:
        assert isinstance(kind, Native)  # noqa: S101 - of our own making
        return column_of(name, kind.name)

    def raw_rows(self, query: Query, cancellation: Cancellation, pace: Pace) -> Iterator[list[Row]]:
        yield from self._batches(query, self.select(query), cancellation, pace)

    def json_rows(self, query: Query, cancellation: Cancellation) -> Iterator[Batch]:
        cells = [json_of(field.native) for field in query.fields]
        pieces = [piece for cell in cells for piece in (sa.literal_column("','"), cell)][1:]
        row = sa.func.concat(sa.literal_column("'['"), *pieces, sa.literal_column("']'"))
        # As bytes, which it has already: a text would be decoded for each row, and encoded again.
        statement = self.select(query).with_only_columns(sa.func.encode(row))
        pace = Pace()
        for batch in self._batches(query, statement, cancellation, pace):
            json = b",".join([line for (line,) in batch])
            yield pace.batch(len(batch), _in_lower_case(json))

    def _batches(
        self, query: Query, statement: sa.Select[Any], cancellation: Cancellation, pace: Pace
    ) -> Iterator[list[Any]]:
        compiled = statement.compile(self.engine, compile_kwargs={"render_postcompile": True})
        values = [compiled.params[name] for name in compiled.positiontup or ()]
        with self.session(cancellation) as connection:
            refuse_outdated(query, lambda table: self.fields(connection, table))
            found = run(connection, compiled.string, values)
            yield from self.fetch(connection, found, pace)

    def fetch(
        self, connection: sa.Connection, found: duckdb.DuckDBPyConnection, pace: Pace
    ) -> Iterator[list[Any]]:
        """The rows of a statement that runs, in batches."""
        while batch := found.fetchmany(pace.rows):
            yield batch


def run(
    connection: sa.Connection, sql: str, values: Sequence[Any] = ()
) -> duckdb.DuckDBPyConnection:
    """Execute on the session's own connection; a cursor of DuckDB would be another session."""
    raw: Any = connection.connection.dbapi_connection
    found: duckdb.DuckDBPyConnection = raw.execute(sql, values)
    return found


def _described(connection: sa.Connection, what: str) -> list[tuple[str, TypeEngine[Any]]]:
    """Names and types of the columns of ``what``: a quoted name or a SELECT."""
    found = run(connection, f"DESCRIBE {what}").fetchall()
    return [(name, Native(kind)) for name, kind, *_ in found]


def _in_lower_case(json: bytes) -> bytes:
    """Control characters are escaped by all others here with small letters."""
    if b"\\u00" not in json:
        return json
    return _BACKSLASHED.sub(
        lambda found: found[0].lower() if found[0][1:2] == b"u" else found[0], json
    )
