"""Database servers of our own, which may be stopped, started and filled up."""

from __future__ import annotations

import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest

from tests.engines import connect_mysql, postgresql_server
from tests.engines.mysql import require_mysqlclient, wait_for_socket

SLOTS = 30
USER = "b24_reader"


class Database(ABC):
    """A server with a database ``faulty`` and a user :data:`USER` who may read it."""

    name: str
    socket: Path
    queries: ClassVar[dict[str, str]]
    scheme: str  # of a source's url

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def connect(self, user: str | None = None) -> Any:
        """A connection of the driver; of the owner without ``user``."""

    @abstractmethod
    def execute(self, sql: str) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def connections(self) -> list[int]:
        """The server's own numbers of the reader's connections."""

    @abstractmethod
    def kill(self, connection: int) -> None: ...

    def url(self, port: int) -> str:
        return f"{self.scheme}://{USER}:secret@127.0.0.1:{port}/faulty"


class PostgreSQL(Database):
    name = scheme = "postgresql"
    queries: ClassVar = {
        "many": "SELECT i, 'text of row ' || i AS t FROM generate_series(1, 1000000) AS i",
        "few": "SELECT i, 'text of row ' || i AS t FROM generate_series(1, 3000) AS i",
        "nap": "SELECT 1 AS i FROM pg_sleep(1)",
        "slow": "SELECT 1 AS i FROM pg_sleep(100)",
    }

    def __init__(self, directory: Path, url: str) -> None:
        self._data, self._url = directory / "pg", url
        postgres, *_ = (self._data / "postmaster.opts").read_text().split()
        self._pg_ctl = Path(postgres).with_name("pg_ctl")
        with psycopg.connect(url, autocommit=True) as owner:
            (folder,) = owner.execute("SHOW unix_socket_directories").fetchone() or ("",)
            self.socket = Path(folder) / ".s.PGSQL.5432"
            owner.execute("CREATE DATABASE faulty TEMPLATE template0 ENCODING 'UTF8'")
            owner.execute(f"CREATE ROLE {USER} LOGIN PASSWORD 'secret'")
            owner.execute(f"ALTER SYSTEM SET max_connections = {SLOTS}")
            # A restart that is not gentle has little to write.
            owner.execute("ALTER SYSTEM SET fsync = off")
        self.stop()
        self.start()

    def _control(self, *arguments: str) -> None:
        command = [str(self._pg_ctl), "-D", str(self._data), "-w", *arguments]
        owner = self._data.stat().st_uid
        user: dict[str, Any] = {"user": owner} if owner != os.geteuid() else {}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=30, cwd="/", **user)

    def start(self) -> None:
        log = self._data / "log"
        self._control("-o", f"-h '' -k {self.socket.parent}", "-l", str(log), "start")

    def stop(self) -> None:
        self._control("-m", "immediate", "stop")

    def connect(self, user: str | None = None) -> Any:
        return psycopg.connect(self._url, dbname="faulty", **({"user": user} if user else {}))

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as owner:
            cursor = owner.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def connections(self) -> list[int]:
        asked = f"SELECT pid FROM pg_stat_activity WHERE usename = '{USER}'"
        return [row[0] for row in self.execute(asked)]

    def kill(self, connection: int) -> None:
        self.execute(f"SELECT pg_terminate_backend({connection})")


class MariaDB(Database):
    name = "mysql"
    queries: ClassVar = {
        "many": "SELECT seq AS i, concat('text of row ', seq) AS t FROM seq_1_to_1000000",
        "few": "SELECT seq AS i, concat('text of row ', seq) AS t FROM seq_1_to_3000",
        "nap": "SELECT SLEEP(1) AS i",
        # SLEEP gives 1, and not an error, when it is interrupted.
        "slow": """SELECT a.seq AS i FROM seq_1_to_100000000 a, seq_1_to_100 b
                   WHERE a.seq + b.seq < 0""",
    }

    def __init__(self, directory: Path, scheme: str) -> None:
        self.scheme = scheme
        self._directory, self.socket = directory, directory / "mysql.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._user = ["--user=root"] if os.geteuid() == 0 else []
        self._data = f"--datadir={directory / 'mysql'}"
        install = ["mariadb-install-db", "--no-defaults", self._data, "--skip-test-db"]
        install += ["--auth-root-authentication-method=normal", *self._user]
        subprocess.run(install, check=True, capture_output=True)
        self.start()
        with connect_mysql(self._url()) as owner, owner.cursor() as cursor:
            cursor.execute("CREATE DATABASE faulty CHARACTER SET utf8mb4")
            cursor.execute(f"CREATE USER {USER} IDENTIFIED BY 'secret'")
            cursor.execute(f"GRANT ALL ON faulty.* TO {USER}")

    def _url(self, user: str = "root") -> str:
        return f"mysql://{user}@localhost/?unix_socket={self.socket}"

    def start(self) -> None:
        command = ["mariadbd", "--no-defaults", self._data, f"--socket={self.socket}"]
        command += [f"--pid-file={self._directory / 'mysql.pid'}", "--skip-networking"]
        command += [f"--max-connections={SLOTS}", "--innodb-flush-log-at-trx-commit=0", *self._user]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
        wait_for_socket(self.socket, self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self.socket.unlink(missing_ok=True)

    def connect(self, user: str | None = None) -> Any:
        import pymysql

        if user is None:
            return connect_mysql(self._url(), "faulty")
        return pymysql.connect(unix_socket=str(self.socket), user=user, password="secret")

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as owner, owner.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def connections(self) -> list[int]:
        asked = f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'"
        return [row[0] for row in self.execute(asked)]

    def kill(self, connection: int) -> None:
        self.execute(f"KILL CONNECTION {connection}")


@contextmanager
def database(name: str, directory: Path) -> Iterator[Database]:
    """A running server, fresh and empty."""
    if name == "postgresql":
        with postgresql_server(directory) as url:
            yield PostgreSQL(directory, url)
        return
    if not shutil.which("mariadbd"):
        message = "mariadbd is not on this machine: its faults are NOT TESTED"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    if name == "mysqlclient":
        require_mysqlclient()
    running = MariaDB(directory, "mysql+mysqldb" if name == "mysqlclient" else "mysql")
    try:
        yield running
    finally:
        running.stop()
