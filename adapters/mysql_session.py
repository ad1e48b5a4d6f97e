"""What a session of MySQL has to be told, and what it may do without.

Relatives of MySQL lack some of its settings. Those that keep an answer right and a query harmless
are insisted on; of the others, a server has its own way.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from adapters.errors import SourceUnavailable

_READ_ONLY = "TRANSACTION READ ONLY"
_UTC = "time_zone = '+00:00'"
# With any other, a server gives the first rows for all of them.
_ALL_ROWS = "sql_select_limit = 18446744073709551615"


def prepare(
    cursor: Any, timeout: timedelta, *, mariadb: bool, refuses: Callable[[Exception], bool]
) -> None:
    """Make a new session read-only, in UTC and limited in time.

    ``refuses`` says whether an error is a server's word on a statement, and not the end of the
    connection. Raises the driver's error if the session cannot be made so, or
    :class:`~adapters.errors.SourceUnavailable` if the server knows no limit for a query's time.
    """

    def accepts(*assignments: str) -> bool:
        try:
            cursor.execute(f"SET {', '.join(assignments)}")
        except Exception as error:
            if not refuses(error):
                raise
            return False
        return True

    seconds = max(1, round(timeout.total_seconds()))
    limits = [
        f"max_statement_time = {timeout.total_seconds()}",
        f"max_execution_time = {seconds * 1000}",
        f"query_timeout = {seconds}",
    ]
    if not mariadb:
        limits.append(limits.pop(0))
    others = [
        # A slow reader is ours to judge: the server waits as long as the query may take.
        f"net_write_timeout = {seconds}",
        "group_concat_max_len = 4294967295",
    ]
    cursor.execute(f"SET SESSION {_READ_ONLY}")
    if accepts(_UTC, _ALL_ROWS, limits[0], *others):
        return
    cursor.execute(f"SET {_UTC}")
    accepts(_ALL_ROWS)
    if not any(accepts(limit) for limit in limits):
        raise SourceUnavailable("the server takes no time limit for a query")
    for other in others:
        accepts(other)
