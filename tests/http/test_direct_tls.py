"""Logins travel encrypted, and to a server that has proved its name if that is asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Cancellation, Options
from adapters.direct import Login, Tls, TlsMode, open_login
from adapters.errors import SourceUnavailable
from tests.authority import Authority, postgresql_with_tls
from tests.tcp import PASSWORD, USER, mariadb, postgresql

CIPHER = {
    "postgresql": "SELECT cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mariadb": "SELECT variable_value FROM information_schema.session_status "
    "WHERE variable_name = 'ssl_cipher'",
}


@dataclass(frozen=True)
class Secured:
    """A server whose certificate is of ``ours`` and for localhost."""

    engine: str
    port: int
    ours: Path
    others: Path


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def secured(request: pytest.FixtureRequest) -> Iterator[Secured]:
    with tempfile.TemporaryDirectory(prefix="b24-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        ours, others = Authority(directory / "ours.pem"), Authority(directory / "others.pem")
        certificate, key = directory / "server.pem", directory / "server.key"
        ours.issue("localhost", certificate, key)
        if request.param == "postgresql":
            with postgresql_with_tls(directory, certificate, key) as port:
                yield Secured(request.param, port, ours.path, others.path)
        else:
            options = (f"--ssl-cert={certificate}", f"--ssl-key={key}")
            with mariadb(directory, *options) as running:
                yield Secured(request.param, running.port, ours.path, others.path)


@pytest.fixture(scope="module", params=[postgresql, mariadb], ids=["postgresql", "mariadb"])
def open_server(request: pytest.FixtureRequest) -> Iterator[Secured]:
    """A server without TLS."""
    with tempfile.TemporaryDirectory(prefix="b24-") as name:
        Path(name).chmod(0o755)
        options = ("--skip-ssl",) if request.param is mariadb else ()
        with request.param(Path(name), *options) as running:
            authority = Authority(Path(name) / "ours.pem").path
            yield Secured(running.engine, running.port, authority, authority)


def cipher(server: Secured, tls: Tls, name: str = "localhost", user: str = USER) -> str:
    """How a connection is encrypted, as its server sees it."""
    login = Login(name, "127.0.0.1", server.port, "shop", user, PASSWORD, 5, tls)
    adapter: Any = open_login(server.engine, login, Options())
    try:
        with adapter.session(Cancellation()) as connection:
            found = connection.exec_driver_sql(CIPHER[server.engine]).scalar()
            return str(found or "")
    finally:
        adapter.close()


def test_the_name_and_the_authority_are_verified(secured: Secured) -> None:
    verify = Tls("verify", str(secured.ours))
    assert cipher(secured, verify)
    for tls, name in (
        (Tls("verify", str(secured.others)), "localhost"),
        (verify, "127.0.0.1"),
        (verify, "localhost.example.com"),
    ):
        with pytest.raises(SourceUnavailable, match=r"(?i)certificate"):
            cipher(secured, tls, name)


@pytest.mark.parametrize("mode", ["require", "prefer"])
def test_otherwise_any_certificate_is_taken(secured: Secured, mode: TlsMode) -> None:
    assert cipher(secured, Tls(mode), "any.name.example")


def test_no_login_travels_without_encryption_unless_that_is_allowed(open_server: Secured) -> None:
    for tls in (Tls(), Tls("require"), Tls("verify", str(open_server.ours))):
        with pytest.raises(SourceUnavailable, match="SSL"):
            cipher(open_server, tls)
    assert cipher(open_server, Tls("prefer")) == ""


def test_a_password_in_clear_text_is_for_verified_servers_alone(secured: Secured) -> None:
    if secured.engine != "postgresql":
        pytest.skip("unit/test_evil_server.py has a server of MySQL that asks for it")
    assert cipher(secured, Tls("verify", str(secured.ours)), user="clear")
    for mode in ("require", "prefer"):
        with pytest.raises(SourceUnavailable, match=r"authentication method .*password"):
            cipher(secured, Tls(mode), user="clear")
