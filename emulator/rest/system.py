"""The few general REST methods that a client of the portal may ask for."""

from __future__ import annotations

from typing import Any

from emulator.oauth import find_access
from emulator.portal import Portal
from emulator.rest.errors import ServerError, access_denied
from emulator.storage import USER_ID

METHODS = ("app.info", "scope", "profile", "event.bind", "event.unbind", "event.get")
PUBLIC = ("app.info", "scope", "profile")
EVENTS = ("ONAPPINSTALL", "ONAPPUNINSTALL", "ONAPPUPDATE")


def run(portal: Portal, method: str, app_id: str | None, parameters: dict[str, Any]) -> Any:
    """Run a general method."""
    if method == "scope":
        return ["biconnector"]
    if method == "profile":
        return {"ID": str(USER_ID), "ADMIN": True, "NAME": "Analyst", "LAST_NAME": ""}
    if app_id is None:
        raise access_denied()
    if method == "app.info":
        return _app_info(portal, app_id, str(parameters.get("auth", "")))
    return _events(portal, method, app_id, parameters)


def _app_info(portal: Portal, app_id: str, access_token: str) -> dict[str, Any]:
    """Who the token belongs to; the same call is answered by the OAuth server."""
    base = portal.base_url()
    with portal.store.read() as state:
        application = state.applications[app_id]
        grant = find_access(state, access_token)
        return {
            "client_id": app_id,
            "scope": application.scope,
            "expires": str(int(grant.expires)) if grant else "0",
            "user_id": USER_ID,
            "install": {
                "installed": application.installed,
                "version": 1,
                "status": "L",
                "scope": application.scope,
                "domain": base.partition("://")[2],
                "uri": base,
                "client_endpoint": f"{base}/rest/",
                "member_id": application.member_id,
                "member_type": "portal",
            },
        }


def _events(portal: Portal, method: str, app_id: str, parameters: dict[str, Any]) -> Any:
    with portal.store.write() as state:
        events = state.applications[app_id].events
        if method == "event.get":
            return [{"event": name, "handler": url} for name, url in events.items()]
        name = str(parameters.get("event", "")).upper()
        if name not in EVENTS:
            raise ServerError(400, "ERROR_EVENT_NOT_FOUND", "Event not found")
        if method == "event.unbind":
            return {"count": 1 if events.pop(name, None) else 0}
        handler = str(parameters.get("handler", ""))
        if not handler.startswith(("http://", "https://")):
            raise ServerError(400, "ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event protocol")
        events[name] = handler
        return True
