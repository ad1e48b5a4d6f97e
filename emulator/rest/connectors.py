"""`biconnector.connector.*`: the tiles that an application adds to the analyst workspace."""

from __future__ import annotations

from typing import Any

from emulator.php import is_array, items, to_int
from emulator.rest.checks import stored_text
from emulator.rest.errors import MethodError, not_found
from emulator.storage import Connector, State

_LIMITS: dict[str, int | None] = {
    "title": 512,
    "logo": None,
    "urlCheck": 2048,
    "urlData": 2048,
    "urlTableList": 2048,
    "urlTableDescription": 2048,
}
_ATTRIBUTES = {
    "title": "title",
    "logo": "logo",
    "description": "description",
    "urlCheck": "url_check",
    "urlData": "url_data",
    "urlTableList": "url_table_list",
    "urlTableDescription": "url_table_description",
    "supportMapping": "support_mapping",
    "sourceCode": "source_code",
}


def owned(state: State, app_id: str, connector_id: int) -> Connector:
    """Return the connector, if it belongs to the application."""
    connector = state.connectors.get(connector_id)
    if connector is None or connector.app_id != app_id:
        raise not_found("connector")
    return connector


def row(connector: Connector, *, old: bool) -> dict[str, Any]:
    """Return a connector in the words of the REST API."""
    answer: dict[str, Any] = {
        "id": connector.id,
        "title": connector.title,
        "logo": connector.logo,
        "description": connector.description,
        "dateCreate": connector.date_create,
        "urlCheck": connector.url_check,
        "urlTableList": connector.url_table_list,
        "urlTableDescription": connector.url_table_description,
        "urlData": connector.url_data,
        "settings": connector.settings,
        "sort": connector.sort,
    }
    if not old:
        answer["supportMapping"] = connector.support_mapping
        answer["sourceCode"] = connector.source_code
    return answer


def add(state: State, app_id: str, fields: dict[str, Any]) -> int:
    """Create a connector from checked fields."""
    settings = _settings(fields["settings"], old=state.portal == "old")
    _check_storage(fields)
    connector = Connector(
        id=state.next_id("connector"),
        app_id=app_id,
        settings=settings,
        **{_ATTRIBUTES[key]: value for key, value in fields.items() if key in _ATTRIBUTES},
    )
    if "sort" in fields:
        connector.sort = to_int(fields["sort"])
    state.connectors[connector.id] = connector
    return connector.id


def update(state: State, app_id: str, connector_id: int, fields: dict[str, Any]) -> None:
    """Change what is given."""
    connector = owned(state, app_id, connector_id)
    settings = connector.settings
    if "settings" in fields:
        settings = _settings(fields["settings"], old=state.portal == "old")
    _check_storage(fields)
    connector.settings = settings
    for key, value in fields.items():
        if key in _ATTRIBUTES:
            setattr(connector, _ATTRIBUTES[key], value)
    if "sort" in fields:
        connector.sort = to_int(fields["sort"])


def delete(state: State, app_id: str, connector_id: int) -> None:
    """Remove a connector that nothing is connected with."""
    connector = owned(state, app_id, connector_id)
    if any(source.connector_id == connector.id for source in state.sources.values()):
        raise MethodError(
            "CONNECTOR_DELETE_RESTRICTED",
            "Connector cannot be removed. Remove the connections related to the connector first.",
        )
    del state.connectors[connector.id]


def _check_storage(fields: dict[str, Any]) -> None:
    stored_text(fields, _LIMITS)
    code = fields.get("sourceCode")
    if code:
        stored_text(fields, {"sourceCode": 64})


def _settings(value: Any, *, old: bool) -> list[dict[str, str]]:
    types = ("STRING",) if old else ("STRING", "INT")
    return [_setting(entry, types) for _, entry in items(value)]


def _setting(entry: Any, types: tuple[str, ...]) -> dict[str, str]:
    given = dict(items(entry)) if is_array(entry) else {}
    if any(given.get(key) is None for key in ("type", "name", "code")):
        raise MethodError(
            "VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS",
            'Settings must include "type", "name" and "code" fields.',
        )
    for key in ("name", "code"):
        if len(str(given[key])) > 512:
            raise MethodError(
                f"VALIDATION_SETTINGS_{key.upper()}_TOO_LONG",
                f'Parameter "{key}" must be less than 512 characters.',
            )
    if given["type"] not in types:
        raise MethodError("VALIDATION_SETTINGS_INVALID_TYPE", 'Parameter "type" is not correct.')
    return {key: str(given[key]) for key in ("name", "code", "type")}
