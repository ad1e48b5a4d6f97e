"""The 26 methods: from a checked caller and its parameters to a result or a `MethodError`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.portal import Portal
from emulator.rest import connectors, datasets, sources
from emulator.rest.checks import entity_fields, identifier
from emulator.rest.errors import access_denied
from emulator.rest.lists import listing
from emulator.rest.schemas import FieldSpec, schema
from emulator.storage import State

_VERBS = ("add", "update", "get", "list", "delete", "fields")
ENTITIES = ("connector", "source", "dataset", "table")
METHODS = tuple(
    f"biconnector.{entity}.{verb}"
    for entity in ENTITIES
    for verb in (*_VERBS, *(("fields.update",) if entity in ("dataset", "table") else ()))
)


@dataclass(frozen=True)
class Call:
    """One call of a method: who makes it, on what, and with which parameters."""

    portal: Portal
    entity: str
    app_id: str
    parameters: dict[str, Any]

    def schema_of(self, state: State) -> tuple[FieldSpec, ...]:
        """Return the fields of the entity on this portal."""
        return schema(self.entity, old=state.portal == "old")


def run(portal: Portal, method: str, app_id: str | None, parameters: dict[str, Any]) -> Any:
    """Run a method that the portal knows; `app_id` is missing for a webhook."""
    _, entity, verb = method.split(".", 2)
    entity = "dataset" if entity == "table" else entity
    with portal.store.read() as state:
        permitted = state.user_has_access
        old = state.portal == "old"
    if not permitted:
        raise access_denied()
    if verb == "fields":
        return {"fields": [spec.as_answer() for spec in schema(entity, old=old)]}
    if app_id is None:
        raise access_denied()
    return _VERB_FUNCTIONS[verb](Call(portal, entity, app_id, parameters))


def _add(call: Call) -> dict[str, int]:
    with call.portal.store.read() as state:
        fields = entity_fields(call.parameters, call.schema_of(state), adding=True)
    if call.entity == "source":
        return {"id": sources.add(call.portal, call.app_id, fields)}
    with call.portal.store.write() as state:
        add = connectors.add if call.entity == "connector" else datasets.add
        return {"id": add(state, call.app_id, fields)}


def _update(call: Call) -> bool:
    number = identifier(call.parameters)
    with call.portal.store.read() as state:
        fields = entity_fields(call.parameters, call.schema_of(state), adding=False)
    if call.entity == "source":
        sources.update(call.portal, call.app_id, number, fields)
        return True
    with call.portal.store.write() as state:
        update = connectors.update if call.entity == "connector" else datasets.update
        update(state, call.app_id, number, fields)
    return True


def _delete(call: Call) -> bool:
    number = identifier(call.parameters)
    delete = {"connector": connectors.delete, "source": sources.delete, "dataset": datasets.delete}
    with call.portal.store.write() as state:
        delete[call.entity](state, call.app_id, number)
    return True


def _get(call: Call) -> dict[str, Any]:
    number = identifier(call.parameters)
    with call.portal.store.read() as state:
        if call.entity == "connector":
            connector = connectors.owned(state, call.app_id, number)
            return {"item": connectors.row(connector, old=state.portal == "old")}
        if call.entity == "source":
            return {"item": sources.item(state, sources.owned(state, call.app_id, number))}
        return {"item": datasets.item(datasets.owned(state, call.app_id, number))}


def _list(call: Call) -> list[dict[str, Any]]:
    with call.portal.store.read() as state:
        return listing(_rows(state, call), call.parameters, call.schema_of(state))


def _rows(state: State, call: Call) -> list[dict[str, Any]]:
    mine = {item.id for item in state.connectors.values() if item.app_id == call.app_id}
    if call.entity == "connector":
        old = state.portal == "old"
        return [connectors.row(state.connectors[number], old=old) for number in sorted(mine)]
    owned = [source for source in state.sources.values() if source.connector_id in mine]
    if call.entity == "source":
        return [sources.row(state, source) for source in owned]
    numbers = {source.id for source in owned}
    return [datasets.row(item) for item in state.datasets.values() if item.source_id in numbers]


def _fields_update(call: Call) -> bool:
    number = identifier(call.parameters)
    with call.portal.store.write() as state:
        datasets.fields_update(state, call.app_id, number, call.parameters)
    return True


_VERB_FUNCTIONS: dict[str, Callable[[Call], Any]] = {
    "add": _add,
    "update": _update,
    "delete": _delete,
    "get": _get,
    "list": _list,
    "fields.update": _fields_update,
}
