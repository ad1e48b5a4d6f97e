"""Installs and removes a local application, as a portal does it.

Bitrix24 REST knows two ways. An application with a page is opened in a frame with its tokens in
a form, and the page has to call `BX24.installFinish()`. An application without a page gets the
event `ONAPPINSTALL`. Removal is announced by `ONAPPUNINSTALL`, which carries no tokens.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from emulator import oauth, outgoing
from emulator.outgoing import UnavailableError
from emulator.portal import Portal
from emulator.storage import USER_ID, Application, Grant, State

FINISH = "BX24.installFinish"


class InstallationError(Exception):
    """The application did not finish its installation."""


@dataclass(frozen=True)
class Opening:
    """How the portal opens the application's page: an address with a query, and a form."""

    url: str
    form: dict[str, Any]


def declare(portal: Portal, application: Application) -> Application:
    """Note a local application's addresses and credentials, as an administrator types them in.

    An application that is declared again keeps what it was given before.
    """
    with portal.store.write() as state:
        known = state.applications.get(application.client_id)
        if known is None:
            application.application_token = secrets.token_hex(16)
            application.member_id = state.member_id
            state.applications[application.client_id] = application
            return application
        known.client_secret = application.client_secret
        known.title = application.title
        known.install_url = application.install_url
        known.event_url = application.event_url
        known.scope = application.scope
        return known


def open_page(portal: Portal, client_id: str, language: str = "") -> Opening:
    """Prepare the page of an application to be opened with a new pair of tokens.

    The reader's language is the portal's unless another is given.
    """
    base = portal.base_url()
    with portal.store.write() as state:
        application = state.applications[client_id]
        grant = _grant(portal, state, application)
        query = {
            "DOMAIN": base.partition("://")[2],
            "PROTOCOL": "1" if base.startswith("https:") else "0",
            "LANG": language or state.language,
            "APP_SID": secrets.token_hex(16),
        }
        form = {
            "AUTH_ID": grant.access_token,
            "AUTH_EXPIRES": portal.options.access_lifetime,
            "REFRESH_ID": grant.refresh_token,
            "SERVER_ENDPOINT": f"{base}/rest/",
            "APPLICATION_TOKEN": application.application_token,
            "member_id": application.member_id,
            "status": "L",
            "PLACEMENT": "DEFAULT",
        }
        sign = "&" if "?" in application.install_url else "?"
        return Opening(f"{application.install_url}{sign}{urlencode(query)}", form)


def _grant(portal: Portal, state: State, application: Application) -> Grant:
    """Issue tokens; from now on the OAuth server serves the application."""
    application.installed = True
    return oauth.issue(portal, state, application)


def install(portal: Portal, client_id: str) -> str:
    """Install an application in its own way, without a browser, and return what its page showed.

    The emulator runs no scripts: a page that holds a call of `BX24.installFinish()` counts as
    one that makes it.
    """
    with portal.store.read() as state:
        with_page = bool(state.applications[client_id].install_url)
    if not with_page:
        return send_event(portal, client_id, "ONAPPINSTALL")
    opening = open_page(portal, client_id)
    status, text = _post(portal, "install", opening.url, opening.form)
    if status != 200:
        raise InstallationError(f"The application's page answered with status {status}.")
    if FINISH not in text:
        raise InstallationError(f"The application's page does not call {FINISH}().")
    return text


def uninstall(portal: Portal, client_id: str) -> None:
    """Remove an application: its tokens die first, then it is told."""
    with portal.store.write() as state:
        application = state.applications[client_id]
        application.installed = False
        state.grants = [grant for grant in state.grants if grant.client_id != client_id]
        announced = bool(application.events.get("ONAPPUNINSTALL") or application.event_url)
    if announced:
        send_event(portal, client_id, "ONAPPUNINSTALL")


def send_event(portal: Portal, client_id: str, event: str) -> str:
    """Post an event to the application and return its answer; any status 2xx is fine."""
    url, parameters = event_request(portal, client_id, event)
    status, text = _post(portal, event, url, parameters)
    if not 200 <= status < 300:
        raise InstallationError(f"The application answered {event} with status {status}.")
    return text


def event_request(portal: Portal, client_id: str, event: str) -> tuple[str, dict[str, Any]]:
    """Address and parameters of an event, with tokens only if it is the installation."""
    base = portal.base_url()
    with portal.store.write() as state:
        application = state.applications[client_id]
        auth: dict[str, Any] = {
            "domain": base.partition("://")[2],
            "client_endpoint": f"{base}/rest/",
            "server_endpoint": f"{base}/rest/",
            "member_id": application.member_id,
            "application_token": application.application_token,
        }
        data: dict[str, Any] = {"LANGUAGE_ID": state.language}
        if event == "ONAPPUNINSTALL":
            data["CLEAN"] = 1
        else:
            grant = _grant(portal, state, application)
            data |= {"VERSION": 1, "ACTIVE": "Y", "INSTALLED": "Y"}
            auth = _event_auth(portal, application, grant) | auth
        url = application.events.get(event) or application.event_url
    return url, {"event": event, "data": data, "ts": int(time.time()), "auth": auth}


def _event_auth(portal: Portal, application: Application, grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access_token,
        "expires": int(grant.expires),
        "expires_in": portal.options.access_lifetime,
        "scope": application.scope,
        "status": "L",
        "user_id": USER_ID,
        "refresh_token": grant.refresh_token,
    }


def _post(portal: Portal, action: str, url: str, parameters: dict[str, Any]) -> tuple[int, str]:
    try:
        return outgoing.notify(portal.trusted_caller(), "event", action, url, parameters)
    except UnavailableError as error:
        raise InstallationError(str(error)) from error
