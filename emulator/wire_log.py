"""The wire log: every request and answer as sent, with timing, and with the secrets masked."""

from __future__ import annotations

import shlex
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from emulator.masking import mask_body, mask_headers, mask_url, mask_values

Direction = Literal["portal", "application", "oauth", "event"]
BODY_LIMIT = 32_768


@dataclass
class Exchange:
    """One request and its answer.

    `direction` says who spoke: the portal to a connector, an application to the REST API or to
    the OAuth server, or the portal with an event or an installation.
    """

    direction: Direction
    action: str
    method: str
    url: str
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    request_body: str = ""
    status: int | None = None
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    response_body: str = ""
    response_size: int = 0
    error: str = ""
    reason: str = ""
    started: float = field(default_factory=time.time)
    first_byte_ms: float | None = None
    duration_ms: float | None = None
    id: int = 0


def header(headers: list[tuple[str, str]], name: str) -> str:
    """Return the value of a header, or nothing."""
    return next((value for key, value in headers if key.lower() == name.lower()), "")


def as_curl(exchange: Exchange) -> str:
    """Write the request down as a command; masked secrets have to be filled in by hand."""
    parts = ["curl", "-i", "-X", exchange.method, shlex.quote(exchange.url)]
    skipped = {"host", "connection", "content-length", "accept-encoding"}
    for name, value in exchange.request_headers:
        if name.lower() not in skipped:
            parts += ["-H", shlex.quote(f"{name}: {value}")]
    if exchange.request_body:
        parts += ["--data-raw", shlex.quote(exchange.request_body)]
    return " ".join(parts)


class WireLog:
    """The last exchanges, in memory, masked before they are kept."""

    def __init__(self, secrets: Callable[[], list[str]], size: int = 400) -> None:
        self._secrets = secrets
        self._lock = threading.Lock()
        self._kept: deque[Exchange] = deque(maxlen=size)
        self._last = 0

    def add(self, exchange: Exchange) -> None:
        """Mask and keep a finished exchange."""
        if exchange.duration_ms is None:
            exchange.duration_ms = (time.time() - exchange.started) * 1000
        secrets = self._secrets()
        exchange.url = mask_values(mask_url(exchange.url), secrets)
        exchange.request_body = self._body(exchange.request_body, exchange.request_headers, secrets)
        exchange.response_body = self._body(
            exchange.response_body, exchange.response_headers, secrets
        )
        exchange.request_headers = mask_headers(exchange.request_headers)
        exchange.response_headers = mask_headers(exchange.response_headers)
        exchange.error = mask_values(mask_url(exchange.error), secrets)
        with self._lock:
            self._last += 1
            exchange.id = self._last
            self._kept.append(exchange)

    @staticmethod
    def _body(body: str, headers: list[tuple[str, str]], secrets: list[str]) -> str:
        masked = mask_values(mask_body(body, header(headers, "Content-Type")), secrets)
        return masked[:BODY_LIMIT]

    def after(self, last: int) -> list[dict[str, Any]]:
        """Return what came after the exchange with this number, oldest first."""
        with self._lock:
            kept = [exchange for exchange in self._kept if exchange.id > last]
        return [asdict(exchange) | {"curl": as_curl(exchange)} for exchange in kept]

    def clear(self) -> None:
        """Empty the log; numbers go on counting."""
        with self._lock:
            self._kept.clear()
