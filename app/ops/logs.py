"""Logs: one line per request on standard error, secrets replaced wherever they might appear."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from app.ops.record import Record

log = logging.getLogger("b24")

_PLAIN = re.compile(r"[\w./,:-]+", re.ASCII)
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


def one_line(reason: object) -> str:
    """What a driver says, without its line breaks: a line of the log is one event.

    Other white space stays, since only a secret as it was given is recognised and replaced.
    """
    lines = (line.strip() for line in str(reason).splitlines())
    return " ".join(line for line in lines if line)


def log_request(ended: Record) -> None:
    """Write the one line of a request."""
    facts = {
        "id": ended.id,
        "method": ended.method,
        "path": ended.path,
        "status": ended.status,
        "error": ended.error,
        "sources": ",".join(ended.sources),
        "keys": ",".join(ended.parameters),
    }
    if ended.answer is not None:
        facts |= {"rows": ended.answer.rows, "outcome": ended.answer.outcome}
    facts["ms"] = round(ended.seconds * 1000)
    known = {key: value for key, value in facts.items() if value not in (None, "")}
    log.info(" ".join(f"{key}={_quoted(value)}" for key, value in known.items()))


def _quoted(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else repr(text[:300])
