"""PostgreSQL, and what speaks its protocol, through psycopg.

Every session is read-only, with the source's time limit and time zone, so the server itself shows
instants in local time. Rows come in chunks of the whole answer (libpq 17), not through a
server-side cursor, for which the planner would prefer plans that give the first rows soon.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any, ClassVar

import orjson
import psycopg
import sqlalchemy as sa
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Conninfo, ExecStatus
from sqlalchemy.types import TypeEngine

from adapters import postgresql_catalog as catalog
from adapters import postgresql_session as session
from adapters import postgresql_types as types
from adapters.base import Batch, Cancellation, Capability, Lacks, Options, Query, Row, Table
from adapters.encode import encode_clean
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.evaluate import NOT_ONE_TO_ONE
from adapters.sql.adapter import SqlAdapter
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.drift import refuse_outdated
from adapters.sql.pace import Pace
from adapters.sql.verbatim import verbatim
from adapters.sql.where import TextRules

# Compares texts by their code points, on every server that has it.
_EXACT = "C"
# The one below that does not fold one character to one.
_ICU = "und-x-icu"
# The first of these that the server has folds the case of every alphabet, whatever the database's
# own locale; the later ones are for servers before 17.
_FOLDING = ("pg_c_utf8", "C.utf8", "C.UTF-8", "en_US.utf8", _ICU)

# Rows of a chunk, which libpq holds all at once whatever their width.
_CHUNK = 100

# What the server says of an expression that no longer fits its column.
_MISFITS = (
    psycopg.errors.UndefinedFunction,
    psycopg.errors.DatatypeMismatch,
    psycopg.errors.CannotCoerce,
    psycopg.errors.DataError,
)


class PostgreSQLAdapter(SqlAdapter):
    """``postgresql://user:password@host:port/database``, with libpq's parameters after ``?``."""

    driver = "postgresql+psycopg"
    prompt = True
    parameters = frozenset(known.keyword.decode() for known in Conninfo.get_defaults())
    lacks: ClassVar[Lacks] = {
        Capability.FLOAT_PATTERNS: "Very large and very small ones are written in another way than "
        "in JSON: `1e+15`, `1e-05`."
    }

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        # Not a cached property, which until Python 3.12 has one lock for all sources: a server that
        # hangs at this question would keep the others from theirs.
        self._collations = functools.lru_cache(1)(self._known_collations)

    def engine_options(self) -> dict[str, Any]:
        return {
            # Each query is a transaction of its own, and leaves nothing that had to be ended.
            "isolation_level": "AUTOCOMMIT",
            "pool_reset_on_return": None,
            "connect_args": {
                # libpq knows no shorter time than 2 seconds.
                "connect_timeout": max(2, int(self.entry_seconds)),
                "application_name": "b24-connector",
                # A dead network under an idle connection, or under what is sent, is noticed.
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 30_000,
            },
        }

    def prepare_session(self, raw: psycopg.Connection[Any]) -> None:
        session.prepare(raw, self.options)

    def ping(self, raw: psycopg.Connection[Any]) -> None:
        """By the driver's library itself: nothing is cheaper than an empty statement."""
        try:
            answer = raw.pgconn.exec_(b"")
        except MemoryError:  # the driver's word for no answer at all
            raise psycopg.OperationalError("the connection is lost") from None
        if answer.status != ExecStatus.EMPTY_QUERY:
            raise psycopg.OperationalError(answer.get_error_message())

    def interrupt(self, raw: psycopg.Connection[Any]) -> None:
        raw.cancel_safe(timeout=2)

    def descriptor(self, raw: psycopg.Connection[Any]) -> int:
        return raw.fileno()

    def translate(self, error: Exception) -> AdapterError:
        state = getattr(error, "sqlstate", None) or ""
        message = f"{type(error).__name__}: {str(error).strip()}"
        if state == "57014":
            return QueryCancelled(message)  # or its limit, whatever the language that it is told in
        if state in ("42P01", "42703", "3F000"):
            return SchemaChanged(message)
        connection_lost = isinstance(error, psycopg.OperationalError) and not state
        if connection_lost or state[:2] in ("08", "28", "3D", "53", "57") or state == "42501":
            return SourceUnavailable(message)
        return QueryFailed(message)

    def _known_collations(self) -> frozenset[str]:
        """Those of ours that the server has."""
        known = sa.text("SELECT collname FROM pg_catalog.pg_collation WHERE collname = ANY(:names)")
        with self.session(Cancellation()) as connection:
            return frozenset(connection.execute(known, {"names": [_EXACT, *_FOLDING]}).scalars())

    def text_rules(self) -> TextRules:
        return TextRules(
            exact=self._exact, folded=self._folded, shown=lambda value: sa.cast(value, sa.Text())
        )

    def _exact(self, text: Element) -> Element:
        text = sa.cast(text, sa.Text())
        # Bytes of UTF-8 are in the order of code points, but no index is.
        return (
            text.collate(_EXACT)
            if _EXACT in self._collations()
            else sa.func.convert_to(text, "UTF8")
        )

    def _folded(self, text: Element) -> Element:
        text = sa.cast(text, sa.Text())
        folding = next((name for name in _FOLDING if name in self._collations()), None)
        if folding is None:
            return sa.func.lower(text)
        if folding == _ICU:
            text = sa.func.translate(text, *NOT_ONE_TO_ONE)
        return sa.func.lower(text.collate(folding))

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            return catalog.tables(connection)

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        natives = catalog.columns(connection, table)
        kinds = catalog.kinds(connection, natives)
        return [(n.name, kind, n.comment) for n, kind in zip(natives, kinds, strict=True)]

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        statement = sa.text(f"SELECT * FROM ({verbatim(sql)}\n) query LIMIT 0")
        cursor: Any = connection.execute(statement).cursor
        answer = cursor.pgresult
        natives = [
            catalog.Native(column.name, answer.ftype(i), answer.fmod(i))
            for i, column in enumerate(cursor.description)
        ]
        kinds = catalog.kinds(connection, natives)
        return [(n.name, kind) for n, kind in zip(natives, kinds, strict=True)]

    def column(self, name: str, kind: TypeEngine[Any]) -> SqlColumn:
        return types.column_of(name, kind) or super().column(name, kind)

    def raw_rows(self, query: Query, cancellation: Cancellation, pace: Pace) -> Iterator[list[Row]]:
        return self._stream(query, cancellation, pace, {})

    def json_rows(self, query: Query, cancellation: Cancellation) -> Iterator[Batch]:
        pace = Pace()
        for batch in self._stream(query, cancellation, pace, {"numeric": _NumericAsJson}):
            yield pace.batch(len(batch), encode_clean(batch))

    def _stream(
        self,
        query: Query,
        cancellation: Cancellation,
        pace: Pace,
        loaders: Mapping[str, type[Loader]],
    ) -> Iterator[list[Row]]:
        """Rows whose values of the types in ``loaders`` are read by these and not as usual."""
        statement = self.statement(query)
        with self.session(cancellation) as connection:
            raw: Any = connection.connection.dbapi_connection
            if query.table.sql is None and types.compares_decimals(query):
                refuse_outdated(query, lambda table: self.fields(connection, table))
            cursor = raw.cursor()
            for name, loader in loaders.items():
                cursor.adapters.register_loader(name, loader)
            try:
                if query.limit is not None and query.limit <= _CHUNK:
                    cursor.execute(*statement, prepare=False)
                    types.refuse_others(query, cursor.pgresult)
                    if batch := cursor.fetchall():
                        yield batch
                    return
                rows = cursor.stream(*statement, size=_CHUNK)
                with closing(rows):  # cancels the query if rows are left unread
                    batch = list(islice(rows, pace.rows))
                    if batch:
                        types.refuse_others(query, cursor.pgresult)
                    while batch:
                        yield batch
                        batch = list(islice(rows, pace.rows))
            except _MISFITS:
                connection.invalidate()  # gives back what the description may need
                refuse_outdated(query, self.describe)
                raise


class _NumericAsJson(Loader):
    """A numeric is a JSON number as the server writes it; NaN and infinities end in a letter."""

    def load(self, data: Buffer) -> orjson.Fragment | None:
        text = bytes(data)
        return orjson.Fragment(text) if text[-1:].isdigit() else None
