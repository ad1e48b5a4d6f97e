"""`biconnector.source.*`: connections. Making or changing one calls the connector's check."""

from __future__ import annotations

from typing import Any

from emulator import calls
from emulator.php import items, to_int
from emulator.portal import Portal
from emulator.rest.connectors import owned as owned_connector
from emulator.rest.errors import MethodError, not_found
from emulator.storage import USER_ID, Connector, Source, State, now


def owned(state: State, app_id: str, source_id: int) -> Source:
    """Return the source, if its connector is the application's; who made it is not asked."""
    source = state.sources.get(source_id)
    if source is None or state.connectors[source.connector_id].app_id != app_id:
        raise not_found("source")
    return source


def row(state: State, source: Source) -> dict[str, Any]:
    """Return a source as the list shows it."""
    return _core(source) | {
        "connectorId": source.connector_id,
        "settings": _settings(state, source),
    }


def item(state: State, source: Source) -> dict[str, Any]:
    """Return a source as `get` shows it."""
    return {
        "connection": _core(source),
        "connectorId": source.connector_id,
        "settings": _settings(state, source),
    }


def _core(source: Source) -> dict[str, Any]:
    return {
        "id": source.id,
        "type": "rest",
        "code": f"rest_{source.connector_id}",
        "title": source.title,
        "description": source.description,
        "active": source.active,
        "dateCreate": source.date_create,
        "dateUpdate": source.date_update,
        "createdById": USER_ID,
        "updatedById": USER_ID,
    }


def _settings(state: State, source: Source) -> list[dict[str, str]]:
    known = state.connectors[source.connector_id].settings
    return [
        {**setting, "value": source.settings[setting["code"]]}
        for setting in known
        if setting["code"] in source.settings
    ]


def add(portal: Portal, app_id: str, fields: dict[str, Any]) -> int:
    """Create a source if the connector accepts its settings."""
    with portal.store.read() as state:
        connector = owned_connector(state, app_id, to_int(fields["connectorId"]))
    return connect(portal, connector, fields)


def connect(portal: Portal, connector: Connector, fields: dict[str, Any]) -> int:
    """Check the settings and save the source, for an application or for a user of the pages."""
    settings = _texts(fields["settings"])
    _try(portal, connector, settings, "Cannot create connection.", "SOURCE_CREATE_CONNECTION_ERROR")
    if not fields["title"]:
        raise MethodError(0, "Fill in all the fields.")
    with portal.store.write() as state:
        if connector.id not in state.connectors:
            raise not_found("connector")
        source = Source(
            id=state.next_id("source"),
            connector_id=connector.id,
            title=fields["title"],
            settings=_known(connector, settings),
            description=fields.get("description"),
        )
        state.sources[source.id] = source
        return source.id


def update(portal: Portal, app_id: str, source_id: int, fields: dict[str, Any]) -> None:
    """Change a source if the connector accepts the merged settings."""
    with portal.store.read() as state:
        source = owned(state, app_id, source_id)
        connector = state.connectors[source.connector_id]
        merged = source.settings | _texts(fields.get("settings") or {})
    _try(portal, connector, merged, "Cannot update connection.", "SOURCE_UPDATE_CONNECTION_ERROR")
    if "title" in fields and not fields["title"]:
        raise MethodError(0, "Fill in all the fields.")
    with portal.store.write() as state:
        source = owned(state, app_id, source_id)
        source.settings = _known(connector, merged)
        source.title = fields.get("title", source.title)
        source.description = fields.get("description", source.description)
        source.active = fields.get("active", source.active)
        source.date_update = now()


def delete(state: State, app_id: str, source_id: int) -> None:
    """Remove a source that no dataset is made of."""
    source = owned(state, app_id, source_id)
    if any(dataset.source_id == source.id for dataset in state.datasets.values()):
        raise MethodError("BX_ERROR", "Cannot delete source. Delete all related datasets first.")
    del state.sources[source.id]


def _try(
    portal: Portal, connector: Connector, settings: dict[str, str], message: str, code: str
) -> None:
    try:
        calls.check(portal.trial(connector, settings))
    except calls.UnavailableError as error:
        raise MethodError(code, message) from error


def _texts(settings: Any) -> dict[str, str]:
    return {code: "" if value is None else str(value) for code, value in items(settings)}


def _known(connector: Connector, settings: dict[str, str]) -> dict[str, str]:
    """Only settings that the connector asks for are kept, without blanks around them."""
    codes = [setting["code"] for setting in connector.settings]
    return {code: settings[code].strip() for code in codes if code in settings}
