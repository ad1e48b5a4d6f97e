"""What the pages ask the portal for: connections, tables, datasets, previews, reports."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator import bi, calls, report
from emulator.calls import AnswerError, UnavailableError
from emulator.portal import Portal, field_types, map_fields, the_portal
from emulator.rest import connectors, datasets, sources
from emulator.rest.errors import MethodError
from emulator.rows import BrokenAnswerError
from emulator.storage import Connector, Dataset, State

blueprint = Blueprint("workspace", __name__, url_prefix="/workspace")


class RequestError(Exception):
    """A page asked for something that is not there."""


@blueprint.errorhandler(UnavailableError)
def _unavailable(error: UnavailableError) -> tuple[Response, int]:
    return jsonify({"error": str(error), "reason": error.reason}), 502


@blueprint.errorhandler(AnswerError)
@blueprint.errorhandler(BrokenAnswerError)
def _bad_answer(error: Exception) -> tuple[Response, int]:
    return jsonify({"error": str(error), "reason": "answer"}), 502


@blueprint.errorhandler(bi.ReportError)
@blueprint.errorhandler(RequestError)
def _bad_request(error: Exception) -> tuple[Response, int]:
    return jsonify({"error": str(error), "reason": getattr(error, "reason", "request")}), 400


@blueprint.errorhandler(MethodError)
def _refused(error: MethodError) -> tuple[Response, int]:
    return jsonify({"error": error.description, "reason": str(error.code)}), 400


def _given() -> dict[str, Any]:
    value = request.get_json(silent=True)
    if not isinstance(value, dict):
        raise RequestError("The body has to be a JSON object.")
    return value


def _connector(portal: Portal, number: Any) -> Connector:
    with portal.store.read() as state:
        connector = state.connectors.get(number)
    if connector is None:
        raise RequestError("The connector does not exist.")
    return connector


def _connection(portal: Portal, number: int) -> calls.Connection:
    with portal.store.read() as state:
        if number not in state.sources:
            raise RequestError("The connection does not exist.")
    return portal.connection(number)


def _dataset(state: State, number: int) -> Dataset:
    dataset = state.datasets.get(number)
    if dataset is None:
        raise RequestError("The dataset does not exist.")
    return dataset


def can_rename(state: State, connector: Connector) -> bool:
    """Tell whether the fields of a dataset may be named anew: both sides have to know mapping."""
    return state.portal != "old" and connector.support_mapping


@blueprint.get("/connectors")
def connector_list() -> Response:
    """List the connectors of all applications, as a user sees them."""
    with the_portal().store.read() as state:
        found = sorted(state.connectors.values(), key=lambda item: (item.sort, item.id))
        return jsonify(
            [
                connectors.row(item, old=state.portal == "old")
                | {"canRename": can_rename(state, item)}
                for item in found
            ]
        )


@blueprint.post("/check")
def check() -> Response:
    """Try settings that are not saved."""
    portal, given = the_portal(), _given()
    connector = _connector(portal, given.get("connectorId"))
    calls.check(portal.trial(connector, given.get("settings") or {}))
    return jsonify({"ok": True})


@blueprint.get("/sources")
def source_list() -> Response:
    """List the connections, without what was typed into them."""
    with the_portal().store.read() as state:
        return jsonify(
            [
                {
                    "id": source.id,
                    "title": source.title,
                    "connectorId": source.connector_id,
                    "connector": state.connectors[source.connector_id].title,
                    "active": source.active,
                    "dateCreate": source.date_create,
                }
                for source in state.sources.values()
            ]
        )


@blueprint.post("/sources")
def source_add() -> Response:
    """Save a connection if its settings are good."""
    portal, given = the_portal(), _given()
    connector = _connector(portal, given.get("connectorId"))
    fields = {
        "title": str(given.get("title") or ""),
        "settings": given.get("settings") or {},
        "description": given.get("description"),
    }
    return jsonify({"id": sources.connect(portal, connector, fields)})


@blueprint.delete("/sources/<int:number>")
def source_delete(number: int) -> Response:
    """Remove a connection."""
    with the_portal().store.write() as state:
        source = state.sources.get(number)
        if source is None:
            raise RequestError("The connection does not exist.")
        sources.delete(state, state.connectors[source.connector_id].app_id, number)
    return jsonify({"deleted": True})


@blueprint.get("/sources/<int:number>/tables")
def table_list(number: int) -> Response:
    """Ask the connector for its tables; the search is the connector's work."""
    search = request.args.get("search") or None
    found = calls.table_list(_connection(the_portal(), number), search)
    return jsonify([{"id": item.id, "code": item.code, "title": item.title} for item in found])


