"""PostgreSQL, and what speaks its protocol, through psycopg.

Every session is read-only, with the source's time limit and time zone, so the server itself shows
instants in local time. Rows come in chunks of the whole answer (libpq 17), not through a
server-side cursor, for which the planner would prefer plans that give the first rows soon.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine

from adapters.base import Cancellation, FieldType, Query, Row, Table
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.sql import columns
from adapters.sql.adapter import BATCH_ROWS, SqlAdapter, verbatim
from adapters.sql.columns import Bounds, Element, SqlColumn
from adapters.sql.where import TextRules

# Partitions are read through their parent; a table that may not be read is not there.
_TABLES = sa.text("""
    SELECT c.relname, n.nspname, n.nspname = current_schema(), obj_description(c.oid, 'pg_class')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
      AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' AND n.nspname <> 'information_schema'
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_any_column_privilege(c.oid, 'SELECT')
""")

_READABLE = sa.text("""
    SELECT a.attname FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = :table AND n.nspname = coalesce(:schema, current_schema())
      AND a.attnum > 0 AND NOT a.attisdropped
      AND has_column_privilege(c.oid, a.attnum, 'SELECT')
""")

# The first of these that the server has folds the case of every alphabet, whatever the database's
# own locale; the later ones are for servers before 17.
_FOLDING = ("pg_unicode_fast", "pg_c_utf8", "und-x-icu", "C.utf8", "C.UTF-8", "en_US.utf8")

# NaN sorts above all numbers. An infinite numeric is beyond the largest finite one, but servers
# before 14 cannot even name it.
_NUMERIC: Bounds = (
    sa.literal_column("CAST('-1e131071' AS NUMERIC)"),
    sa.literal_column("CAST('1e131071' AS NUMERIC)"),
)
_SHOWN_DATES: Bounds = (
    sa.literal_column("DATE '0001-01-01'"),
    sa.literal_column("DATE '9999-12-31'"),
)


class PostgreSQLAdapter(SqlAdapter):
    """``postgresql://user:password@host:port/database``, with libpq's parameters after ``?``."""

    driver = "postgresql+psycopg"

    def __init__(self, url: str, options: Any) -> None:
        super().__init__(url, options)
        postgis = dict.fromkeys(("geometry", "geography"), columns.Geometry)
        self.type_names = {**self.type_names, **postgis}

    def engine_options(self) -> dict[str, Any]:
        return {"connect_args": {"connect_timeout": 10, "application_name": "b24-connector"}}

    def prepare_session(self, raw: psycopg.Connection[Any]) -> None:
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": f"{round(self.options.timeout.total_seconds() * 1000)}ms",
            "timezone": self.options.timezone.key,
            "datestyle": "ISO, YMD",
            "intervalstyle": "postgres",
            "bytea_output": "hex",
            "extra_float_digits": "1",
            "client_encoding": "UTF8",
        }
        assignments = ", ".join(f"set_config('{name}', %s, false)" for name in settings)
        raw.execute(f"SELECT {assignments}", list(settings.values()))
        raw.commit()

    def interrupt(self, raw: psycopg.Connection[Any]) -> None:
        raw.cancel_safe(timeout=5)

    def translate(self, error: Exception) -> AdapterError:
        state = getattr(error, "sqlstate", None) or ""
        message = f"{type(error).__name__}: {str(error).strip()}"
        if state == "57014":
            return (QueryTimeout if "timeout" in str(error) else QueryCancelled)(message)
        if state in ("42P01", "42703", "3F000"):
            return SchemaChanged(message)
        connection_lost = isinstance(error, psycopg.OperationalError) and not state
        if connection_lost or state[:2] in ("08", "28", "3D", "53", "57") or state == "42501":
            return SourceUnavailable(message)
        return QueryFailed(message)

    @functools.cached_property
    def _folding(self) -> str | None:
        known = sa.text("SELECT collname FROM pg_catalog.pg_collation WHERE collname = ANY(:names)")
        with self.session(Cancellation()) as connection:
            found = set(connection.execute(known, {"names": list(_FOLDING)}).scalars())
        return next((name for name in _FOLDING if name in found), None)

    def text_rules(self) -> TextRules:
        return TextRules(
            exact=lambda text: sa.cast(text, sa.Text()).collate("C"),
            folded=self._folded,
            shown=lambda value: sa.cast(value, sa.Text()),
        )

    def _folded(self, text: Element) -> Element:
        text = sa.cast(text, sa.Text())
        return sa.func.lower(text.collate(self._folding) if self._folding else text)

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            return [
                Table(name, schema, bool(default), comment or "")
                for name, schema, default, comment in connection.execute(_TABLES)
            ]

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        names = {"table": table.name, "schema": table.schema}
        readable = set(connection.execute(_READABLE, names).scalars())
        return [c for c in super().reflect(connection, table) if c[0] in readable]

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        statement = sa.text(f"SELECT * FROM ({verbatim(sql)}\n) query LIMIT 0")
        result = connection.execute(statement)
        described: Any = result.cursor.description
        oids = [column.type_code for column in described]
        names: dict[int, str] = dict(
            connection.execute(
                sa.text("SELECT oid, format_type(oid, NULL) FROM pg_type WHERE oid = ANY(:oids)"),
                {"oids": oids},
            ).all()
        )
        return [(c.name, self._named_type(names[c.type_code], c)) for c in described]

    def _named_type(self, name: str, described: psycopg.Column) -> TypeEngine[Any]:
        if name.endswith("[]"):
            return pg.ARRAY(sa.types.NullType())
        kind = self.type_names.get(name, sa.types.NullType)
        if kind is sa.NUMERIC:
            return sa.Numeric(described.precision, described.scale)
        if name.startswith("timestamp"):
            return pg.TIMESTAMP(timezone=name.endswith("with time zone"))
        return sa.types.to_instance(kind)

    def column(self, name: str, kind: TypeEngine[Any]) -> SqlColumn:  # noqa: C901 - a table
        column: Element = sa.column(name)
        match kind:
            case pg.DOMAIN():
                return self.column(name, kind.data_type)
            case pg.OID():
                return columns.integer(column)
            case sa.REAL():
                return columns.single(column, bounds=_finite(columns.bind_single))
            case sa.Float():
                return columns.double(column, bounds=_finite(columns.bind_double))
            case sa.Numeric():
                make = columns.integer if columns.is_whole(kind) else columns.number
                return make(column, bounds=_NUMERIC)
            case pg.MONEY():
                return columns.number(sa.cast(column, sa.Numeric()))
            case sa.DateTime():
                return _datetime(column, zoned=bool(kind.timezone))
            case sa.Date():
                shown = sa.case((column.between(*_SHOWN_DATES), sa.cast(column, sa.Text())))
                return SqlColumn(FieldType.DATE, shown, column, _bind_date, bounds=_SHOWN_DATES)
            case pg.BYTEA():
                return columns.shown_as(sa.func.encode(column, "hex"))
            case pg.ARRAY():
                return columns.shown_as(sa.cast(sa.func.to_json(column), sa.Text()))
            case columns.Geometry():
                return columns.shown_as(sa.func.ST_AsText(column))
            case sa.CHAR() | pg.CITEXT() | sa.Enum():
                return columns.shown_as(sa.cast(column, sa.Text()))
            case sa.String():
                return columns.text(column, inexact=kind.collation is not None)
            case _:
                return super().column(name, kind)

    def raw_rows(self, query: Query, cancellation: Cancellation) -> Iterator[list[Row]]:
        compiled = self.select(query).compile(
            self.engine, compile_kwargs={"render_postcompile": True}
        )
        with self.session(cancellation) as connection:
            raw: Any = connection.connection.dbapi_connection
            rows = raw.cursor().stream(compiled.string, compiled.params, size=BATCH_ROWS)
            with closing(rows):  # cancels the query if rows are left unread
                while batch := list(islice(rows, BATCH_ROWS)):
                    yield batch


def _finite(bind: Any) -> tuple[Element, Element]:
    return bind(-columns.MAX_DOUBLE), bind(columns.MAX_DOUBLE)


def _bind_date(value: datetime) -> Element:
    return sa.literal(value, sa.Date())


def _datetime(column: Element, *, zoned: bool) -> SqlColumn:
    kind = "TIMESTAMPTZ" if zoned else "TIMESTAMP"
    bounds: Bounds = (
        sa.literal_column(f"{kind} '0001-01-01 00:00:00'"),
        sa.literal_column(f"{kind} '9999-12-31 23:59:59.999999'"),
    )
    shown = sa.case((column.between(*bounds), sa.func.left(sa.cast(column, sa.Text()), 19)))

    def bind(value: datetime) -> Element:
        moment = value.replace(tzinfo=UTC) if zoned else value
        return sa.literal(moment, pg.TIMESTAMP(timezone=zoned))

    return SqlColumn(FieldType.DATETIME, shown, column, bind, bounds=bounds, zoned=zoned)
