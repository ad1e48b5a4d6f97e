"""Logs: one line per request on standard error, secrets replaced wherever they might appear."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Iterable

from flask import Flask, Response, g, request

log = logging.getLogger("b24")

_PLAIN = re.compile(r"[\w./,:-]+", re.ASCII)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Shorter texts would tear holes into ordinary words, and protect nothing.
_SHORTEST_SECRET = 4


class Redacting(logging.Formatter):
    """Formats a record, its traceback too, without any of ``secrets``."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        texts = sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, texts))) if texts else None

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return self._secrets.sub("***", text) if self._secrets else text


def configure_logs(secrets: Iterable[str]) -> None:
    """Send our logs and those of the server through one redacting handler."""
    handler = logging.StreamHandler()
    handler.setFormatter(Redacting(secrets))
    for name in ("b24", "gunicorn.error", "py.warnings"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO)


def log_requests(app: Flask) -> None:
    """Give every request an id, in ``X-Request-Id`` and in its line of the log.

    The line holds the names of known parameters and never a value: values are passwords and tokens.
    """

    @app.before_request
    def start() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        g.started = time.monotonic()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        facts = {
            "id": g.request_id,
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "error": g.get("error_code"),
            "sources": ",".join(g.get("sources", [])),
            "keys": ",".join(g.get("parameters", [])),
        }
        answer, started = g.get("answer"), g.started

        def line() -> None:
            if answer is not None:
                facts.update(rows=answer.rows, outcome=answer.outcome)
            facts["ms"] = round((time.monotonic() - started) * 1000)
            known = {key: value for key, value in facts.items() if value not in (None, "")}
            log.info(" ".join(f"{key}={_quoted(value)}" for key, value in known.items()))

        response.call_on_close(line)
        return response


def _quoted(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else repr(text[:300])