@blueprint.get("/sources/<int:number>/description")
def description(number: int) -> Response:
    """Ask the connector for the columns of a table, and propose a name for a dataset."""
    portal, table = the_portal(), request.args.get("table", "")
    connection = _connection(portal, number)
    with portal.store.read() as state:
        types = field_types(state)
        rename = can_rename(state, connection.connector)
        taken = {dataset.name for dataset in state.datasets.values()}
    columns = calls.table_description(connection, table, types)
    return jsonify(
        {
            "name": _proposed(table, taken),
            "canRename": rename,
            "columns": [
                {
                    "externalCode": column.code,
                    "name": column.code,
                    "title": column.name,
                    "type": column.type,
                    "visible": True,
                }
                for column in columns
            ],
        }
    )


def _proposed(table: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9_]+", "_", table.lower()).strip("_")[:200] or "table"
    base = base if base[0].isalpha() else f"t_{base}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


@blueprint.get("/sources/<int:number>/preview")
def preview(number: int) -> Response:
    """Ask the connector for the first rows of a table; values are read by the codes given.

    Bitrix24 REST: a code that the header lacks shows nothing, it is no error.
    """
    portal, table = the_portal(), request.args.get("table", "")
    connection = _connection(portal, number)
    with portal.store.read() as state:
        mapping = map_fields(state, table)
    rows = calls.preview(connection, table, mapping)
    if codes := request.args.getlist("code"):
        rows = [{code: row.get(code) for code in codes} for row in rows]
    return jsonify(rows)


@blueprint.get("/datasets")
def dataset_list() -> Response:
    """List the datasets with their fields."""
    with the_portal().store.read() as state:
        return jsonify(
            [
                datasets.item(item) | {"source": state.sources[item.source_id].title}
                for item in state.datasets.values()
            ]
        )


@blueprint.post("/datasets")
def dataset_add() -> Response:
    """Save a dataset if its connection works; hidden fields are kept, but reports lack them.

    Bitrix24: a table that a user adds is preceded by a check, one added by a method is not.
    """
    portal, given = the_portal(), _given()
    calls.check(_connection(portal, given.get("sourceId", 0)))
    wanted = given.get("fields") or []
    hidden = {item.get("externalCode") for item in wanted if not item.get("visible", True)}
    texts = {key: str(given.get(key) or "") for key in ("name", "externalName", "externalCode")}
    fields = (
        given
        | texts
        | {
            "fields": [
                {key: item.get(key) for key in ("name", "externalCode", "type")} for item in wanted
            ]
        }
    )
    with portal.store.write() as state:
        source = state.sources.get(given.get("sourceId", 0))
        if source is None:
            raise RequestError("The connection does not exist.")
        number = datasets.add(state, state.connectors[source.connector_id].app_id, fields)
        for column in state.datasets[number].fields:
            column.visible = column.external_code not in hidden
    return jsonify({"id": number})


@blueprint.delete("/datasets/<int:number>")
def dataset_delete(number: int) -> Response:
    """Remove a dataset."""
    with the_portal().store.write() as state:
        del state.datasets[_dataset(state, number).id]
    return jsonify({"deleted": True})


@blueprint.post("/datasets/<int:number>/fields")
def dataset_fields(number: int) -> Response:
    """Show and hide fields."""
    visible = {int(item["id"]): bool(item["visible"]) for item in _given().get("fields", [])}
    with the_portal().store.write() as state:
        for column in _dataset(state, number).fields:
            column.visible = visible.get(column.id, column.visible)
    return jsonify({"saved": True})


@blueprint.post("/datasets/<int:number>/report")
def run_report(number: int) -> Response:
    """Run a report."""
    portal, given = the_portal(), _given()
    with portal.store.read() as state:
        dataset = _dataset(state, number)
        types = {column.name: column.type for column in dataset.fields if column.visible}
    return jsonify(report.run(portal, dataset, report.read_report(given, types)))
