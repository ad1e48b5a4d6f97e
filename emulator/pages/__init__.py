"""The pages of the analyst workspace, and the stand-in for the portal's script."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from emulator import installation
from emulator.pages.api import can_rename
from emulator.pages.i18n import LANGUAGES, words
from emulator.portal import the_portal

blueprint = Blueprint(
    "pages",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)


def _language() -> str:
    asked = request.args.get("lang") or request.cookies.get("lang", "")
    if asked in LANGUAGES:
        return asked
    with the_portal().store.read() as state:
        return state.language


@blueprint.app_context_processor
def _everywhere() -> dict[str, Any]:
    language = _language()
    with the_portal().store.read() as state:
        kind = state.portal
    texts = words(language)
    return {"t": texts, "language": language, "kind": kind, "languages": LANGUAGES}


@blueprint.after_request
def _remember_language(response: Response) -> Response:
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie("lang", request.args["lang"], samesite="Lax")
    return response


@blueprint.app_errorhandler(404)
def _not_found(_: Exception) -> tuple[str, int]:
    return render_template("not_found.html"), 404


@blueprint.get("/")
def overview() -> str:
    """Show connectors, connections, datasets and applications."""
    with the_portal().store.read() as state:
        connectors = sorted(state.connectors.values(), key=lambda item: (item.sort, item.id))
        return render_template(
            "overview.html",
            connectors=connectors,
            titles={item.id: item for item in connectors},
            sources=list(state.sources.values()),
            source_titles={item.id: item.title for item in state.sources.values()},
            datasets=list(state.datasets.values()),
            applications=list(state.applications.values()),
        )


@blueprint.get("/connectors/<int:number>/connect")
def connection_new(number: int) -> str:
    """Show the form of a new connection, made of the connector's settings."""
    with the_portal().store.read() as state:
        connector = state.connectors.get(number) or abort(404)
        return render_template("connection.html", connector=connector)


@blueprint.get("/connections/<int:number>/tables")
def tables(number: int) -> str:
    """Show the tables of a connection."""
    with the_portal().store.read() as state:
        source = state.sources.get(number) or abort(404)
        return render_template("tables.html", source=source)


@blueprint.get("/connections/<int:number>/dataset")
def dataset_new(number: int) -> str:
    """Show the form of a new dataset."""
    with the_portal().store.read() as state:
        source = state.sources.get(number) or abort(404)
        return render_template(
            "dataset_new.html",
            source=source,
            table=request.args.get("table", ""),
            title=request.args.get("title", ""),
            rename=can_rename(state, state.connectors[source.connector_id]),
        )


@blueprint.get("/datasets/<int:number>")
def dataset(number: int) -> str:
    """Show a dataset: its fields and a preview."""
    with the_portal().store.read() as state:
        found = state.datasets.get(number) or abort(404)
        return render_template("dataset.html", dataset=found)


@blueprint.get("/datasets/<int:number>/report")
def report(number: int) -> str:
    """Show a report over a dataset."""
    with the_portal().store.read() as state:
        found = state.datasets.get(number) or abort(404)
        return render_template("report.html", dataset=found)


@blueprint.get("/applications/<client_id>")
def application(client_id: str) -> str:
    """Open the page of an application in a frame, as its installation does."""
    portal = the_portal()
    with portal.store.read() as state:
        found = state.applications.get(client_id) or abort(404)
        if not found.install_url:
            abort(404)
    opening = installation.open_page(portal, client_id, _language())
    return render_template("application.html", application=found, opening=opening)


@blueprint.get("/api/v1/")
def script() -> AnyResponse:
    """Hand out the stand-in for `BX24`."""
    return redirect("/static/bx24.js")
