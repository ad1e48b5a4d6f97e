"""Requests to a connector as the portal makes them.

Bitrix24 REST: a POST over HTTP/1.1 with `Connection: close` and a PHP-encoded form, without
User-Agent and Accept-Encoding; private addresses refused unless allowed; redirects followed;
60 s of silence end the call; only status 200 with a body that PHP finds true counts.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from emulator.options import Limits
from emulator.php import build_query
from emulator.wire_log import BODY_LIMIT, Direction, Exchange, WireLog

_BLOCK = 65_536


class UnavailableError(Exception):
    """The answer does not count. `reason` is a short code, the message says it to a person."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Caller:
    """How the portal calls out: its patience, its rule about private addresses, its log."""

    limits: Limits
    allow_private: bool
    log: WireLog


@dataclass
class _Peer:
    connection: http.client.HTTPConnection
    target: str


def call(caller: Caller, action: str, url: str, parameters: Mapping[str, Any]) -> bytes:
    """Send a request and return the whole answer."""
    return b"".join(stream(caller, action, url, parameters))


def stream(caller: Caller, action: str, url: str, parameters: Mapping[str, Any]) -> Iterator[bytes]:
    """Send a request and yield the answer as it arrives."""
    body = build_query(parameters)
    head = b""
    for block in _follow(caller, action, url, body):
        if len(head) < 2:
            head += block[:2]
        yield block
    if head in (b"", b"0"):
        raise UnavailableError("empty", "The answer is empty.")


def notify(
    caller: Caller, direction: Direction, action: str, url: str, parameters: Mapping[str, Any]
) -> tuple[int, str]:
    """Post a form once, as for an event or an installation, and return status and text."""
    exchange = Exchange(direction, action, "POST", url)
    text = bytearray()
    try:
        for block in _send(caller, exchange, build_query(parameters)):
            text += block
    finally:
        caller.log.add(exchange)
    return exchange.status or 0, text.decode("utf-8", "replace")


def _follow(caller: Caller, action: str, url: str, body: str) -> Iterator[bytes]:
    method = "POST"
    for _ in range(caller.limits.redirects + 1):
        exchange = Exchange("portal", action, method, url)
        try:
            blocks = _send(caller, exchange, body if method == "POST" else "")
            first = next(blocks, b"")
            location = next(
                (v for n, v in exchange.response_headers if n.lower() == "location"), ""
            )
            if not location:
                _require_200(exchange, blocks)
                yield first
                yield from blocks
                return
        except UnavailableError as error:
            exchange.error, exchange.reason = str(error), error.reason
            raise
        finally:
            caller.log.add(exchange)
        # Bitrix24 REST: 302 and 303 turn the request into a GET, other redirects repeat it.
        if exchange.status in (302, 303):
            method = "GET"
        url = urljoin(url, location)
    raise UnavailableError("redirects", f"More than {caller.limits.redirects} redirects.")


def _require_200(exchange: Exchange, blocks: Iterator[bytes]) -> None:
    if exchange.status != 200:
        for _rest in blocks:
            pass  # read on, for the log
        raise UnavailableError("status", f"The answer has status {exchange.status}.")


def _send(caller: Caller, exchange: Exchange, body: str) -> Iterator[bytes]:
    """Make one request, note everything in the exchange, and yield the decoded body."""
    exchange.request_body = body
    started = time.perf_counter()
    try:
        peer = _connect(caller, exchange.url)
        try:
            # The response owns the socket once it has begun, so both are closed.
            with _ask(peer, exchange, body.encode()) as response:
                exchange.first_byte_ms = (time.perf_counter() - started) * 1000
                yield from _blocks(exchange, response)
        finally:
            peer.connection.close()
    except TimeoutError as error:
        silence = f"No byte came for {caller.limits.silence:g} s."
        raise UnavailableError("silence", silence) from error
    except ssl.SSLError as error:
        raise UnavailableError("tls", f"TLS failed: {error.reason}.") from error
    except (OSError, http.client.HTTPException, zlib.error) as error:
        cut = exchange.status is not None
        message = "The answer broke off." if cut else f"No connection: {error}."
        raise UnavailableError("cut" if cut else "connect", message) from error
    finally:
        exchange.duration_ms = (time.perf_counter() - started) * 1000


def _connect(caller: Caller, url: str) -> _Peer:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnavailableError("address", "Only http and https addresses can be called.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sock = _open(caller, parts.hostname, port)
    sock.settimeout(caller.limits.silence)
    if parts.scheme == "https":
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=parts.hostname)
    connection = http.client.HTTPConnection(parts.hostname, port)
    connection.sock = sock
    return _Peer(connection, _target(parts))


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _open(caller: Caller, host: str, port: int) -> socket.socket:
    """Connect to the very address that was judged, so that a second look-up cannot change it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnavailableError("connect", f"The host {host} is unknown.") from error
    failure: OSError = OSError("no address")
    for _family, _type, _protocol, _name, address in found:
        if not caller.allow_private and is_private(str(address[0])):
            raise UnavailableError(
                "private_address",
                f"{host} is a private address, and the portal does not call those.",
            )
        try:
            return socket.create_connection((str(address[0]), port), caller.limits.connect)
        except OSError as error:
            failure = error
    raise UnavailableError("connect", f"{host}:{port} does not answer: {failure}.") from failure


def is_private(address: str) -> bool:
    """Tell whether the portal counts an address as private, loopback, link-local or reserved."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return not (mapped or ip).is_global


def _ask(peer: _Peer, exchange: Exchange, body: bytes) -> http.client.HTTPResponse:
    connection = peer.connection
    parts = urlsplit(exchange.url)
    host = parts.netloc.rpartition("@")[2]
    headers = [
        ("Host", host),
        ("Connection", "close"),
        ("Accept", "*/*"),
        ("Accept-Language", "en"),
    ]
    if exchange.method == "POST":
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        headers.append(("Content-Length", str(len(body))))
    exchange.request_headers = headers
    connection.putrequest(exchange.method, peer.target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body or None)
    response = connection.getresponse()
    exchange.status = response.status
    exchange.response_headers = response.getheaders()
    return response


def _blocks(exchange: Exchange, response: http.client.HTTPResponse) -> Iterator[bytes]:
    encoding = response.headers.get("Content-Encoding", "").lower()
    # Gzip is understood if it comes, although it is never asked for.
    inflate = zlib.decompressobj(32 + 15) if encoding in ("gzip", "x-gzip", "deflate") else None
    kept = bytearray()
    try:
        while block := response.read1(_BLOCK):
            plain = inflate.decompress(block) if inflate else block
            exchange.response_size += len(plain)
            if len(kept) < BODY_LIMIT:
                kept += plain[: BODY_LIMIT - len(kept)]
            if plain:
                yield plain
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        if inflate and not inflate.eof:
            raise zlib.error("incomplete")
    finally:
        exchange.response_body = kept.decode("utf-8", "replace")
