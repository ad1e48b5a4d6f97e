"""Reads the body of the present request: all of it, or none."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from flask import request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from adapters.alarm import ALARMS, sever
from app.errors import ApiError
from app.wire.body import MAX_BYTES, decode_body
from app.wire.form import Tree

# Seconds in which a body has to come: whoever takes longer holds a thread that others wait for.
_PATIENCE = 30.0
# What is left of a body that is too large is read and thrown away up to here: a client that is
# still sending would not see the answer.
_MAX_DISCARDED = 16 * MAX_BYTES


def read_body() -> Tree:
    """The parameters in the body; raises ApiError as :func:`app.wire.body.decode_body` does."""
    return decode_body(_whole(), request.mimetype)


def _whole() -> bytes:
    """The body, or so much of it that it is known to be larger than MAX_BYTES.

    Raises ApiError MALFORMED_BODY for one that ends too soon: what is missing may be the filter.
    """
    try:
        with _in_time():
            body = request.stream.read(MAX_BYTES + 1)
            if len(body) > MAX_BYTES:
                discarded = 0
                while discarded < _MAX_DISCARDED and (piece := request.stream.read(MAX_BYTES)):
                    discarded += len(piece)
                return body
    except (OSError, ParseException):  # whose words are what was sent
        raise _cut() from None
    if len(body) < (request.content_length or 0):
        raise _cut()
    return body


def _cut() -> ApiError:
    return ApiError("MALFORMED_BODY", "The body ends before its end; send the request again.")


def _in_time() -> AbstractContextManager[None]:
    client: socket.socket | None = request.environ.get("gunicorn.socket")
    return ALARMS.every(_PATIENCE, partial(sever, client.fileno())) if client else nullcontext()
