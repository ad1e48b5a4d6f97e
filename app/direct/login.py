"""What a user typed, as a login; pure but for looking up the host's name."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from adapters.direct import Login
from app.config import Direct
from app.direct.hosts import BadHost
from app.wire.form import Tree

_LONGEST = 512  # Bitrix24 REST: the value of a setting
_UNFIT = ("Cc", "Cs")  # control characters and halves of characters
_REQUIRED = ("host", "database", "username", "password")


class BadLogin(ValueError):
    """The typed values make no login that is allowed; the message is for the operator."""


class IncompleteLogin(BadLogin):
    """Something is not typed at all; the message is for the user as well."""


def read_login(direct: Direct, connection: Tree | str | None) -> Login:
    """The login that a request's ``connection`` means; raises :class:`BadLogin`."""
    typed = _texts(connection)
    if missing := [name for name in _REQUIRED if not typed.get(name, "").strip()]:
        raise IncompleteLogin(f"lacks {', '.join(missing)}")
    if any(len(text) > _LONGEST for text in typed.values()):
        raise BadLogin("a value is too long")
    if any(unicodedata.category(c) in _UNFIT for text in typed.values() for c in text):
        raise BadLogin("a value has control characters")
    try:
        target = direct.hosts.target(typed["host"], _port(typed.get("port", ""), direct))
    except BadHost as error:
        raise BadLogin(str(error)) from None
    return Login(
        name=target.name,
        address=target.address,
        port=target.port,
        database=typed["database"],
        username=typed["username"],
        password=typed["password"],
        timeout=direct.connect_timeout.total_seconds(),
        tls=direct.tls,
    )


def _texts(connection: Tree | str | None) -> Mapping[str, str]:
    found = connection if isinstance(connection, dict) else {}
    names = (*_REQUIRED, "port")
    return {name: text for name in names if isinstance(text := found.get(name), str)}


def _port(text: str, direct: Direct) -> int:
    text = text.strip()
    if not text:
        return direct.hosts.default_port
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise BadLogin("the port is not a number")
    return int(text)  # what no entry of the list has is refused by it
