"""Lets a request in to the database that its user has typed, or tells nothing of why not.

Every failure has the same sentence and comes after the same time, which the operator sets: whether
a port is closed, a host silent, a name unknown or a password wrong is told to the log alone.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime

from adapters.direct import Login, open_login
from adapters.errors import AdapterError
from app.config import Direct
from app.direct.login import BadLogin, IncompleteLogin, read_login
from app.direct.pools import Lease, Pools
from app.errors import ApiError
from app.ops.logs import one_line
from app.ops.record import record
from app.sources import Place, Source, Visiting, options, unlimited
from app.wire.form import Tree

log = logging.getLogger("b24.direct")

# Somebody types a whole address, password included, where a name belongs.
_USER_INFO = re.compile("://.*@")

_SENTENCE = (
    "No database can be reached with the settings of this connection; check host, port, database, "
    "user name and password, and ask the operator of the service whether the host is allowed."
)


class Door:
    """The logins of this process, tried and open."""

    def __init__(self, visiting: Visiting = unlimited) -> None:
        """``visiting`` limits how many may log in at once, and what they then ask a host."""
        self.pools = Pools()
        self._visiting = visiting
        self._attempts: dict[bytes, Future[None]] = {}
        self._lock = threading.Lock()

    def open(self, direct: Direct, connection: Tree | str | None, client: str = "") -> Lease:
        """The source that ``connection`` opens; the caller gives it back to ``pools``.

        ``client`` is the address that asks: none can keep all others from logging in.
        Raises ApiError TOO_BUSY, and CANNOT_CONNECT: at once if a value is missing, otherwise when
        the time for connecting is over.
        """
        started = time.monotonic()
        refusal: BadLogin | None = None
        try:
            # Whose name servers are silent must not keep the threads of all others.
            with self._visiting(Place(direct.source.name, "names")):
                login = read_login(direct, connection)
            digest = self.pools.digest(direct.source.name, login)
            lease = self.pools.lease(digest)
        except IncompleteLogin as error:
            reason = f"This connection {error}; type it into the connection's settings."
            raise ApiError("CANNOT_CONNECT", reason) from None
        except BadLogin as error:
            refusal, lease = error, None
        if lease is not None:
            return lease
        # Both logging in and failing to take their time; who is refused anyway keeps nobody out.
        slots = Place(direct.source.name, "refusals" if refusal else "logins")
        with self._visiting(slots._replace(client=client)), self._visiting(slots):
            try:
                if refusal is not None:
                    raise refusal
                return self._log_in(direct, digest, login, started)
            except BadLogin as error:
                said = _USER_INFO.sub("://***@", str(error))
                names = record().id, direct.source.name
                log.warning("request %s: connector %s: login refused: %s", *names, one_line(said))
            left = started + direct.connect_timeout.total_seconds() - time.monotonic()
            time.sleep(max(0, left))
            raise ApiError("CANNOT_CONNECT", _SENTENCE)

    def _log_in(self, direct: Direct, digest: bytes, login: Login, started: float) -> Lease:
        attempt = self._attempt(digest, direct, login)
        left = started + direct.connect_timeout.total_seconds() - time.monotonic()
        try:
            attempt.result(max(0, left))
        except OutOfTime:
            raise BadLogin("no answer in time") from None
        except AdapterError as error:
            # A server may say anything, what it was sent included.
            text = str(error).replace(login.password, "***")
            raise BadLogin(f"{type(error).__name__}: {text}") from None
        except Exception as error:
            raise BadLogin(type(error).__name__) from None
        lease = self.pools.lease(digest)
        if lease is None:
            raise BadLogin("too many logins at once")
        return lease

    def _attempt(self, digest: bytes, direct: Direct, login: Login) -> Future[None]:
        """The attempt with this login that is under way, or a new one.

        It has a thread of its own, since not every part of connecting can be limited in time.
        """
        with self._lock:
            attempt = self._attempts.get(digest)
            if attempt is None:
                attempt = Future()
                threading.Thread(
                    target=self._run, args=[attempt, digest, direct, login], daemon=True
                ).start()
                self._attempts[digest] = attempt  # if it has begun
            return attempt

    def _run(self, attempt: Future[None], digest: bytes, direct: Direct, login: Login) -> None:
        try:
            adapter = open_login(direct.engine, login, options(direct.source))
            try:
                adapter.check()
                host = f"{login.address} {login.port}"
                source = Source(direct.source, adapter, host=host, visiting=self._visiting)
                self.pools.keep(digest, source)
            except BaseException:
                adapter.close()
                raise
        except BaseException as error:
            attempt.set_exception(error)
        else:
            attempt.set_result(None)
        finally:
            with self._lock:
                del self._attempts[digest]
