"""The wire log: every request and answer as sent, with timing, and with the secrets masked."""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import groupby, pairwise
from typing import Any, Literal
from urllib.parse import unquote

from emulator.masking import MASK, is_secret, mask_body, mask_headers, mask_url, mask_values

Direction = Literal["portal", "application", "oauth", "event"]
BODY_LIMIT = 32_768

_NAME_BEFORE = re.compile(r"([a-z_]\w*)(?:\]?=|\"\s*:\s*\")$", re.IGNORECASE | re.ASCII)


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
    """Write the request down as a command, with a shell variable for each secret.

    The shell refuses to run it, and says why, as long as a variable is not filled in.
    """
    parts = ["curl", "-i", "-X", exchange.method, _quoted(exchange.url)]
    for line in _header_lines(exchange):
        parts += ["-H", _quoted(line)]
    if "urlencoded" in header(exchange.request_headers, "Content-Type"):
        parts += _form(exchange.request_body)
    elif exchange.request_body:
        parts += ["--data-raw", _quoted(exchange.request_body)]
    return " ".join(parts)


def variables(exchange: Exchange) -> list[str]:
    """Name the shell variables that `as_curl` leaves to be filled in."""
    texts = [exchange.url, *_header_lines(exchange), exchange.request_body]
    names = [_variable(before) for text in texts for before in text.split(MASK)[:-1]]
    return list(dict.fromkeys(names))


def _header_lines(exchange: Exchange) -> list[str]:
    skipped = {"host", "connection", "content-length", "accept-encoding"}
    return [
        f"{name}: {value}"
        for name, value in exchange.request_headers
        if name.lower() not in skipped
    ]


def _form(body: str) -> list[str]:
    """Pass a form on as it was sent; only what gets filled in is still to be encoded, by curl."""
    parts = []
    for hidden, pairs in groupby(body.split("&"), lambda pair: pair.endswith(f"={MASK}")):
        if hidden:
            for pair in pairs:
                parts += ["--data-urlencode", _quoted(pair)]
        elif text := "&".join(pairs):
            parts += ["--data-raw", _quoted(text)]
    return parts


def _quoted(text: str) -> str:
    """Quote a word for the shell; where a secret was masked, a variable takes its place."""
    pieces = text.split(MASK)
    quoted = [shlex.quote(pieces[0])]
    for before, after in pairwise(pieces):
        quoted.append(f'"${{{_variable(before)}:?set it to what the wire log hides}}"')
        quoted += [shlex.quote(after)] if after else []
    return "".join(quoted)


def _variable(before: str) -> str:
    """Name a secret by the parameter, header or setting that it follows."""
    found = _NAME_BEFORE.search(unquote(before))
    name = found[1] if found else ""
    # The shell itself sets PWD.
    return name.upper() if is_secret(name) and name.lower() != "pwd" else "SECRET"


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
        return [
            asdict(exchange) | {"curl": as_curl(exchange), "curl_variables": variables(exchange)}
            for exchange in kept
        ]

    def clear(self) -> None:
        """Empty the log; numbers go on counting."""
        with self._lock:
            self._kept.clear()
