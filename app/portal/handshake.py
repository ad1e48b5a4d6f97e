"""What a portal says when it installs the application: as a page, or as the event ONAPPINSTALL.

Bitrix24: an application with a page is opened with DOMAIN, PROTOCOL, LANG in the query and the
tokens in a form; one without a page ("script only") gets the event, with the tokens under ``auth``.
Nothing of it is believed yet; here it only gets its form.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import ApiError
from app.ops.record import record
from app.portal.oauth import Pair, expiry
from app.portal.origins import BadAddress, Origin, admits, origin_of, read_origin
from app.portal.settings import Portal
from app.wire.form import Tree

log = logging.getLogger("b24.portal")

_MEMBER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,2048}")


@dataclass(frozen=True)
class Handshake:
    """Who wants to install, and the tokens that come with it."""

    origin: Origin
    oauth_server: Origin
    member_id: str
    application_token: str = field(repr=False)
    pair: Pair = field(repr=False)


def from_page(query: Mapping[str, str], form: Tree, settings: Portal) -> Handshake:
    """Raises ApiError MALFORMED_BODY or PORTAL_NOT_ALLOWED."""
    scheme = "http" if query.get("PROTOCOL") == "0" else "https"
    portal = f"{scheme}://{_text(query, 'DOMAIN', _TOKEN)}"
    server = _text(form, "SERVER_ENDPOINT", _TOKEN)
    return Handshake(
        _allowed(portal, settings.domains, "domains", read_origin),
        _allowed(server, settings.oauth_servers, "oauth_servers", origin_of),
        _text(form, "member_id", _MEMBER),
        _text(form, "APPLICATION_TOKEN", _TOKEN),
        Pair(
            _text(form, "AUTH_ID", _TOKEN),
            _text(form, "REFRESH_ID", _TOKEN),
            expiry(form.get("AUTH_EXPIRES")),
        ),
    )


def from_event(tree: Tree, settings: Portal) -> Handshake:
    """Raises ApiError MALFORMED_BODY or PORTAL_NOT_ALLOWED."""
    auth = authentication(tree)
    portal = auth.get("client_endpoint") or f"https://{_text(auth, 'domain', _TOKEN)}"
    server = _text(auth, "server_endpoint", _TOKEN)
    return Handshake(
        _allowed(str(portal), settings.domains, "domains", origin_of),
        _allowed(server, settings.oauth_servers, "oauth_servers", origin_of),
        _text(auth, "member_id", _MEMBER),
        _text(auth, "application_token", _TOKEN),
        Pair(
            _text(auth, "access_token", _TOKEN),
            _text(auth, "refresh_token", _TOKEN),
            expiry(auth.get("expires_in")),
        ),
    )


def authentication(tree: Tree) -> Tree:
    """The part of an event that says from where it comes; raises ApiError MALFORMED_BODY."""
    auth = tree.get("auth")
    if not isinstance(auth, dict):
        raise ApiError("MALFORMED_BODY", "An event of a portal has a part called auth.")
    return auth


def _text(values: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ApiError(
            "MALFORMED_BODY",
            f"The request has no usable {name}: open this address from the portal, where it is "
            "the installation path of the application.",
        )
    return value


def _allowed(address: str, patterns: tuple[str, ...], setting: str, read: Any) -> Origin:
    try:
        origin: Origin = read(address)
    except BadAddress:
        raise ApiError("MALFORMED_BODY", "The request names no address of a portal.") from None
    if not admits(patterns, origin):
        log.warning("request %s: %s is not among portal.%s", record().id, origin, setting)
        raise ApiError(
            "PORTAL_NOT_ALLOWED",
            f"{origin} is not among portal.{setting}; the operator of this service can add it.",
        )
    return origin
