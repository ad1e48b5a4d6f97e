"""Guessing over real HTTP: with a proxy and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.engines import sqlite_engine
from tests.server import Answer, Server, serving

MOST = 4


@pytest.fixture(scope="module", params=["trusted", "unknown"])
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, bool]]:
    """A server whose proxy is on this machine, and whether it knows that."""
    directory: Path = tmp_path_factory.mktemp("server")
    trusted = request.param == "trusted"
    with sqlite_engine(directory) as engine:
        engine.execute("CREATE TABLE t (id INTEGER)")
        config = f"""
            [server]
            guesses_per_minute = {MOST}
            trusted_proxies = {["127.0.0.1"] if trusted else []}
            [connectors.company]
            title = "Company"
            [connectors.pg]
            title = "PostgreSQL"
            access = "direct"
            engine = "postgresql"
            allow_hosts = ["127.0.0.1"]
            connect_timeout = 1
            [sources.shop]
            url = "{engine.url}"
            tokens = ["right-token"]
        """
        with serving(directory, config) as server:
            yield server, trusted


def ask(server: Server, client: str, connector: str = "company", **connection: Any) -> Answer:
    body = urlencode({f"connection[{key}]": value for key, value in connection.items()})
    headers = {"X-Forwarded-For": f"127.0.0.9, {client}"}
    return server.post(f"/api/{connector}/check", body, headers=headers)


def test_guessing_ends_soon_and_for_the_guesser_alone(proxied: tuple[Server, bool]) -> None:
    server, trusted = proxied
    assert ask(server, "192.0.2.1", token="right-token").status == 200
    for n in range(MOST):
        assert ask(server, "192.0.2.2", token=f"{n}-wrong").error == "INVALID_TOKEN"
    for token in ("another", "right-token"):
        answer = ask(server, "192.0.2.2", token=token)
        assert (answer.status, answer.error) == (429, "TOO_MANY_GUESSES")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    # Only who is told where requests come from can tell the clients apart.
    assert ask(server, "192.0.2.1", token="right-token").status == (200 if trusted else 429)
    assert ask(server, "192.0.2.3").error == "INVALID_TOKEN"


def test_logins_are_guesses_too(proxied: tuple[Server, bool]) -> None:
    server, trusted = proxied
    if not trusted:
        pytest.skip("the one address that it sees has guessed enough")
    typed = {"host": "127.0.0.2", "database": "d", "username": "u"}
    for n in range(MOST):
        assert ask(server, "192.0.2.4", "pg", **typed, password=f"{n}").error == "CANNOT_CONNECT"
    assert ask(server, "192.0.2.4", "pg", **typed, password="x").error == "TOO_MANY_GUESSES"
    # The same account from elsewhere, and then another one.
    assert ask(server, "192.0.2.5", "pg", **typed, password="y").error == "TOO_MANY_GUESSES"
    other = typed | {"username": "v"}
    assert ask(server, "192.0.2.5", "pg", **other, password="y").error == "CANNOT_CONNECT"
