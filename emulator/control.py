"""The emulator's own controls, under `/emulator/`; the package's docstring lists them."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, fields
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator import installation, oauth, outgoing
from emulator.bi import FULL_FORMATS
from emulator.faults import Fault
from emulator.portal import the_portal
from emulator.storage import Application, State

blueprint = Blueprint("control", __name__, url_prefix="/emulator")

_CHOICES: dict[str, tuple[Any, ...]] = {
    "portal": ("old", "new"),
    "language": ("en", "ru"),
    "site_format": tuple(FULL_FORMATS),
    "allow_private": (True, False),
    "user_has_access": (True, False),
}


class CommandError(Exception):
    """A control was called with something it does not take."""


@blueprint.errorhandler(CommandError)
def _bad_command(error: CommandError) -> tuple[Response, int]:
    return jsonify({"error": str(error)}), 400


@blueprint.errorhandler(installation.InstallationError)
def _not_installed(error: installation.InstallationError) -> tuple[Response, int]:
    return jsonify({"error": str(error)}), 502


def _body() -> dict[str, Any]:
    given = request.get_json(silent=True) or {}
    if not isinstance(given, dict):
        raise CommandError("The body has to be a JSON object.")
    return given


def _settings(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in _CHOICES} | {"member_id": state.member_id}


@blueprint.get("/state")
def state() -> Response:
    """Return what the portal knows, without secrets."""
    with the_portal().store.read() as known:
        applications = [
            {
                name: getattr(item, name)
                for name in ("client_id", "title", "install_url", "event_url")
            }
            | {"installed": item.installed, "events": item.events}
            for item in known.applications.values()
        ]
        return jsonify(
            {
                "settings": _settings(known),
                "applications": applications,
                "connectors": [asdict(item) for item in known.connectors.values()],
                "sources": [
                    {key: value for key, value in asdict(item).items() if key != "settings"}
                    for item in known.sources.values()
                ],
                "datasets": [asdict(item) for item in known.datasets.values()],
                "grants": len(known.grants),
            }
        )


@blueprint.post("/settings")
def settings() -> Response:
    """Change what kind of portal this is."""
    given = _body()
    for name, value in given.items():
        if name not in _CHOICES or value not in _CHOICES[name]:
            raise CommandError(f"{name} has to be one of {_CHOICES.get(name, ())}.")
    with the_portal().store.write() as known:
        for name, value in given.items():
            setattr(known, name, value)
        return jsonify(_settings(known))


@blueprint.post("/reset")
def reset() -> Response:
    """Forget everything: state, faults and log."""
    portal = the_portal()
    portal.store.reset()
    portal.faults.clear()
    portal.log.clear()
    return jsonify({"reset": True})


@blueprint.post("/applications")
def applications() -> Response:
    """Declare a local application."""
    given = _body()
    names = {"client_id", "client_secret", "title", "install_url", "event_url", "scope"}
    if unknown := set(given) - names:
        raise CommandError(f"Unknown: {', '.join(sorted(unknown))}.")
    application = Application(
        client_id=given.get("client_id") or f"local.{secrets.token_hex(7)}.{secrets.token_hex(4)}",
        client_secret=given.get("client_secret") or secrets.token_hex(25),
        title=given.get("title", ""),
        install_url=given.get("install_url", ""),
        event_url=given.get("event_url", ""),
        scope=given.get("scope", "biconnector"),
    )
    known = installation.declare(the_portal(), application)
    return jsonify(
        {
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "application_token": known.application_token,
            "member_id": known.member_id,
        }
    )


def _application(client_id: str) -> None:
    with the_portal().store.read() as known:
        if client_id not in known.applications:
            raise CommandError(f"There is no application {client_id}.")


@blueprint.post("/applications/<client_id>/install")
def install(client_id: str) -> Response:
    """Go through the installation handshake."""
    _application(client_id)
    text = installation.install(the_portal(), client_id)
    return jsonify({"installed": True, "answer": text[:2000]})


@blueprint.post("/applications/<client_id>/uninstall")
def uninstall(client_id: str) -> Response:
    """Remove the application and announce it."""
    _application(client_id)
    installation.uninstall(the_portal(), client_id)
    return jsonify({"installed": False})


@blueprint.post("/applications/<client_id>/event")
def event(client_id: str) -> Response:
    """Send an event again, or a forged one: `changes` replace values of its `auth` part."""
    _application(client_id)
    given = _body()
    name = str(given.get("event", "ONAPPINSTALL"))
    portal = the_portal()
    url, parameters = installation.event_request(portal, client_id, name)
    parameters["auth"] |= given.get("changes", {})
    status, text = outgoing.notify(
        portal.trusted_caller(), "event", name, given.get("url") or url, parameters
    )
    return jsonify({"status": status, "answer": text[:2000]})


@blueprint.post("/tokens")
def tokens() -> Response:
    """Issue a pair of tokens for an application, as an installation would."""
    given = _body()
    client_id = str(given.get("client_id", ""))
    _application(client_id)
    portal = the_portal()
    with portal.store.write() as known:
        application = known.applications[client_id]
        application.installed = True
        grant = oauth.issue(portal, known, application)
        if "expires_in" in given:
            grant.expires = time.time() + float(given["expires_in"])
        return jsonify(oauth.grant_fields(portal, application, grant))


@blueprint.post("/tokens/expire")
def expire() -> Response:
    """Let all access tokens of an application (or of all) run out; refresh tokens stay good."""
    client_id = _body().get("client_id")
    return _age(client_id, refresh=False)


@blueprint.post("/tokens/revoke")
def revoke() -> Response:
    """Let all tokens of an application (or of all) run out, the refresh tokens too."""
    client_id = _body().get("client_id")
    return _age(client_id, refresh=True)


def _age(client_id: str | None, *, refresh: bool) -> Response:
    count = 0
    with the_portal().store.write() as known:
        for grant in known.grants:
            if client_id in (None, grant.client_id):
                grant.expires = 0
                grant.refresh_expires = 0 if refresh else grant.refresh_expires
                count += 1
    return jsonify({"tokens": count})


@blueprint.post("/webhooks")
def webhooks() -> Response:
    """Make a webhook; its address works for general methods and is refused by the rest."""
    scope = str(_body().get("scope", "biconnector"))
    portal = the_portal()
    with portal.store.write() as known:
        path = f"1/{secrets.token_hex(8)}"
        known.webhooks[path] = scope
    return jsonify({"url": f"{portal.base_url()}/rest/{path}/"})


@blueprint.route("/faults", methods=["GET", "POST", "DELETE"])
def faults() -> Response:
    """Set, show or clear faults."""
    portal = the_portal()
    if request.method == "DELETE":
        portal.faults.clear()
    elif request.method == "POST":
        given = _body()
        if unknown := set(given) - {entry.name for entry in fields(Fault)}:
            raise CommandError(f"Unknown: {', '.join(sorted(unknown))}.")
        portal.faults.add(Fault(**given))
    return jsonify([asdict(fault) for fault in portal.faults.all()])


@blueprint.route("/wire", methods=["GET", "DELETE"])
def wire() -> Response:
    """Return the wire log after the exchange number `after`, or its emptying."""
    portal = the_portal()
    if request.method == "DELETE":
        portal.log.clear()
    return jsonify(portal.log.after(request.args.get("after", 0, type=int)))


@blueprint.get("/health")
def health() -> Response:
    """Say that the emulator runs."""
    return jsonify({"status": "ok"})
