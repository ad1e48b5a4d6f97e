"""What ClickHouse's errors mean, by their codes.

The names of the codes are in ``system.errors`` of a server.
"""

from __future__ import annotations

import re

from clickhouse_connect.driver.exceptions import Error as DriverError

from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)

_CODE = re.compile(r"[Cc]ode: (\d+)")

_TIMEOUT = {159, 160}  # TIMEOUT_EXCEEDED, TOO_SLOW
_CANCELLED = {394, 735}  # QUERY_WAS_CANCELLED, QUERY_WAS_CANCELLED_BY_CLIENT
_CHANGED = {
    8,  # THERE_IS_NO_COLUMN
    10,  # NOT_FOUND_COLUMN_IN_BLOCK
    16,  # NO_SUCH_COLUMN_IN_TABLE
    47,  # UNKNOWN_IDENTIFIER
    60,  # UNKNOWN_TABLE
    218,  # TABLE_IS_DROPPED
}
_UNAVAILABLE = {
    32,  # ATTEMPT_TO_READ_AFTER_EOF
    81,  # UNKNOWN_DATABASE
    209,  # SOCKET_TIMEOUT
    192,  # UNKNOWN_USER
    193,  # WRONG_PASSWORD
    194,  # REQUIRED_PASSWORD
    195,  # IP_ADDRESS_NOT_ALLOWED
    201,  # QUOTA_EXCEEDED
    202,  # TOO_MANY_SIMULTANEOUS_QUERIES
    203,  # NO_FREE_CONNECTION
    210,  # NETWORK_ERROR
    236,  # ABORTED
    279,  # ALL_CONNECTION_TRIES_FAILED
    497,  # ACCESS_DENIED
    516,  # AUTHENTICATION_FAILED
}
MISFITS = {
    6,  # CANNOT_PARSE_TEXT
    38,  # CANNOT_PARSE_DATE
    41,  # CANNOT_PARSE_DATETIME
    43,  # ILLEGAL_TYPE_OF_ARGUMENT
    44,  # ILLEGAL_COLUMN
    53,  # TYPE_MISMATCH
    70,  # CANNOT_CONVERT_TYPE
    386,  # NO_COMMON_TYPE
    395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
}
"""What the server says of an expression that may no longer fit its column."""


def code_of(error: Exception) -> int | None:
    """The server's code in the text of an error, or None."""
    found = _CODE.search(str(error))
    return int(found[1]) if found else None


def meaning(error: Exception, *, cancelled: bool) -> AdapterError:
    """Ours for an error of the server, the client, or the connection between them.

    ``cancelled`` says whether we have asked for the end of the query.
    """
    code = error.code if isinstance(error, DriverError) and error.code else code_of(error)
    message = str(error)
    if cancelled and (code is None or code in _CANCELLED):
        return QueryCancelled(message)
    if code in _TIMEOUT:
        return QueryTimeout(message)
    if code in _CHANGED:
        return SchemaChanged(message)
    if code is None or code in _UNAVAILABLE or code in _CANCELLED:
        return SourceUnavailable(message)  # one that somebody else has ended among them
    return QueryFailed(message)
