"""Lets the sender of a request in, by a token or by a login of the database's own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, cast

from flask import Response, after_this_request, current_app, request

from app import config
from app.direct.door import Door
from app.endpoints.access import Access, grant
from app.endpoints.client import client_address
from app.endpoints.guesses import Guesses
from app.sources import Source
from app.wire.form import Tree

# So much of a token that whoever has chosen it at random gives nothing away by sharing it.
PREFIX = 6


class Entrance(NamedTuple):
    """What admitting needs, made once by the application factory."""

    server: config.Server
    door: Door
    guesses: Guesses


def admit(
    connector: config.Connector, sources: Mapping[str, Source], connection: Tree | str | None
) -> Access:
    """What the ``connection`` of the present request opens.

    Raises ApiError INVALID_TOKEN, CANNOT_CONNECT and TOO_MANY_GUESSES.
    """
    guess = _guess(connector, connection)
    with guessing(*guess) if guess else nullcontext():
        if connector.direct is None:
            return grant(connector, sources, connection)
        lease = _entrance().door.open(connector.direct, connection, _client())
    pools = _entrance().door.pools

    @after_this_request
    def give_back(response: Response) -> Response:
        # Not before the last row has left.
        response.call_on_close(lambda: pools.give_back(lease))
        return response

    return Access([lease.source])


def guessing(prefix: str, credentials: str, *, each: bool = False) -> AbstractContextManager[None]:
    """Find out inside whether the credentials of the present request are right; see Guesses."""
    return _entrance().guesses.attempt(_client(), prefix, credentials, each=each)


def _client() -> str:
    """The address that the present request came from."""
    return client_address(
        request.remote_addr or "",
        request.headers.get("X-Forwarded-For", ""),
        _entrance().server.trusted_proxies,
    )


def _entrance() -> Entrance:
    return cast(Entrance, current_app.extensions["b24_entrance"])


def _guess(connector: config.Connector, connection: Tree | str | None) -> tuple[str, str] | None:
    """What the credentials begin with and all of them; None if there are none."""
    if not isinstance(connection, dict):
        return None
    if connector.direct is None:
        token = connection.get("token")
        if not isinstance(token, str) or not token:
            return None
        return token[:PREFIX], f"{connector.name} {token}"
    names = ("host", "port", "database", "username", "password")
    typed = [str(connection.get(name, "")) for name in names]
    account = f"{connector.name} {typed[0]} {typed[3]}"
    return account, repr([connector.name, *typed])
