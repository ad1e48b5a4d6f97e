"""ClickHouse over its HTTP interface, through clickhouse-connect.

The server itself writes the rows as JSON. Sessions there are none: every question carries its
settings, which make it read-only and limited in time, and let it fail where a profile of the
server's might cut the answer short.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from clickhouse_connect.driver import create_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

from adapters.alarm import ALARMS
from adapters.base import Adapter, Batch, Cancellation, Field, Options, Query, Row, Table
from adapters.clickhouse import catalog
from adapters.clickhouse.answer import FORMAT, BrokenAnswer, answer
from adapters.clickhouse.columns import column, fits
from adapters.clickhouse.errors import MISFITS, code_of, meaning
from adapters.clickhouse.http import Wire, carried_by, severable_pool
from adapters.clickhouse.settings import allowed
from adapters.clickhouse.sql import DIALECT, select
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.parameters import refuse_unknown
from adapters.sql.drift import refuse_outdated
from adapters.sql.sessions import ENTRY, GRACE

# Seconds in which a server has to end a query that it is told to.
_KILLING = 2.0
_CONNECTIONS = 25
_PIECE = 1 << 18

_TRUE = ("1", "true", "yes", "on")

# What goes wrong is ours to report; the client would add a line to the log for each.
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)


class ClickHouseAdapter(Adapter):
    """``clickhouse://user:password@host:port/database``; ``?secure=1`` or port 8443 is HTTPS.

    ``verify=0`` and ``ca_cert=FILE`` say how the server's certificate is checked.
    """

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        self._url = sa.make_url(url)
        self._seconds = options.timeout.total_seconds()
        self._entry_seconds = min(ENTRY, self._seconds / 2)
        asked = {key: str(value) for key, value in self._url.query.items()}
        refuse_unknown(self._url.drivername, asked, ("ca_cert", "secure", "verify"))
        self._pool = severable_pool(
            connections=_CONNECTIONS,
            verify=asked.get("verify", "1").lower() in _TRUE,
            ca_cert=asked.get("ca_cert"),
        )
        self._secure = asked.get("secure", "0").lower() in _TRUE or self._url.port in (443, 8443)
        self._entering = threading.Lock()
        self._client: Client | None = None
        self._settings: dict[str, str] = {}

    def check(self) -> None:
        list(self._read(sa.text("SELECT 1 AS one"), Cancellation()))

    def tables(self) -> list[Table]:
        return [
            Table(name, database, bool(default), comment)
            for name, database, default, comment in self._list(catalog.TABLES)
        ]

    def describe(self, table: Table) -> list[Field]:
        if table.sql is None:
            found = self._list(catalog.columns_of(table))
            if not found:
                raise SchemaChanged(f"table {table.name} does not exist any more")
        else:
            found = [[*row[:2], ""] for row in self._list(catalog.columns_of_sql(table.sql))]
            names = [name for name, *_ in found]
            if twice := {name for name in names if names.count(name) > 1}:
                raise QueryFailed(f"query {table.name}: columns named twice: {sorted(twice)}")
        fields = []
        for name, declared, comment in found:
            native = replace(column(name, declared, self.options.timezone), declared=declared)
            fields.append(Field(name, native.type, comment, native))
        return fields

    def rows(self, query: Query, cancellation: Cancellation) -> Iterator[list[Row]]:
        for batch in self.json_rows(query, cancellation):
            yield _parsed(batch)

    def json_rows(self, query: Query, cancellation: Cancellation) -> Iterator[Batch]:
        statement = select(query, self.options.timezone)
        try:
            yield from self._read(statement, cancellation, query.fields)
        except QueryFailed as error:
            if code_of(error) in MISFITS:
                refuse_outdated(query, self.describe)
            raise

    def close(self) -> None:
        self._pool.clear()

    def _list(self, statement: sa.Executable) -> list[list[Any]]:
        read = self._read(statement, Cancellation())
        return [list(row) for batch in read for row in _parsed(batch)]

    def _read(
        self,
        statement: sa.Executable,
        cancellation: Cancellation,
        fields: Sequence[Field] | None = None,
    ) -> Iterator[Batch]:
        """The rows of a statement; ``fields`` are what its columns have to be."""
        compiled: Any = statement.compile(  # type: ignore[attr-defined]
            dialect=DIALECT, compile_kwargs={"render_postcompile": True}
        )
        with self._asked(compiled.string, compiled.params, cancellation) as response:
            types, batches = answer(_pieces(response))
            for field, declared in zip(fields or (), types, strict=False):
                if not fits(field.type, declared):
                    raise SchemaChanged(f"column {field.name} is not what it was")
            yield from batches
            if cancellation.reason is not None:
                # A query that is killed while it begins may end as if it had found nothing.
                raise QueryCancelled(cancellation.reason)

    @contextmanager
    def _asked(
        self, sql: str, parameters: dict[str, Any], cancellation: Cancellation
    ) -> Iterator[Any]:
        """The answer of the server, still to be read; what goes wrong with it becomes ours."""
        wire, identity, late = Wire(), str(uuid4()), threading.Event()
        settings = {"query_id": identity}

        def expire() -> None:
            late.set()
            wire.sever()

        response: Any = None
        try:
            with carried_by(wire), ALARMS.every(self._seconds + GRACE, expire):
                client = self._connected(wire)
                with cancellation.by(lambda: self._kill(identity), wire.sever):
                    response = client.raw_stream(sql, parameters, self._settings | settings, FORMAT)
                    yield response
        except BaseException as error:
            if response is not None:
                response.close()
            if response is not None and isinstance(error, GeneratorExit):
                self._kill_quietly(identity)
            if not isinstance(error, (ClickHouseError, HTTPError, BrokenAnswer)):
                raise
            if late.is_set() or isinstance(error, ReadTimeoutError):
                raise QueryTimeout(f"the server has said nothing in time: {error}") from None
            raise meaning(error, cancelled=cancellation.reason is not None) from None

    def _connected(self, wire: Wire) -> Client:
        """The client, which asks a server for its settings when it is made."""
        if self._client is not None:
            return self._client
        with ALARMS.every(self._entry_seconds, wire.sever), self._entering:
            if self._client is None:
                client = self._enter()
                self._settings = allowed(client, self._seconds)
                self._client = client
            return self._client

    def _enter(self) -> Client:
        url = self._url
        try:
            client = create_client(
                host=url.host or "localhost",
                port=url.port or (8443 if self._secure else 8123),
                interface="https" if self._secure else "http",
                username=url.username or "default",
                password=url.password or "",
                database=url.database or "default",
                pool_mgr=self._pool,
                connect_timeout=math.ceil(self._entry_seconds),
                send_receive_timeout=math.ceil(self._seconds + GRACE),
                query_retries=0,
                autogenerate_session_id=False,
                form_encode_query_params=True,
                client_name="b24-connector",
            )
        except ClickHouseError as error:
            raise SourceUnavailable(str(error)) from None
        except AdapterError:
            raise
        except Exception as error:
            # What the client makes of a server that speaks another protocol.
            raise SourceUnavailable(f"{type(error).__name__}: {error}") from None
        client.http_retries = 0  # type: ignore[attr-defined]
        return client

    def _kill(self, identity: str) -> None:
        """Ask the server to end a query of ours; comes back at once, whether it does or not."""
        client: Any = self._client
        answer = self._pool.request(
            "POST",
            f"{client.url}/",
            body=f"KILL QUERY WHERE query_id = '{identity}' ASYNC",
            headers=client.headers,
            timeout=_KILLING,
            retries=False,
        )
        if answer.status >= 400:
            raise HTTPError(f"KILL QUERY: status {answer.status}")

    def _kill_quietly(self, identity: str) -> None:
        # The connection is closed already, by which most servers notice.
        try:
            self._kill(identity)
        except HTTPError as error:
            logging.getLogger(__name__).debug("%s", error)


def _pieces(response: Any) -> Iterator[bytes]:
    """What comes of an answer; a server that fails breaks the connection after what it says."""
    with suppress(ProtocolError):
        yield from response.stream(_PIECE)


def _parsed(batch: Batch) -> list[Row]:
    rows: list[Row] = json.loads(b"[%s]" % batch.json, parse_float=Decimal)
    return rows
