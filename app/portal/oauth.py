"""The OAuth server of a portal: a new pair of tokens for an old one, and whose a token is.

Bitrix24 OAuth: both are GET requests with everything in the query. No redirect is followed, so
that the secret stays with the server that the operator's list names, and nothing of the HTTP
library's errors is repeated, because they quote the address.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from app.portal.errors import AccessLost, Nonsense, TryLater, WrongClient, portal_error
from app.portal.origins import BadAddress, Origin, origin_of
from app.portal.rest import Patience

# At its most talkative the HTTP library logs whole addresses, and here they hold secrets.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

# Bitrix24 OAuth: an access token lives for one hour.
LIFETIME = 3600


@dataclass(frozen=True)
class Pair:
    """An access token, the refresh token for the next pair, and when the first runs out."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: int


@dataclass(frozen=True)
class Identity:
    """What the OAuth server says about an access token."""

    client_id: str
    member_id: str
    hosts: frozenset[str]


def refresh(
    server: Origin, client_id: str, client_secret: str, spent: str, patience: Patience
) -> Pair:
    """The pair that follows the refresh token ``spent``, which is good once.

    Raises AccessLost if the server does not take it, TryLater if it cannot answer.
    """
    answer = _get(
        f"{server}/oauth/token/",
        {
            "grant_type": "refresh_token",
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": spent,
        },
        patience,
    )
    access, following = answer.get("access_token"), answer.get("refresh_token")
    if not (isinstance(access, str) and access and isinstance(following, str) and following):
        raise Nonsense("NO_TOKENS", f"What {server} answers holds no tokens.")
    return Pair(access, following, expiry(answer.get("expires_in")))


def expiry(seconds: Any) -> int:
    """When a token that was issued now runs out; ``seconds`` is what a stranger says."""
    text = str(seconds)
    return int(time.time()) + (int(text) if text.isdecimal() and len(text) < 9 else LIFETIME)


def identify(server: Origin, access_token: str, patience: Patience) -> Identity:
    """Which application and portal ``access_token`` belongs to (Bitrix24 REST: app.info).

    Raises AccessLost if it is no token of the server's, TryLater if the server cannot answer.
    """
    answer = _get(f"{server}/rest/app.info", {"auth": access_token}, patience)
    result = answer.get("result")
    installed = result.get("install") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(installed, dict):
        raise Nonsense("NO_IDENTITY", f"{server} does not say whose the access token is.")
    hosts = {str(installed.get("domain") or "").lower()}
    with contextlib.suppress(BadAddress):
        hosts.add(origin_of(str(installed.get("client_endpoint") or "")).netloc)
    return Identity(
        str(result.get("client_id") or ""), str(installed.get("member_id") or ""), frozenset(hosts)
    )


def _get(url: str, query: Mapping[str, str], patience: Patience) -> dict[str, Any]:
    server = origin_of(url)
    try:
        response = requests.get(
            url, query, timeout=(patience.connect, patience.answer), allow_redirects=False
        )
    except requests.RequestException:
        raise TryLater(
            "OAUTH_UNREACHABLE", f"The OAuth server {server} cannot be reached."
        ) from None
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        if response.status_code >= 500:
            code = f"HTTP_{response.status_code}"
            raise TryLater(code, f"The OAuth server {server} is out of order.") from None
        raise Nonsense("NOT_AN_OAUTH_SERVER", f"What {server} answers is not OAuth.") from None
    if "error" in answer or response.status_code != 200:
        raise _refusal(response.status_code, answer, query)
    return answer


def _refusal(status: int, answer: Mapping[str, Any], query: Mapping[str, str]) -> Exception:
    description = str(answer.get("error_description") or "")
    for name in ("client_secret", "refresh_token", "auth"):
        if secret := query.get(name):
            description = description.replace(secret, "***")
    error = portal_error("oauth", status, str(answer.get("error") or ""), description)
    if isinstance(error, TryLater) or status >= 500:
        return TryLater(error.code, error.description)
    if isinstance(error, WrongClient):
        return error
    # Whatever else it says, with these tokens there is no way on.
    return AccessLost(error.code, error.description)
