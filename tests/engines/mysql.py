"""MariaDB is used where ``mariadbd`` is on the machine or ``TEST_MYSQL_URL`` names a server.

On that server databases have to be creatable. The absence of both is a loud skip, and a failure
under CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa

from tests.engines.base import Engine

ORDER_TYPES = {
    "string": "varchar(200) COLLATE utf8mb4_bin",
    "double": "decimal(14,2)",
    "datetime": "datetime",
}


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
        wait_for_socket(socket, process)
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


def wait_for_socket(socket: Path, process: subprocess.Popen[bytes]) -> None:
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
    yield Engine("mysql", url.render_as_string(hide_password=False), execute, ORDER_TYPES)
