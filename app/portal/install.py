"""Installs the application into a portal and removes it again.

Anyone can post to `/install` and `/events`, so nothing is believed without proof:

- The portal and its OAuth server are on the operator's lists before anything is called.
- The OAuth server says whose the access token is. It has to be our application's in the very
  portal that the request names; otherwise somebody could put his own portal in another's place.
- An installation that works is never replaced: the same request again, or an older one, changes
  nothing, and one with another application token is refused.
- Any other event has to carry the application token that was stored, compared in constant time,
  and a removal must not be older than the installation.
"""

from __future__ import annotations

import functools
import hmac
import logging
import time
from dataclasses import dataclass, field

from app.config import Config
from app.errors import ApiError
from app.ops.record import record
from app.plural import counted
from app.portal import methods, oauth
from app.portal.errors import AccessLost, NotPermitted, PortalError
from app.portal.handshake import Handshake, authentication
from app.portal.methods import Entity
from app.portal.register import Outcome, register
from app.portal.rest import Client, Patience
from app.portal.sessions import Installed
from app.portal.store import Busy, Installation, NotInstalled, Store
from app.wire.form import Tree

log = logging.getLogger("b24.portal")

_FORGED = "The request does not prove that it comes from a portal with this application."


@dataclass
class Application:
    """What this service is to portals; the store is opened when it is first needed."""

    config: Config
    patience: Patience = field(default_factory=Patience)

    @functools.cached_property
    def store(self) -> Store:
        """The installations; raises :class:`~app.portal.sealing.MissingKey`."""
        return Store(self.config.portal)

    def client(self, installation: Installation) -> Client:
        """A client of the portal of an installation."""
        session = Installed(
            self.store,
            self.config.portal,
            self.patience,
            installation.member_id,
            installation.origin,
        )
        return Client(session, self.patience)


def install(application: Application, shake: Handshake) -> list[Outcome]:
    """Remember the installation, register the connectors, and say what became of each.

    The tokens stay if registering fails, so that it can be tried again. Raises ApiError
    FORGED_REQUEST and PORTAL_BUSY, :class:`~app.portal.errors.PortalError` and
    :class:`~app.portal.tile.BadTile`.
    """
    _prove(application, shake)
    installation = _remembered(application, shake)
    client = application.client(installation)
    try:
        with application.store.alone(installation.member_id):
            outcomes = register(client, application.config)
            _listen_for_removal(client, application.config)
    except NotInstalled:
        raise ApiError("FORGED_REQUEST", "The application was removed meanwhile.") from None
    except Busy as error:
        raise ApiError("PORTAL_BUSY", str(error)) from None
    connectors = counted(len(outcomes), "connector")
    log.info("portal %s: installed, %s", installation.origin, connectors)
    return outcomes


def _prove(application: Application, shake: Handshake) -> None:
    try:
        identity = oauth.identify(shake.oauth_server, shake.pair.access, application.patience)
    except AccessLost as error:
        _log_doubt(shake, f"the OAuth server does not take the access token: {error}")
        raise ApiError("FORGED_REQUEST", _FORGED) from None
    for what, theirs, ours in (
        ("client_id", identity.client_id, application.config.portal.client_id),
        ("member_id", identity.member_id, shake.member_id),
    ):
        if theirs != ours:
            _log_doubt(shake, f"the access token has the {what} {theirs[:100]!r} and not {ours!r}")
            raise ApiError("FORGED_REQUEST", _FORGED)
    if shake.origin.netloc not in identity.hosts:
        hosts = " or ".join(repr(host[:100]) for host in sorted(identity.hosts) if host)
        _log_doubt(shake, f"the access token has the domain {hosts or 'of nobody'}")
        raise ApiError("FORGED_REQUEST", _FORGED)


def _log_doubt(shake: Handshake, reason: str) -> None:
    """Why a request proves nothing, for the operator: whoever sent it is not told."""
    log.warning("request %s: portal %s: %s", record().id, shake.origin, reason)


def _remembered(application: Application, shake: Handshake) -> Installation:
    store = application.store
    known = store.find(shake.member_id)
    if known is not None and _works(application.client(known)):
        if not _same_secret(known.application_token, shake.application_token):
            _log_doubt(shake, "it works already, and its application token is another one")
            raise ApiError("FORGED_REQUEST", _FORGED)
        return known
    installation = Installation(
        shake.member_id,
        shake.origin,
        shake.oauth_server,
        int(time.time()),
        shake.application_token,
        shake.pair,
    )
    store.keep(installation)
    return installation


def _works(client: Client) -> bool:
    """Whether the stored tokens still open the portal."""
    try:
        methods.known_fields(client, Entity.CONNECTOR)
    except (AccessLost, NotPermitted):
        return False
    return True


def _listen_for_removal(client: Client, config: Config) -> None:
    """Ask to be told (Bitrix24 REST: event.bind); who has a page gets no event otherwise."""
    handler = f"{config.server.public_url}/events"
    try:
        client.call("event.bind", {"event": "ONAPPUNINSTALL", "handler": handler})
    except PortalError as error:
        # It is bound already, or this portal does not let us: tokens then die with the removal.
        log.info("portal %s: event.bind: %s", client.origin, error.code)


def receive(application: Application, tree: Tree) -> str:
    """Deal with an event other than the installation, and say what was done.

    Raises ApiError FORGED_REQUEST, STALE_EVENT and MALFORMED_BODY.
    """
    auth = authentication(tree)
    member_id, given = auth.get("member_id"), auth.get("application_token")
    known = application.store.find(member_id) if isinstance(member_id, str) else None
    expected = known.application_token if known else ""
    if not _same_secret(expected, given if isinstance(given, str) else "") or known is None:
        raise ApiError("FORGED_REQUEST", _FORGED)
    if str(tree.get("event")).upper() != "ONAPPUNINSTALL":
        return "ignored"
    sent = tree.get("ts")
    if not isinstance(sent, str) or not (sent.isdecimal() and len(sent) < 12):
        raise ApiError("MALFORMED_BODY", "The event does not say when it was sent (ts).")
    if (early := known.installed_at - int(sent)) > 0:
        log.warning(
            "request %s: portal %s: a removal was sent %d s before the installation; is that an "
            "old one, or does the clock of this machine run ahead?",
            *(record().id, known.origin, early),
        )
        raise ApiError(
            "STALE_EVENT",
            "The application was installed after this event was sent, by the clock of this "
            "service.",
        )
    application.store.forget(known.member_id)
    log.info("portal %s: removed", known.origin)
    return "removed"


def _same_secret(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())
