"""The adapter that every SQL engine starts from."""

from __future__ import annotations

import functools
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.types import TypeEngine

from adapters.base import And, Batch, Cancellation, Field, Options, Query, Row, Table
from adapters.encode import encode_clean
from adapters.errors import QueryFailed, SchemaChanged
from adapters.sql import columns
from adapters.sql.columns import SqlColumn
from adapters.sql.drift import refuse_outdated
from adapters.sql.pace import Pace
from adapters.sql.sessions import SqlSessions
from adapters.sql.verbatim import verbatim
from adapters.sql.where import TextRules, where

# How many statements without a filter are kept compiled: previews ask the same again and again.
_REMEMBERED = 256


class Statement(NamedTuple):
    """SQL as the driver takes it, with the values that stand for its parameters."""

    sql: str
    parameters: Mapping[str, Any]


class SqlAdapter(SqlSessions):
    """Reflects with SQLAlchemy, compiles a query to one SELECT and streams its rows.

    An engine has to say how it compares texts; it may override the rest, above all :meth:`column`
    for its own types.
    """

    system_schemas: ClassVar[frozenset[str]] = frozenset({"information_schema"})

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        self._unfiltered = functools.lru_cache(_REMEMBERED)(self._compile_unfiltered)

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
            return self.fields(connection, table)

    def fields(self, connection: sa.Connection, table: Table) -> list[Field]:
        """The columns of a table as they are at this moment."""
        if table.sql is not None:
            described = [(n, t, "") for n, t in self.describe_sql(connection, table.sql)]
            names = [name for name, _, _ in described]
            if twice := {name for name in names if names.count(name) > 1}:
                raise QueryFailed(f"query {table.name}: columns named twice: {sorted(twice)}")
        else:
            described = self.reflect(connection, table)
        fields = []
        for name, kind, comment in described:
            native = replace(self.column(name, kind), declared=repr(kind))
            fields.append(Field(name, native.type, comment, native))
        return fields

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

    def rows(
        self, query: Query, cancellation: Cancellation, pace: Pace | None = None
    ) -> Iterator[list[Row]]:
        converts = [field.native.convert for field in query.fields]
        for batch in self.raw_rows(query, cancellation, pace or Pace()):
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

    def raw_rows(self, query: Query, cancellation: Cancellation, pace: Pace) -> Iterator[list[Row]]:
        """What the driver gives for the SELECT, before the columns' ``convert``."""
        with self.session(cancellation) as connection:
            # A server may convert silently what has another type by now.
            refuse_outdated(query, lambda table: self.fields(connection, table))
            yield from self.stream(connection, self.select(query), pace)

    def stream(
        self, connection: sa.Connection, statement: sa.Select[Any], pace: Pace
    ) -> Iterator[list[Row]]:
        """Run a SELECT and read its rows as they come; left early, it ends with the session."""
        streaming = connection.execution_options(stream_results=True)
        result = streaming.execute(statement)
        while batch := result.fetchmany(pace.rows):
            yield [tuple(row) for row in batch]

    def json_rows(self, query: Query, cancellation: Cancellation) -> Iterator[Batch]:
        pace = Pace()
        for batch in self.rows(query, cancellation, pace):
            yield pace.batch(len(batch), encode_clean(batch))

    def select(self, query: Query) -> sa.Select[Any]:
        """The query as one SELECT."""
        statement = _select(query.table, tuple(field.native.read for field in query.fields))
        condition = where(query.where, self.text_rules(), self.options.timezone)
        return statement.where(condition).limit(query.limit)

    def statement(self, query: Query) -> Statement:
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
    ) -> Statement:
        return self._compile(_select(table, reads).limit(limit))

    def _compile(self, statement: sa.Select[Any]) -> Statement:
        compiled = statement.compile(self.engine, compile_kwargs={"render_postcompile": True})
        return Statement(compiled.string, compiled.params)


def _select(table: Table, reads: tuple[columns.Element, ...]) -> sa.Select[Any]:
    return sa.select(*(read.label(f"c{i}") for i, read in enumerate(reads))).select_from(
        _from(table)
    )


def _from(table: Table) -> sa.FromClause:
    if table.sql is None:
        return sa.table(table.name, schema=table.schema)
    return sa.text(f"({verbatim(table.sql)}\n) query")  # type: ignore[return-value]
