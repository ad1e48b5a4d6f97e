"""What errors of SQL Server and Oracle mean, and what their drivers make of no server at all."""

from __future__ import annotations

import gc
import socket
import threading
import time
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace

import pytest

from adapters.base import Options
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.registry import open_adapter
from adapters.sql.adapter import SqlAdapter

pymssql = pytest.importorskip("pymssql")
oracledb = pytest.importorskip("oracledb")


def opened(url: str, options: Options | None = None) -> SqlAdapter:
    adapter = open_adapter(url, options or Options())
    assert isinstance(adapter, SqlAdapter)
    return adapter


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        ((208, b"Invalid object name 'x'.DB-Lib error message 20018"), SchemaChanged),
        ((207, b"Invalid column name 'x'."), SchemaChanged),
        ((11529, b"The metadata could not be determined. Invalid object name 'x'."), SchemaChanged),
        ((1222, b"Lock request time out period exceeded."), QueryTimeout),
        ((229, b"The SELECT permission was denied on the object 'x'"), SourceUnavailable),
        ((18456, b"Login failed for user 'x'."), SourceUnavailable),
        ((4060, b"Cannot open database"), SourceUnavailable),
        ((20002, b"Adaptive Server connection failed"), SourceUnavailable),
        ((20006, b"Write to the server failed"), SourceUnavailable),
        ((20017, b"Unexpected EOF from the server"), SourceUnavailable),
        (((20009, b"Unable to connect"),), SourceUnavailable),
        (("Connection is closed",), SourceUnavailable),
        ((20018, b"General SQL Server error"), QueryFailed),
        ((8134, b"Divide by zero error encountered."), QueryFailed),
        ((102, b"Incorrect syntax near 'x'."), QueryFailed),
    ],
)
def test_errors_of_sql_server(error: tuple[object, ...], meaning: type[AdapterError]) -> None:
    with closing(opened("mssql://u:p@h/db")) as adapter:
        assert type(adapter.translate(pymssql.OperationalError(*error))) is meaning


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("ORA-00942", SchemaChanged),
        ("ORA-00904", SchemaChanged),
        ("ORA-01013", QueryCancelled),
        ("DPY-4024", QueryTimeout),
        ("ORA-01017", SourceUnavailable),
        ("ORA-01031", SourceUnavailable),
        ("ORA-12514", SourceUnavailable),
        ("ORA-03113", SourceUnavailable),
        ("DPY-4011", SourceUnavailable),
        ("DPY-6005", SourceUnavailable),
        ("ORA-01476", QueryFailed),
        ("ORA-00933", QueryFailed),
        ("ORA-22835", QueryFailed),
    ],
)
def test_errors_of_oracle(code: str, meaning: type[AdapterError]) -> None:
    with closing(opened("oracle://u:p@h/db")) as adapter:
        error = oracledb.DatabaseError(SimpleNamespace(full_code=code))
        assert type(adapter.translate(error)) is meaning


@pytest.mark.parametrize("scheme", ["mssql", "oracle"])
def test_a_server_that_is_not_there(scheme: str) -> None:
    with closing(opened(f"{scheme}://anna:plant-secret@127.0.0.1:1/db")) as adapter:
        with pytest.raises(SourceUnavailable) as caught:
            adapter.check()
        assert "plant-secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["mssql", "oracle"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_silent_server_is_given_up(scheme: str) -> None:
    """It lets in and never answers."""
    options = Options(timeout=timedelta(seconds=4))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        with closing(opened(f"{scheme}://anna:secret@127.0.0.1:{port}/db", options)) as adapter:
            started = time.monotonic()
            with pytest.raises(SourceUnavailable):
                adapter.check()
            assert time.monotonic() - started < 10
    for thread in threading.enumerate():
        if thread.name == "oracle-login":
            thread.join(10)  # its connection is reset by now
            assert not thread.is_alive()
    gc.collect()  # Oracle's driver drops a socket that was reset without closing it


def test_the_path_is_oracles_service() -> None:
    with closing(opened("oracle://u:p@h:1522/shop")) as adapter:
        _, arguments = adapter.engine.dialect.create_connect_args(adapter.engine.url)
        assert "(SERVICE_NAME=shop)" in arguments["dsn"]
        assert "(PORT=1522)" in arguments["dsn"]
