"""The error contract: every code that a caller can meet, with its status.

An error answer is ``{"error": CODE, "error_description": sentence}`` and never has status 200,
which a portal would take for success.
"""

from __future__ import annotations

STATUS: dict[str, int] = {
    # The request cannot be read.
    "BROKEN_TEXT": 400,
    "MALFORMED_BODY": 400,
    "BODY_TOO_LARGE": 413,
    "TOO_DEEP": 400,
    "TOO_MANY_KEYS": 400,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    # The request goes to the wrong place, or comes from somebody unknown.
    "CANNOT_CONNECT": 401,
    "INVALID_TOKEN": 401,
    "METHOD_NOT_ALLOWED": 405,
    "TOO_MANY_GUESSES": 429,
    "UNKNOWN_CONNECTOR": 404,
    "UNKNOWN_ENDPOINT": 404,
    # The request can be read, but not be answered.
    "INVALID_FILTER": 400,
    "INVALID_LIMIT": 400,
    "INVALID_PARAMETER": 400,
    "INVALID_VALUE": 400,
    "MISSING_TABLE": 400,
    "UNKNOWN_FIELD": 400,
    "UNKNOWN_OPERATOR": 400,
    "UNKNOWN_TABLE": 404,
    # What comes from a portal itself: installation and events.
    "FORGED_REQUEST": 403,
    "PORTAL_BUSY": 409,
    "PORTAL_FAILED": 502,
    "PORTAL_NOT_ALLOWED": 403,
    "PORTAL_NOT_CONFIGURED": 503,
    "STALE_EVENT": 409,
    # The request is fine.
    "INTERNAL_ERROR": 500,
    "QUERY_FAILED": 502,
    "QUERY_TIMEOUT": 504,
    "SOURCE_UNAVAILABLE": 503,
    "TOO_BUSY": 503,
    "TOO_MANY_ROWS": 422,
}


class ApiError(Exception):
    """An answer other than 200: ``code`` is one of :data:`STATUS`.

    ``description`` is one sentence for the person behind the request. It names the culprit and
    holds no secret, no SQL and no driver's message. ``retry_after`` is in seconds.
    """

    def __init__(self, code: str, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.status = STATUS[code]
        self.description = description
        self.retry_after = retry_after
