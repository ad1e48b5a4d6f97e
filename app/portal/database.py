"""The table of installations, and transactions on SQLite, PostgreSQL and MySQL alike."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from app.ops.logs import one_line

_METADATA = sa.MetaData()

TABLE = sa.Table(
    "portal_installations",
    _METADATA,
    sa.Column("member_id", sa.String(64), primary_key=True),
    sa.Column("origin", sa.String(300), nullable=False),
    sa.Column("oauth_server", sa.String(300), nullable=False),
    sa.Column("installed_at", sa.BigInteger, nullable=False),
    sa.Column("application_token", sa.Text, nullable=False),
    sa.Column("access_token", sa.Text, nullable=False),
    sa.Column("refresh_token", sa.Text, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("busy_until", sa.Double, nullable=False),
    sa.Column("busy_by", sa.String(16)),
)

_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
# Longer than a refresh, during which the database of SQLite takes no other writer, and others keep
# its row from us.
_WAIT = 120
# Seconds in which a server has to let us in.
_ENTRY = 10


class StoreUnavailable(Exception):
    """The database for the installations cannot be used.

    The text names the kind of failure only, and may be told to anybody. ``reason`` is for the
    operator: what the driver says on top of it, in one line and without the password.
    """

    def __init__(self, error: Exception, url: URL | None = None) -> None:
        cause = getattr(error, "orig", None) or error
        super().__init__(
            f"The database for the tokens (DATABASE_URL) cannot be used: {type(cause).__name__}."
        )
        self.reason = str(self)
        # Of any other kind of error the text may hold what was to be written.
        if isinstance(error, (OperationalError, ProgrammingError, OSError, ImportError)):
            self.reason = f"{str(self)[:-1]}: {one_line(_without_secrets(str(cause), url))}"


def _without_secrets(text: str, url: URL | None) -> str:
    """``text`` without the passwords of ``url``, in whatever way a driver quotes them."""
    if url is None:
        return text
    secrets = [url.password or ""]
    for name, value in url.query.items():
        if re.search("pass|pwd|secret|token|key", name, re.IGNORECASE):
            secrets += [value] if isinstance(value, str) else value
    forms = {
        form
        for secret in secrets
        for form in (
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            repr(secret)[1:-1],
            re.sub(r"([\\'])", r"\\\1", secret),
        )
        if form
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def open_engine(address: str) -> sa.Engine:
    """The database at ``address``, with the table in it; raises StoreUnavailable."""
    url = None
    try:
        url = make_url(address)
        return _open(url)
    except (OSError, ImportError, SQLAlchemyError) as error:
        raise StoreUnavailable(error, url) from None


def _open(url: URL) -> sa.Engine:
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    is_sqlite = url.get_backend_name() == "sqlite"
    # Tokens are asked for so rarely that an open connection would mostly be one that was lost.
    if is_sqlite:
        _make_private(url)
        engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": _WAIT})
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
        sa.event.listen(engine, "begin", _begin)
    else:
        # MySQL's own level also locks rows that are not there, and so gives deadlocks.
        engine = sa.create_engine(
            url,
            poolclass=NullPool,
            isolation_level="READ COMMITTED",
            connect_args=_patience(url),
        )
    _make_table(engine)
    return engine


def _patience(url: URL) -> dict[str, int]:
    """How long a driver waits for a server that is silent, where the address does not say it."""
    limits = {
        "postgresql": {
            "connect_timeout": _ENTRY,
            "keepalives_idle": _ENTRY,
            "keepalives_interval": _ENTRY,
            "keepalives_count": 3,
            "tcp_user_timeout": _WAIT * 1000,
        },
        "mysql": {"connect_timeout": _ENTRY, "read_timeout": _WAIT, "write_timeout": _WAIT},
    }
    found = limits.get(url.get_backend_name(), {})
    return {name: limit for name, limit in found.items() if name not in url.query}


def _make_private(url: URL) -> None:
    """Make the file before SQLite does, for the eyes of its owner only."""
    if url.database:
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("b24_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _make_table(engine: sa.Engine) -> None:
    try:
        with writing(engine) as connection:
            _METADATA.create_all(connection)
    except (IntegrityError, StoreUnavailable):
        # Two workers at once: the other one has made it.
        if not sa.inspect(engine).has_table(TABLE.name):
            raise


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that never waits for a writer longer than it must; raises StoreUnavailable."""
    with _failing(engine.url), engine.connect() as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that may write; in SQLite the only one at its time, from its beginning.

    Raises StoreUnavailable.
    """
    with _failing(engine.url), engine.connect() as connection:
        connection = connection.execution_options(b24_write=True)
        with connection.begin():
            yield connection


@contextlib.contextmanager
def _failing(url: URL) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # the one failure that a caller can do something about
    except SQLAlchemyError as error:
        raise StoreUnavailable(error, url) from None
