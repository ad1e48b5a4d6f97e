"""A DuckDB file. A file that is open for writing in one process can be read in no other one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from tests.engines.base import Engine

ORDER_TYPES = {"string": "VARCHAR", "double": "DECIMAL(14,2)", "datetime": "TIMESTAMP"}
# What a reader beside a writer is told, in another process or in this one.
_TAKEN = re.compile(r"Could not set lock|different configuration")


@contextmanager
def duckdb_engine(directory: Path) -> Iterator[Engine]:
    path = directory / "source.duckdb"

    def execute(sql: str, rows: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with closing(write(path)) as connection:
            if rows is not None:
                connection.begin()
                connection.executemany(sql, rows)
                connection.commit()
                return []
            return connection.execute(sql).fetchall()

    execute("SELECT 1")
    yield Engine("duckdb", f"duckdb:///{path}", execute, ORDER_TYPES, "?")


def write(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that writes, as soon as nobody reads."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return duckdb.connect(path)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            if not _TAKEN.search(str(error)) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
