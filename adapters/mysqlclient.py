"""MySQL and MariaDB through mysqlclient, which reads several times as fast as PyMySQL.

It has to be compiled against the server's C library, so it is used only where a source's URL asks
for it: ``mysql+mysqldb://…``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import MySQLdb
from MySQLdb.constants import CLIENT
from MySQLdb.cursors import SSCursor

from adapters.mysql import MySQLAdapter
from adapters.mysql_catalog import BINARY_CHARSET, ResultField


class MySQLClientAdapter(MySQLAdapter):
    """``mysql+mysqldb://`` or ``mariadb+mysqldb://user:password@host:port/database``."""

    driver = "mysql+mysqldb"
    streaming = SSCursor

    def engine_options(self) -> dict[str, Any]:
        seconds = math.ceil(self.entry_seconds)
        return {
            "paramstyle": "pyformat",
            "connect_args": {
                "connect_timeout": seconds,
                "client_flag": CLIENT.FOUND_ROWS,
                "multi_statements": False,
                "local_infile": 0,
            },
        }

    def let_think(self, raw: Any) -> None:
        """The driver sets no limit to one answer once it is let in."""

    def connect(self, timeout: float) -> Any:
        _, arguments = self.engine.dialect.create_connect_args(self.engine.url)
        seconds = math.ceil(timeout)
        limits = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), seconds)
        return MySQLdb.connect(**{**arguments, **limits})

    def descriptor(self, raw: Any) -> int | None:
        try:
            return int(raw.fileno())
        except MySQLdb.Error:  # closed already
            return None

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
