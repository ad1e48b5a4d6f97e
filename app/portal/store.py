"""Installations and their tokens, in a database and encrypted.

A refresh token is good once, so a lost pair means installing again. Hence two rules. Whoever
refreshes holds the installation's row (``SELECT … FOR UPDATE``, in SQLite ``BEGIN IMMEDIATE``) from
before the exchange until the new pair is stored, and looks first whether another worker was
quicker. And nobody uses a pair before it is stored.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.portal.database import TABLE, open_engine, reading, writing
from app.portal.oauth import Pair
from app.portal.origins import Origin, read_origin
from app.portal.sealing import Sealer
from app.portal.settings import Portal

# A worker that dies while it registers blocks the next one for so long: it may have been anywhere,
# so that nobody can see that it is dead.
_LEASE = 600.0
_PAUSE = 0.1

S = TypeVar("S", sa.Update, sa.Delete)


class NotInstalled(Exception):
    """No such installation is stored."""


class Busy(Exception):
    """Another worker is at it, and has been for longer than one waits; the text is for people."""

    def __init__(self) -> None:
        super().__init__(
            "Another registration in this portal has not ended; try again in a minute, or in "
            f"{_LEASE / 60:.0f} if it was killed."
        )


@dataclass(frozen=True)
class Installation:
    """The application in one portal; ``member_id`` names the portal for good."""

    member_id: str
    origin: Origin
    oauth_server: Origin
    installed_at: int
    application_token: str = field(repr=False)
    pair: Pair


class Store:
    """All installations. Every method may be called from several threads and processes at once."""

    def __init__(self, settings: Portal) -> None:
        """Open the database.

        Raises :class:`~app.portal.sealing.MissingKey` if there is nothing to encrypt with.
        """
        self._sealer = Sealer(settings.secret_keys)
        self._engine = open_engine(settings.database_url)

    def all(self) -> list[Installation]:
        """Every installation, by portal."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(TABLE).order_by(TABLE.c.origin)).all()
        return [self._installation(row) for row in rows]

    def find(self, member_id: str) -> Installation | None:
        """The installation in one portal."""
        with reading(self._engine) as connection:
            row = connection.execute(_one(member_id)).one_or_none()
        return self._installation(row) if row is not None else None

    def keep(self, installation: Installation) -> None:
        """Store a new installation, or a new one in the place of an old one."""
        values = {
            "origin": str(installation.origin),
            "oauth_server": str(installation.oauth_server),
            "installed_at": installation.installed_at,
            "application_token": self._sealer.seal(installation.application_token),
            **self._sealed(installation.pair),
        }
        try:
            self._put(installation.member_id, values)
        except IntegrityError:
            # Another worker has inserted it between our two statements.
            self._put(installation.member_id, values)

    def _put(self, member_id: str, values: Mapping[str, object]) -> None:
        with writing(self._engine) as connection:
            found = connection.execute(_of(sa.update(TABLE), member_id).values(values))
            if not found.rowcount:
                new = sa.insert(TABLE).values(member_id=member_id, busy_until=0.0, **values)
                connection.execute(new)

    def forget(self, member_id: str) -> bool:
        """Remove an installation with its tokens; False if there was none."""
        with writing(self._engine) as connection:
            return bool(connection.execute(_of(sa.delete(TABLE), member_id)).rowcount)

    def forget_portal(self, origin: Origin) -> bool:
        """Remove the installation in one portal, even if it was sealed under a key that is lost."""
        with writing(self._engine) as connection:
            there = sa.delete(TABLE).where(TABLE.c.origin == str(origin))
            return bool(connection.execute(there).rowcount)

    def renew(self, member_id: str, spent: str, exchange: Callable[[Installation], Pair]) -> Pair:
        """The pair after the one with the access token ``spent``, stored.

        ``exchange`` is called by one worker; all others get what it brought. Raises NotInstalled,
        and whatever ``exchange`` raises, in which case the old pair stays.
        """
        with writing(self._engine) as connection:
            row = connection.execute(_one(member_id).with_for_update()).one_or_none()
            if row is None:
                raise NotInstalled(member_id)
            known = self._installation(row)
            if known.pair.access != spent:
                return known.pair
            pair = exchange(known)
            connection.execute(_of(sa.update(TABLE), member_id).values(self._sealed(pair)))
        return pair

    @contextlib.contextmanager
    def alone(self, member_id: str, wait: float = 60) -> Iterator[None]:
        """Be the only one who registers in this portal.

        No transaction is open meanwhile: registering takes a while and may refresh. Raises
        NotInstalled, and Busy after ``wait`` seconds.
        """
        mark = secrets.token_hex(8)
        end = time.monotonic() + wait
        while not self._take(member_id, mark):
            if self.find(member_id) is None:
                raise NotInstalled(member_id)
            if time.monotonic() > end:
                raise Busy
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            mine = _of(sa.update(TABLE), member_id).where(TABLE.c.busy_by == mark)
            with writing(self._engine) as connection:
                connection.execute(mine.values(busy_until=0.0))

    def _take(self, member_id: str, mark: str) -> bool:
        now = time.time()
        free = _of(sa.update(TABLE), member_id).where(TABLE.c.busy_until < now)
        with writing(self._engine) as connection:
            taken = connection.execute(free.values(busy_until=now + _LEASE, busy_by=mark))
        return bool(taken.rowcount)

    def _sealed(self, pair: Pair) -> dict[str, str | int]:
        return {
            "access_token": self._sealer.seal(pair.access),
            "refresh_token": self._sealer.seal(pair.refresh),
            "expires": pair.expires,
        }

    def _installation(self, row: sa.Row[tuple[object, ...]]) -> Installation:
        unseal = self._sealer.unseal
        return Installation(
            member_id=row.member_id,
            origin=read_origin(row.origin),
            oauth_server=read_origin(row.oauth_server),
            installed_at=row.installed_at,
            application_token=unseal(row.application_token),
            pair=Pair(unseal(row.access_token), unseal(row.refresh_token), row.expires),
        )


def _one(member_id: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(TABLE).where(TABLE.c.member_id == member_id)


def _of(statement: S, member_id: str) -> S:
    return statement.where(TABLE.c.member_id == member_id)
