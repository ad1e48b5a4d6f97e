"""MySQL and MariaDB through mysqlclient, which reads several times as fast as PyMySQL.

It has to be compiled against the server's C library, so it is used only where a source's URL asks
for it: ``mysql+mysqldb://…``.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

from MySQLdb.connections import Connection
from MySQLdb.constants import CLIENT
from MySQLdb.cursors import SSCursor

from adapters.mysql import MySQLAdapter
from adapters.mysql_catalog import BINARY_CHARSET, ResultField


class _Connection(Connection):  # type: ignore[misc]  # it has no types
    """Lets no other thread touch it while it is used; so what they need is kept beside it."""

    twin: socket.socket | None = None
    number = 0

    def __init__(self, entered: Callable[[Any], None], **arguments: Any) -> None:
        self._entered = entered
        super().__init__(**arguments)

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """The first that a connection does once it is let in, and may wait for."""
        if self.twin is None:
            # A number of its own, which nobody gets while we hold it.
            self.twin = socket.socket(fileno=os.dup(self.fileno()))
            self.number = self.thread_id()
            self._entered(self)
        super().set_character_set(charset, collation)

    def close(self) -> None:
        if self.twin is not None:
            self.twin.close()
        super().close()


class MySQLClientAdapter(MySQLAdapter):
    """``mysql+mysqldb://`` or ``mariadb+mysqldb://user:password@host:port/database``."""

    driver = "mysql+mysqldb"
    streaming = SSCursor

    def engine_options(self) -> dict[str, Any]:
        return {
            "paramstyle": "pyformat",
            "creator": lambda: self._connect(
                self.entry_seconds, lambda raw: self._enter(raw, None)
            ),
        }

    def _connect(self, timeout: float, entered: Callable[[Any], None], **more: Any) -> _Connection:
        _, arguments = self.engine.dialect.create_connect_args(self.engine.url)
        options = {
            "connect_timeout": math.ceil(timeout),
            "client_flag": CLIENT.FOUND_ROWS,
            "multi_statements": False,
            "local_infile": 0,
        }
        return _Connection(entered, **{**arguments, **options, **more})

    def let_think(self, raw: Any) -> None:
        """The driver sets no limit to an answer."""

    def connect(self, timeout: float) -> Any:
        limits = dict.fromkeys(("read_timeout", "write_timeout"), math.ceil(timeout))
        return self._connect(timeout, lambda _: None, **limits)

    def interrupt(self, raw: Any) -> None:
        self.kill(raw.number)

    def descriptor(self, raw: Any) -> int | None:
        return None if raw.twin is None or raw.twin.fileno() < 0 else raw.twin.fileno()

    def abandon(self, raw: Any, cursor: Any) -> None:
        # Freeing a result reads what is left of it, as long as there is a connection to read from.
        self._sever(raw)

    def result_fields(self, cursor: Any) -> Iterable[ResultField]:
        found = zip(
            cursor.description, cursor.description_flags, cursor._result.converter, strict=True
        )
        for (name, code, _, length, _, scale, _), flags, converter in found:
            charset = BINARY_CHARSET if converter is bytes else 0
            yield ResultField(name, code, charset, flags, length, scale)
