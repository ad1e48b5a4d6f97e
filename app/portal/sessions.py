"""How we are let into a portal: by an installation whose tokens renew, or by a given token."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.portal import oauth
from app.portal.errors import AccessLost
from app.portal.oauth import Pair
from app.portal.origins import Origin, admits
from app.portal.rest import Patience
from app.portal.settings import Portal
from app.portal.store import Installation, NotInstalled, Store


@dataclass(frozen=True)
class GivenToken:
    """An access token that somebody typed in: good for an hour, and never stored."""

    origin: Origin
    token: str = field(repr=False)

    def access_token(self) -> str:
        """The token."""
        return self.token

    def renewed(self, spent: str) -> str:
        """Nothing can renew it: raises AccessLost."""
        raise AccessLost(
            "expired_token", "The access token has run out, as they all do after an hour."
        )


@dataclass(frozen=True)
class Installed:
    """The tokens of an installation, read from the store for every call."""

    store: Store
    settings: Portal
    patience: Patience
    member_id: str
    origin: Origin

    def access_token(self) -> str:
        """The stored access token, whether it has run out or not: the portal knows best."""
        known = self.store.find(self.member_id)
        if known is None:
            raise _removed(self.origin)
        return known.pair.access

    def renewed(self, spent: str) -> str:
        """The access token of the next pair, which is stored; raises AccessLost or TryLater."""
        try:
            return self.store.renew(self.member_id, spent, self._exchange).access
        except NotInstalled:
            raise _removed(self.origin) from None

    def _exchange(self, known: Installation) -> Pair:
        settings = self.settings
        if not admits(settings.oauth_servers, known.oauth_server):
            raise AccessLost(
                "OAUTH_SERVER_NOT_ALLOWED",
                f"{known.oauth_server} is not among portal.oauth_servers any more.",
            )
        return oauth.refresh(
            known.oauth_server,
            settings.client_id,
            settings.client_secret,
            known.pair.refresh,
            self.patience,
        )


def _removed(origin: Origin) -> AccessLost:
    return AccessLost("NOT_INSTALLED", f"The application is not installed in {origin} any more.")
