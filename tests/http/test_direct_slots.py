"""Who sends wrong logins to a direct connector keeps nobody else from logging in."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from app.endpoints.gate import SHARE, VISITS
from tests.server import serving

# Longer than the second after which nobody waits for a slot any more.
SECONDS = 3
# What takes connections and says nothing, and what is not on the list.
SILENT, REFUSED = "127.0.0.1", "127.0.0.2"


LogIn = Callable[..., str]


@pytest.fixture(scope="module")
def log_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogIn]:
    """Tries a wrong login from an address, and gives the code that it ends with."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        config = f"""
            [server]
            trusted_proxies = ["127.0.0.1"]
            [connectors.pg]
            title = "PostgreSQL"
            access = "direct"
            engine = "postgresql"
            allow_hosts = ["{SILENT}:{port}"]
            connect_timeout = {SECONDS}
        """
        with serving(tmp_path_factory.mktemp("server"), config) as server:

            def log_in(client: str, host: str = SILENT) -> str:
                typed = {"host": host, "port": port, "database": "d", "username": "u"}
                typed["password"] = "wrong"
                body = urlencode({f"connection[{name}]": value for name, value in typed.items()})
                headers = {"X-Forwarded-For": client}
                return server.post("/api/pg/check", body, headers=headers).error

            yield log_in


@contextmanager
def held(log_in: LogIn, host: str, *clients: str) -> Iterator[None]:
    """The addresses hold all that they may, by the same login again and again."""
    with ThreadPoolExecutor(VISITS * len(clients)) as threads:
        logins = [threads.submit(log_in, client, host) for client in clients for _ in range(VISITS)]
        beyond = (VISITS - SHARE) * len(clients)
        ended = as_completed(logins)
        assert [next(ended).result() for _ in range(beyond)] == ["TOO_BUSY"] * beyond
        yield
    codes = Counter(login.result() for login in logins)
    assert codes == {"TOO_BUSY": beyond, "CANNOT_CONNECT": SHARE * len(clients)}


def test_one_address_does_not_keep_others_from_logging_in(log_in: LogIn) -> None:
    with held(log_in, SILENT, "192.0.2.1"):
        assert log_in("192.0.2.2") == "CANNOT_CONNECT"


def test_who_is_refused_without_a_connection_keeps_nobody_from_logging_in(log_in: LogIn) -> None:
    with held(log_in, REFUSED, "192.0.2.3", "192.0.2.4"):
        assert log_in("192.0.2.5", REFUSED) == "TOO_BUSY"
        assert log_in("192.0.2.5") == "CANNOT_CONNECT"
