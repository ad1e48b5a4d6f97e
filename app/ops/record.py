"""What is known of the present request, for the log and the counters, when its answer has ended."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Protocol, cast

from flask import Flask, Response, g, request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Streamed(Protocol):
    """An answer with rows; both are final when it has ended."""

    rows: int
    outcome: str


@dataclass
class Record:
    """One request. ``endpoint`` is the last part of its route, ``started`` of the monotonic clock.

    ``parameters`` are the names of known parameters and never values, which are passwords and
    tokens; ``sources`` the sources that it has to do with; ``error`` the code of an error answer.
    """

    id: str
    started: float
    method: str
    path: str
    endpoint: str
    sources: Sequence[str] = ()
    parameters: Sequence[str] = ()
    error: str | None = None
    status: int = 0
    answer: Streamed | None = None

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self.started


def record() -> Record:
    """That of the present request."""
    return cast(Record, g.record)


def keep_records(app: Flask, *readers: Callable[[Record], None]) -> None:
    """Give every request an id, in ``X-Request-Id``, and its record to ``readers`` at its end."""

    @app.before_request
    def start() -> None:
        given = request.headers.get("X-Request-Id", "")
        rule = request.url_rule
        g.record = Record(
            id=given if _REQUEST_ID.fullmatch(given) else token_hex(16),
            started=time.monotonic(),
            method=request.method,
            path=request.path,
            endpoint=rule.rule.rpartition("/")[2] if rule else "unknown",
        )

    @app.after_request
    def finish(response: Response) -> Response:
        ended = record()
        ended.status = response.status_code
        response.headers["X-Request-Id"] = ended.id
        for read in readers:
            response.call_on_close(partial(read, ended))
        return response
