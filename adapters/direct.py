"""Adapters for logins that a stranger typed.

The parts of a login go to the driver one by one and never through a URL, so that none can become
another one or a parameter of the driver. The connection goes to the address that the caller has
checked. Nothing of this process answers for the stranger: no client certificate, no ticket, no
password file; and a server that asks for no password is refused, since it would let in anybody.
"""

from __future__ import annotations

import math
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, Literal

import pymysql
from pymysql.constants import CR

from adapters.base import Adapter, Options
from adapters.mysql import MySQLAdapter
from adapters.postgresql import PostgreSQLAdapter

# Few connections for each login, and none so old that a withdrawn password still opens something.
_POOL = {"pool_size": 2, "max_overflow": 8, "pool_recycle": 300}


TlsMode = Literal["verify", "require", "prefer"]


@dataclass(frozen=True)
class Tls:
    """How a connection is encrypted.

    ``verify`` takes only a server whose certificate is of an authority in the file ``ca`` and for
    the name that was typed; ``require`` takes any certificate; ``prefer`` does without encryption
    where the server has none. A password in clear text is sent to a verified server alone.
    """

    mode: TlsMode = "require"
    ca: str = ""

    def context(self) -> ssl.SSLContext:
        """The same for Python's sockets; raises OSError if ``ca`` cannot be used."""
        if self.mode == "verify":
            context = ssl.create_default_context(cafile=self.ca)
            # Private authorities seldom have every extension that this asks for.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            return context
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True)
class Login:
    """Where to log in, and as whom: ``name`` is what the server is called, ``address`` where it is.

    ``timeout`` is in seconds, for a connection to be made.
    """

    name: str
    address: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)
    timeout: float = 5
    tls: Tls = Tls()


class DirectPostgreSQL(PostgreSQLAdapter):
    """PostgreSQL at an address of TCP."""

    def __init__(self, login: Login, options: Options) -> None:
        self._login = login
        super().__init__("postgresql://", options)

    def engine_options(self) -> dict[str, Any]:
        login = self._login
        verified = login.tls.mode == "verify"
        options = super().engine_options()
        options["connect_args"] |= {
            "host": login.name,
            "hostaddr": login.address,
            "port": login.port,
            "dbname": login.database,
            "user": login.username,
            "password": login.password,
            "connect_timeout": max(2, math.ceil(login.timeout)),
            "require_auth": "scram-sha-256,md5" + (",password" if verified else ""),
            "sslmode": "verify-full" if verified else login.tls.mode,
            # Otherwise a file in the home directory of this process would have a say.
            "sslrootcert": login.tls.ca if verified else "/nonexistent",
            "sslcertmode": "disable",
            "gssencmode": "disable",
        }
        return options | _POOL


# Plugins of MySQL and MariaDB to which the password goes as it is.
_IN_CLEAR = ("mysql_clear_password", "dialog")


class _Refused:
    """Takes the place of the driver's own code for such a plugin."""

    def __init__(self, _: Any) -> None:
        pass

    def authenticate(self, _: Any) -> None:
        raise pymysql.OperationalError(
            CR.CR_AUTH_PLUGIN_CANNOT_LOAD, "the server asks for the password in clear text"
        )


class DirectMySQL(MySQLAdapter):
    """MySQL or MariaDB at an address of TCP."""

    def __init__(self, login: Login, options: Options) -> None:
        self._login = login
        super().__init__("mysql://", options)

    def engine_options(self) -> dict[str, Any]:
        return {"creator": lambda: self.connect(self._login.timeout)} | _POOL

    def connect(self, timeout: float) -> Any:
        login = self._login
        arguments = super().engine_options()["connect_args"] | {
            "host": login.name,  # for its certificate; the socket is already there
            "user": login.username,
            "password": login.password.encode(),  # the driver would take it for Latin-1
            "database": login.database,
            "charset": "utf8mb4",
            "read_timeout": timeout,
            "write_timeout": timeout,
            "defer_connect": True,
        }
        if login.tls.mode != "prefer":  # which is what the driver does by itself
            arguments["ssl"] = login.tls.context()
        if login.tls.mode != "verify":
            arguments["auth_plugin_map"] = dict.fromkeys(_IN_CLEAR, _Refused)
        connection: Any = pymysql.connect(**arguments)
        connection.connect(self._socket(timeout))
        return connection

    def _socket(self, timeout: float) -> socket.socket:
        login = self._login
        try:
            made = socket.create_connection((login.address, login.port), timeout)
        except OSError as error:
            # As the driver says it: anything else would not pass for a failure to connect.
            raise pymysql.OperationalError(CR.CR_CONN_HOST_ERROR, str(error)) from None
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return made


_ADAPTERS: dict[str, type[DirectPostgreSQL] | type[DirectMySQL]] = {
    "postgresql": DirectPostgreSQL,
    "mysql": DirectMySQL,
    "mariadb": DirectMySQL,
}
DEFAULT_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}


def open_login(engine: str, login: Login, options: Options) -> Adapter:
    """An adapter for one login; ``engine`` is one of :data:`DEFAULT_PORTS`."""
    return _ADAPTERS[engine](login, options)
