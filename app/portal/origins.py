"""Addresses of portals and OAuth servers, and the lists of those that may be called.

What a request says about its portal is a claim by a stranger. It becomes an :class:`Origin` only
if it has exactly the form of one, and is called only if a list of the operator admits it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_WRITTEN = re.compile(
    rf"(?:(?P<scheme>https?)://)?(?P<host>(?:\*\.)?{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[0-9]{{1,5}}))?/?"
)
_DEFAULT_PORTS = {"https": 443, "http": 80}
# /rest/<user>/<code>/ is how an incoming webhook is addressed (Bitrix24: incoming webhooks).
_WEBHOOK = re.compile(r"/rest/(?:api/)?[0-9]+/[^/\s]+", re.IGNORECASE)


class BadAddress(ValueError):
    """A text is not the address of a portal; the message says what one looks like."""


class WebhookAddress(BadAddress):
    """The address of a webhook, whose text is a secret and is not repeated."""

    def __init__(self) -> None:
        super().__init__(
            "This is the address of a webhook, and the portal answers ACCESS_DENIED to webhooks "
            "for connectors, sources and datasets: add a local application with the scope "
            "biconnector and install it, or give an access token of one (docs/registering.md)."
        )


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port; the port is None where it is the scheme's own."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def netloc(self) -> str:
        """The host, with the port if it is not the scheme's own."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"


def read_origin(text: str) -> Origin:
    """``acme.bitrix24.com`` or ``https://acme.bitrix24.com`` as an origin.

    Without a scheme it is https. A path, a query, credentials or anything else beside scheme, host
    and port is refused. Raises :class:`BadAddress`.
    """
    origin = _read(text.strip())
    if origin is None or not _HOST.fullmatch(origin.host):
        refuse_webhook(text)
        raise BadAddress(f"{text[:100]!r} is not the address of a portal, as acme.bitrix24.com is.")
    return origin


def refuse_webhook(text: str) -> None:
    """Raise :class:`WebhookAddress` if ``text`` is the address of a webhook, or a part of one."""
    if _WEBHOOK.search(text):
        raise WebhookAddress


def origin_of(url: str) -> Origin:
    """The origin of an address with a path, as ``https://acme.bitrix24.com/rest/``.

    Raises :class:`BadAddress`.
    """
    head, slashes, rest = url.rpartition("://")
    return read_origin(f"{head}{slashes}{rest.partition('/')[0]}")


def is_pattern(text: str) -> bool:
    """Whether a list of the configuration may hold ``text``: see :func:`admits`."""
    return _read(text) is not None


def admits(patterns: tuple[str, ...], origin: Origin) -> bool:
    """Whether one of ``patterns`` names ``origin``.

    A pattern is written as an address is; ``*.`` at its beginning stands for one label. Scheme and
    port have to be the same: plain http and other ports are admitted only by name.
    """
    return any(_names(pattern, origin) for pattern in map(_read, patterns) if pattern)


def _names(pattern: Origin, origin: Origin) -> bool:
    if (pattern.scheme, pattern.port) != (origin.scheme, origin.port):
        return False
    if pattern.host.startswith("*."):
        label, _, rest = origin.host.partition(".")
        return bool(label) and rest == pattern.host[2:]
    return pattern.host == origin.host


def _read(text: str) -> Origin | None:
    match = _WRITTEN.fullmatch(text.lower())
    if match is None:
        return None
    scheme = match["scheme"] or "https"
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        return None
    return Origin(scheme, match["host"], None if port == _DEFAULT_PORTS[scheme] else port)


def place(url: str) -> tuple[str, str]:
    """Host and path of a URL: what stays when a scheme or a query changes."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2].lower()
    port = f":{_DEFAULT_PORTS.get(parts.scheme.lower(), '')}"
    return netloc.removesuffix(port), parts.path.rstrip("/")
