"""The ways of reading a table that our endpoint is measured against.

Run as a script, one of them reads the whole table in a process of its own and prints the seconds
and the peak memory: ``python -m benchmarks.contenders driver URL``.
"""

from __future__ import annotations

import importlib
import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson
import psycopg
import sqlalchemy as sa
from flask import Flask, Response

from benchmarks.tables import TABLE

_QUERY = f"SELECT * FROM {TABLE}"
_BATCH = 2000


def plain_app(url: str) -> Flask:
    """What one writes first: SQLAlchemy's streamed rows through the standard json module."""
    app = Flask("plain")
    if url.startswith(("duckdb:", "files:")):
        return _plain_duckdb(app, url)
    engine = sa.create_engine(url)

    @app.post("/data")
    def data() -> Response:
        def body() -> Iterator[str]:
            with engine.connect() as connection:
                result = connection.execution_options(yield_per=_BATCH).execute(sa.text(_QUERY))
                yield "[" + json.dumps(list(result.keys()))
                for row in result:
                    yield "," + json.dumps(list(row), default=str)
            yield "]"

        return Response(body(), mimetype="application/json")

    return app


def _plain_duckdb(app: Flask, url: str) -> Flask:
    """The same without SQLAlchemy, which does not know DuckDB."""

    @app.post("/data")
    def data() -> Response:
        def body() -> Iterator[str]:
            yield "[[]"
            for batch in driver_rows(url):
                for row in batch:
                    yield "," + json.dumps(row, default=str)
            yield "]"

        return Response(body(), mimetype="application/json")

    return app


def driver_rows(url: str) -> Iterator[list[Any]]:
    """The driver alone, its rows as they come."""
    parsed = sa.make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            cursor: Any = sqlite3.connect(str(parsed.database)).execute(_QUERY)
        case "duckdb":
            cursor = duckdb.connect(str(parsed.database), read_only=True).execute(_QUERY)
        case "files":
            (file,) = Path("/", str(parsed.database)).iterdir()
            cursor = duckdb.connect().execute(f"SELECT * FROM '{file}'")
        case "postgresql":
            connection = psycopg.connect(url)
            rows = connection.cursor().stream(_QUERY, size=_BATCH)  # type: ignore[arg-type]
            batch: list[Any] = []
            for row in rows:
                batch.append(row)
                if len(batch) == _BATCH:
                    yield batch
                    batch = []
            yield batch
            return
        case "clickhouse":
            with clickhouse_client(url).query_row_block_stream(_QUERY) as blocks:
                yield from blocks
            return
        case _:
            compiled = parsed.drivername.endswith("+mysqldb")
            driver = importlib.import_module("MySQLdb" if compiled else "pymysql")
            mysql = driver.connect(
                unix_socket=str(parsed.query["unix_socket"]),
                user=parsed.username,
                database=parsed.database,
                cursorclass=importlib.import_module(f"{driver.__name__}.cursors").SSCursor,
                charset="utf8mb4",
            )
            cursor = mysql.cursor()
            cursor.execute(_QUERY)
    while found := cursor.fetchmany(_BATCH):
        yield list(found)


def clickhouse_client(url: str) -> Any:
    from clickhouse_connect import get_client

    at = sa.make_url(url)
    return get_client(host=at.host, port=at.port, database=at.database, compress=False)


def clickhouse_json(url: str) -> None:
    """The client's fastest stream: the server's own JSON, a row in every line, thrown away."""
    settings = {"output_format_json_validate_utf8": 1}
    answer = clickhouse_client(url).raw_stream(_QUERY, None, settings, "JSONCompactEachRow")
    for _ in answer.stream(1 << 18):
        pass


def driver(url: str) -> None:
    """Rows thrown away."""
    for _ in driver_rows(url):
        pass


def script(url: str) -> None:
    """Rows to JSON with orjson, and the JSON thrown away: a bare script with nothing around it."""
    if url.startswith("clickhouse"):
        clickhouse_json(url)
        return
    for batch in driver_rows(url):
        orjson.dumps(batch, default=str)


def peak_mib(process: int | str) -> float:
    """The most memory that a process has held, or has since its peak was reset."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


CONTENDERS: dict[str, Callable[[str], None]] = {"driver": driver, "script": script}

if __name__ == "__main__":
    _, name, url = sys.argv
    started = time.perf_counter()
    CONTENDERS[name](url)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib("self")}))
