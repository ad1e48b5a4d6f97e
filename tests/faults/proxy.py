"""A network that goes wrong on purpose: a TCP proxy between the connector and a database."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

GARBAGE = b"220 mail.example.com ESMTP\r\n" + bytes(range(256)) * 8


@dataclass(frozen=True)
class Fault:
    """What happens to connections that begin after :meth:`Proxy.suffer`.

    ``refuse`` lets nothing in; ``silent`` lets in and never says a word; ``garbage`` speaks
    nonsense; ``delay`` holds every piece of an answer for some seconds; ``cut`` and ``hang`` end an
    answer, or leave it where it is, after so many bytes of it; ``reset`` makes of the end a reset.
    """

    refuse: bool = False
    silent: bool = False
    garbage: bool = False
    delay: float = 0
    cut: int | None = None
    hang: int | None = None
    reset: bool = False


HEALTHY = Fault()


class Proxy:
    """Carries bytes to ``target`` and back, as far as the present fault lets it."""

    def __init__(self, target: Path) -> None:
        """``target`` is the socket of a server on this machine."""
        self._target = target
        self._fault = HEALTHY
        self._listener: socket.socket | None = None
        self._links: set[_Link] = set()
        self._stopped = False
        # The port is ours also while nothing listens on it.
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._keeper.bind(("127.0.0.1", 0))
        self.port: int = self._keeper.getsockname()[1]
        self._listen()

    def suffer(self, fault: Fault) -> None:
        """From now on; connections that there are already live on."""
        self._fault = fault
        if fault.refuse:
            self._close_listener()
        elif self._listener is None:
            self._listen()

    def freeze(self) -> None:
        """No byte more on any connection that there is, and no end of it either."""
        for link in set(self._links):
            link.frozen.set()

    def drop(self, *, reset: bool = False) -> None:
        """End every connection that there is."""
        for link in set(self._links):
            link.end(reset=reset)

    def heal(self) -> None:
        """A good network again: what was frozen is gone, as after a timeout of the network's."""
        self.suffer(HEALTHY)
        for link in set(self._links):
            if link.frozen.is_set():
                link.end(reset=False)

    @property
    def open(self) -> int:
        """How many connections the connector has."""
        return len(self._links)

    def stop(self) -> None:
        self._stopped = True
        self._close_listener()
        self.drop()
        self._keeper.close()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(50)
        self._listener = listener
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()

    def _close_listener(self) -> None:
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        fault = self._fault
        link = _Link(client, fault)
        self._links.add(link)
        try:
            if fault.silent:
                link.frozen.set()
                link.drain()
            elif fault.garbage:
                client.sendall(GARBAGE)
                link.drain()
            else:
                with suppress(OSError), socket.socket(socket.AF_UNIX) as server:
                    server.connect(str(self._target))
                    link.carry(server)
        finally:
            link.end(reset=fault.reset)
            self._links.discard(link)


class _Link:
    """One connection, and what becomes of it."""

    def __init__(self, client: socket.socket, fault: Fault) -> None:
        self.frozen = threading.Event()
        self._client = client
        self._server: socket.socket | None = None
        self._fault = fault
        self._ended = threading.Lock()

    def drain(self) -> None:
        with suppress(OSError):
            while self._client.recv(65536):
                pass

    def carry(self, server: socket.socket) -> None:
        self._server = server
        up = threading.Thread(target=self._up, args=[server], daemon=True)
        up.start()
        left = self._fault.cut if self._fault.cut is not None else self._fault.hang
        with suppress(OSError):
            while piece := server.recv(65536):
                time.sleep(self._fault.delay)
                if left is not None:
                    piece, left = piece[:left], left - len(piece)
                if self.frozen.is_set():
                    break
                self._client.sendall(piece)
                if left is not None and left <= 0:
                    if self._fault.cut is None:
                        self.frozen.set()
                    break
        if self.frozen.is_set():
            up.join()  # until the connector gives up, or the network heals

    def _up(self, server: socket.socket) -> None:
        """What the connector says; of a frozen link it is lost."""
        with suppress(OSError):
            while piece := self._client.recv(65536):
                if not self.frozen.is_set():
                    server.sendall(piece)
        if not self.frozen.is_set():
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)

    def end(self, *, reset: bool) -> None:
        with self._ended:
            if reset:
                with suppress(OSError):
                    linger = struct.pack("ii", 1, 0)
                    self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            for end in (self._client, self._server):
                if end is not None:
                    # Either wakes whoever reads, as closing alone does not; only one says goodbye.
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
                    end.close()


@contextmanager
def proxied(target: Path) -> Iterator[Proxy]:
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.stop()
