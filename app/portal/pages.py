"""`/install` and `/events`: the two addresses of the local application.

Both take both kinds of request: an application without a page gets its installation event at the
installation path, too (Bitrix24: completing the installation).
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import cast

from flask import Blueprint, Response, current_app, jsonify, render_template, request

from app.endpoints.admission import PREFIX, guessing
from app.endpoints.gate import Gate
from app.endpoints.reading import read_body
from app.errors import ApiError
from app.ops.record import record
from app.portal import handshake, install
from app.portal.database import StoreUnavailable
from app.portal.errors import PortalError
from app.portal.install import Application
from app.portal.origins import Origin
from app.portal.register import Outcome
from app.portal.sealing import MissingKey, WrongKey
from app.portal.texts import Texts, texts
from app.portal.tile import BadTile
from app.sources import Place
from app.wire.form import Tree

log = logging.getLogger("b24.portal")
blueprint = Blueprint(
    "portal", __name__, template_folder="templates", static_folder=None, url_prefix=""
)

# Bitrix24: the script that gives a page inside the portal its BX24.
_SCRIPT = "https://api.bitrix24.com/api/v1/"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "object-src 'none'; base-uri 'none'; form-action 'none'",
}


def _application() -> Application:
    return cast(Application, current_app.extensions["b24_portal"])


@blueprint.get("/install")
def explain() -> Response:
    """For whoever opens the address by hand."""
    language = request.args.get("LANG") or request.accept_languages.best_match(["en", "ru"])
    return _page(texts(language or "en"), "elsewhere", 200)


@blueprint.post("/install")
def install_page() -> Response:
    """Install, and show inside the portal what happened."""
    tree = read_body()
    if "event" in tree:
        return _answer_event(tree)
    said = texts(request.args.get("LANG", ""))
    try:
        with _translated():
            application = _settled()
            shake = handshake.from_page(request.args, tree, application.config.portal)
            outcomes = _install(application, shake)
    except ApiError as error:
        record().error = error.code
        advice = said.advice(error.__cause__)
        return _page(said, "failed", error.status, reason=error.description, advice=advice)
    return _page(said, "done", 200, outcomes=outcomes, origin=shake.origin)


@blueprint.post("/events")
def events() -> Response:
    """What the portal reports: its installation, its removal."""
    return _answer_event(read_body())


def _answer_event(tree: Tree) -> Response:
    with _translated():
        application = _settled()
        if str(tree.get("event")).upper() != "ONAPPINSTALL":
            auth = handshake.authentication(tree)
            given = str(auth.get("application_token", ""))
            guess = _guessing(given, str(auth.get("member_id", "")))
            # The store may be silent, and whoever asks has proved nothing yet.
            with _visiting("events"), guess:
                return jsonify(status=install.receive(application, tree))
        shake = handshake.from_event(tree, application.config.portal)
        outcomes = _install(application, shake)
    return jsonify(
        status="installed", connectors={item.connector: item.action for item in outcomes}
    )


def _install(application: Application, shake: handshake.Handshake) -> list[Outcome]:
    """Some at a time: each waits for an OAuth server and a portal, which may be slow.

    Unlike an old token, a forged one is a guess each time that it comes: the server is asked anew.
    """
    more = f"{shake.member_id} {shake.pair.access}"
    guess = _guessing(shake.application_token, more, each=True)
    with _visiting("installations"), guess:
        return install.install(application, shake)


def _visiting(what: str) -> contextlib.AbstractContextManager[None]:
    gate: Gate = current_app.extensions["b24"].gate
    return gate.visiting(Place("", what))


def _guessing(
    token: str, more: str, *, each: bool = False
) -> contextlib.AbstractContextManager[None]:
    """Whether an application token and what comes with it are right is found out in the block."""
    return guessing(token[:PREFIX], f"portal {token} {more}", each=each)


def _settled() -> Application:
    """The application, if its settings are complete; raises ApiError PORTAL_NOT_CONFIGURED."""
    application = _application()
    if not application.config.portal.client_id:
        raise ApiError(
            "PORTAL_NOT_CONFIGURED",
            "This service has no portal.client_id and portal.client_secret: the portal shows both "
            "where the application was added.",
        )
    return application


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """What may go wrong in the portal and with our own settings, as answers of ours."""
    try:
        yield
    except PortalError as error:
        log.warning("request %s: %s: %s", record().id, type(error).__name__, error)
        raise ApiError("PORTAL_FAILED", f"{error}.") from error
    except StoreUnavailable as error:
        log.warning("request %s: %s", record().id, error.reason)
        raise ApiError("PORTAL_NOT_CONFIGURED", str(error)) from error
    except (BadTile, MissingKey, WrongKey) as error:
        log.warning("request %s: %s", record().id, error)
        raise ApiError("PORTAL_NOT_CONFIGURED", str(error)) from error


def _page(
    said: Texts,
    state: str,
    status: int,
    *,
    reason: str = "",
    advice: str = "",
    outcomes: list[Outcome] | None = None,
    origin: Origin | None = None,
) -> Response:
    page = render_template(
        "portal_install.html",
        t=said,
        state=state,
        reason=reason,
        advice=advice,
        outcomes=outcomes or [],
        origin=origin,
        script=_script(origin),
        request_id=record().id,
    )
    return Response(page, status, headers=_HEADERS, mimetype="text/html")


def _script(origin: Origin | None) -> str:
    """A portal without https is one to develop against, and brings the script itself."""
    return f"{origin}/api/v1/" if origin and origin.scheme == "http" else _SCRIPT
