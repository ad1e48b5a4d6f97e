"""The OAuth server: pairs of tokens, their expiry, the exchange of an old pair for a new one."""

from __future__ import annotations

import secrets
import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.faults import nonsense
from emulator.portal import Portal, the_portal
from emulator.storage import USER_ID, Application, Grant, State
from emulator.wire_log import Exchange

blueprint = Blueprint("oauth", __name__)


def issue(portal: Portal, state: State, application: Application) -> Grant:
    """Make a new pair of tokens for an application."""
    moment = time.time()
    grant = Grant(
        client_id=application.client_id,
        access_token=secrets.token_hex(35),
        refresh_token=secrets.token_hex(35),
        expires=moment + portal.options.access_lifetime,
        refresh_expires=moment + portal.options.refresh_lifetime,
    )
    state.grants.append(grant)
    return grant


def grant_fields(portal: Portal, application: Application, grant: Grant) -> dict[str, Any]:
    """Return the words in which a pair of tokens is handed over."""
    base = portal.base_url()
    return {
        "access_token": grant.access_token,
        "expires": int(grant.expires),
        "expires_in": max(0, round(grant.expires - time.time())),
        "scope": application.scope,
        "domain": base.partition("://")[2],
        "server_endpoint": f"{base}/rest/",
        "status": "L",
        "client_endpoint": f"{base}/rest/",
        "member_id": application.member_id,
        "user_id": USER_ID,
        "refresh_token": grant.refresh_token,
    }


@blueprint.route("/oauth/token/", methods=["GET", "POST"])
def token() -> Response:
    """Exchange a refresh token for a new pair.

    Bitrix24 REST: the old refresh token is spent by that; access tokens run out by themselves.
    """
    portal = the_portal()
    exchange = Exchange("oauth", "refresh", request.method, request.url)
    exchange.request_headers = list(request.headers.items())
    exchange.request_body = request.get_data(as_text=True)
    response = _answer(portal)
    exchange.status = response.status_code
    exchange.response_headers = list(response.headers.items())
    exchange.response_body = response.get_data(as_text=True)
    portal.log.add(exchange)
    return response


def _answer(portal: Portal) -> Response:
    fault = portal.faults.take("oauth")
    if fault is not None:
        if fault.kind == "nonsense":
            return nonsense(fault)
        return _error(fault.status, fault.error, fault.description)
    if request.values.get("grant_type") != "refresh_token":
        return _error(400, "invalid_request", "Only grant_type=refresh_token is served here")
    with portal.store.write() as state:
        application = state.applications.get(request.values.get("client_id", ""))
        if application is None or not secrets.compare_digest(
            application.client_secret.encode(), request.values.get("client_secret", "").encode()
        ):
            return _error(401, "invalid_client", "Unable to authorize client")
        grant = find_refresh(state, request.values.get("refresh_token", ""))
        if grant is None or grant.client_id != application.client_id or not application.installed:
            return _error(400, "invalid_grant", "The refresh token is wrong, spent or expired")
        grant.refresh_used = True
        fresh = issue(portal, state, application)
        return jsonify(grant_fields(portal, application, fresh))


def find_refresh(state: State, refresh_token: str) -> Grant | None:
    """Find the pair that a refresh token may still be exchanged for."""
    for grant in state.grants:
        if grant.refresh_token == refresh_token:
            usable = not grant.refresh_used and grant.refresh_expires > time.time()
            return grant if usable else None
    return None


def find_access(state: State, access_token: str) -> Grant | None:
    """Find the pair an access token belongs to, expired or not."""
    return next((grant for grant in state.grants if grant.access_token == access_token), None)


def _error(status: int, code: str, description: str) -> Response:
    response = jsonify({"error": code, "error_description": description})
    response.status_code = status
    return response
