"""Connections to a server of ClickHouse that another thread can break.

The client waits in silence for the head of an answer, and nothing but the end of its socket wakes
it up. So whoever asks puts up a :class:`Wire`, and a connection leaves its socket there when it
sends the question.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver.httputil import get_pool_manager
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from adapters.alarm import sever


class Wire:
    """What the questions of one thread travel on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.severed = False

    def sever(self) -> None:
        """End the connection, and let no further question of this thread be sent."""
        with self._lock:
            self.severed = True
            if self._socket is not None and self._socket.fileno() >= 0:
                sever(self._socket.fileno())

    def carry(self, used: socket.socket | None) -> None:
        """Take note of the socket in use; raises HTTPError if the wire has been severed."""
        with self._lock:
            self._socket = used
            if self.severed:
                raise HTTPError("ended before it was sent")


class _Local(threading.local):
    wire: Wire | None = None


_LOCAL = _Local()


@contextmanager
def carried_by(wire: Wire) -> Iterator[None]:
    """Let what this thread asks in the block be ended by ``wire``."""
    before, _LOCAL.wire = _LOCAL.wire, wire
    try:
        yield
    finally:
        _LOCAL.wire = before


class _Severable(HTTPConnection):
    def request(self, *arguments: Any, **more: Any) -> None:
        if _LOCAL.wire is not None:
            _LOCAL.wire.carry(self.sock)
        super().request(*arguments, **more)
        if _LOCAL.wire is not None:
            _LOCAL.wire.carry(self.sock)  # which this question may have made


class _SeverableTLS(_Severable, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Severable


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _SeverableTLS


def severable_pool(*, connections: int, verify: bool, ca_cert: str | None) -> PoolManager:
    """A pool whose connections stay open for the next question."""
    pool: PoolManager = get_pool_manager(maxsize=connections, verify=verify, ca_cert=ca_cert)
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}
    return pool
