"""Databases that users have logged in to: few, short-lived, and each for one login only."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from adapters.direct import Login
from app.sources import Source

MOST = 32
IDLE_SECONDS = 90.0


@dataclass(eq=False)
class Lease:
    """A source in use by one request, which has to give it back."""

    source: Source
    users: int = 0
    dropped: bool = False
    idle_since: float = field(default_factory=time.monotonic)


class Pools:
    """The open sources by login.

    No more than ``most`` are kept, the least recently used being the first to go; one that nobody
    uses is closed after ``idle`` seconds. Whatever goes is closed when its last user has gone.
    """

    def __init__(self, most: int = MOST, idle: float = IDLE_SECONDS) -> None:
        self._most = most
        self._idle = idle
        # Logins are not kept as they are: what is not there cannot be read out of the memory.
        self._key = secrets.token_bytes(32)
        self._leases: OrderedDict[bytes, Lease] = OrderedDict()
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<Pools: {len(self._leases)} open>"

    def digest(self, connector: str, login: Login) -> bytes:
        """What stands for a login here: the same for the same one at the same address only."""
        parts = (
            *(connector, login.name, login.address, str(login.port)),
            *(login.database, login.username, login.password),
        )
        text = b"".join(b"%d:%b" % (len(part.encode()), part.encode()) for part in parts)
        return hmac.digest(self._key, text, sha256)

    def lease(self, digest: bytes) -> Lease | None:
        """The source of a login, if somebody with the same one has been let in lately."""
        with self._lock:
            lease = self._leases.get(digest)
            if lease is not None:
                self._leases.move_to_end(digest)
                lease.users += 1
            return lease

    def keep(self, digest: bytes, source: Source) -> None:
        """Keep a source that has proved its login; raises RuntimeError if nothing could end it."""
        with self._lock:
            if self._sweeper is None:
                sweeper = threading.Thread(target=self._sweep, daemon=True, name="pools")
                sweeper.start()  # or fail, and be tried again
                self._sweeper = sweeper
            closing = self._drop(digest) if digest in self._leases else []
            self._leases[digest] = Lease(source)
            while len(self._leases) > self._most:
                closing += self._drop(next(iter(self._leases)))
        _close(closing)

    def give_back(self, lease: Lease) -> None:
        """The request is over."""
        with self._lock:
            lease.users -= 1
            lease.idle_since = time.monotonic()
            closing = [lease] if lease.dropped and not lease.users else []
        _close(closing)

    def _drop(self, digest: bytes) -> list[Lease]:
        """Forget a login; what is returned has to be closed, without the lock."""
        lease = self._leases.pop(digest)
        lease.dropped = True
        return [] if lease.users else [lease]

    def _sweep(self) -> None:
        while True:
            time.sleep(self._idle / 6)
            with self._lock:
                oldest = time.monotonic() - self._idle
                idle = [d for d, x in self._leases.items() if not x.users and x.idle_since < oldest]
                closing = [lease for digest in idle for lease in self._drop(digest)]
                if not self._leases:
                    self._sweeper = None
            _close(closing)
            with self._lock:
                if self._sweeper is not threading.current_thread():
                    return


def _close(leases: list[Lease]) -> None:
    for lease in leases:
        lease.source.adapter.close()
