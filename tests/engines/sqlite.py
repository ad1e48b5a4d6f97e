from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.engines.base import Engine

ORDER_TYPES = {"string": "TEXT", "double": "DECIMAL(14,2)", "datetime": "DATETIME"}


@contextmanager
def sqlite_engine(directory: Path) -> Iterator[Engine]:
    path = directory / "source.db"

    def execute(sql: str, rows: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as opened, opened as connection:
            if rows is not None:
                connection.executemany(sql, rows)
                return []
            return connection.execute(sql).fetchall()

    execute("PRAGMA journal_mode = WAL")
    yield Engine("sqlite", f"sqlite:///{path}", execute, ORDER_TYPES, "?")
