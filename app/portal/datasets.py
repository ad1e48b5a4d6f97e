"""Datasets made of our own tables: their fields, and what has to change when columns change.

The fields come from our own description and not from the portal, which asks for none when a
dataset is made (Bitrix24 REST: ``dataset.add`` calls nothing). Codes serve as names: portals
without a mapping need them equal, and our codes are made to be valid names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.base import Field
from app.config import Config
from app.direct.door import Door
from app.endpoints.access import Access, grant
from app.errors import ApiError
from app.portal import methods
from app.portal.errors import NotFound
from app.portal.methods import Entity
from app.portal.register import named
from app.portal.rest import Client
from app.sources import Source


@dataclass(frozen=True)
class Described:
    """One of our tables as a portal sees it: the code in the table list, the title, the fields."""

    code: str
    title: str
    fields: Mapping[str, Field]


@dataclass(frozen=True)
class Changes:
    """What makes the fields of a dataset those of its table.

    ``retyped`` names fields whose type changed; the portal cannot change it, so they are only told.
    """

    added: Sequence[dict[str, str]] = ()
    deleted: Mapping[str, int] = field(default_factory=dict)
    retyped: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.deleted)


def connector_of(client: Client, config: Config, source_id: int) -> tuple[str, dict[str, str]]:
    """The connector of the configuration behind a source of the portal, and its known settings.

    Raises PortalError; NotFound if the connector is none of ours.
    """
    source = methods.get(client, Entity.SOURCE, source_id)
    number = methods.whole(source, "connectorId")
    item = methods.get(client, Entity.CONNECTOR, number)
    name = named(config, item)
    if name is None:
        raise NotFound(
            "FOREIGN_CONNECTOR",
            f"Source {source_id} belongs to connector {number}, which is not in the configuration.",
        )
    return name, _values(source.get("settings"))


def _values(settings: Any) -> dict[str, str]:
    """The settings as code and value; a portal may send a list or a map, and may hide values."""
    if isinstance(settings, Mapping):
        settings = [
            item if isinstance(item, Mapping) else {"code": key, "value": item}
            for key, item in settings.items()
        ]
    return {
        str(item["code"]): str(item["value"])
        for item in settings or []
        if isinstance(item, Mapping) and item.get("code") and item.get("value")
    }


def opened(
    config: Config, connector: str, sources: Mapping[str, Source], settings: Mapping[str, str]
) -> Access:
    """What the settings of a connection open here.

    Raises ApiError INVALID_TOKEN, and CANNOT_CONNECT for a direct connector.
    """
    found = config.connectors[connector]
    if found.direct is not None:
        return Access([Door().open(found.direct, dict(settings)).source])
    return grant(found, sources, dict(settings))


def described(access: Access, table: str) -> Described:
    """Raises ApiError UNKNOWN_TABLE and :class:`adapters.errors.AdapterError`."""
    source, found = access.find(table, fresh=True)
    fields = source.fields(found, fresh=True)
    if not fields:
        raise ApiError("UNKNOWN_TABLE", f"Table {table} has no field to show.")
    return Described(access.code(source, found), found.title, fields)


def dataset_fields(
    source_id: int, table: Described, name: str, only: Iterable[str]
) -> dict[str, Any]:
    """What ``dataset.add`` and ``table.add`` take; ``only`` names fields, none means all.

    Raises ApiError UNKNOWN_FIELD.
    """
    wanted = [code.upper() for code in only] or list(table.fields)
    for code in wanted:
        if code not in table.fields:
            choices = ", ".join(table.fields)
            raise ApiError("UNKNOWN_FIELD", f"Table {table.code} has no field {code}: {choices}.")
    return {
        "sourceId": source_id,
        "name": name or table.code,
        "externalCode": table.code,
        "externalName": table.title,
        "fields": [_field(code, table.fields[code]) for code in wanted],
    }


def changes(dataset: Mapping[str, Any], table: Described) -> Changes:
    """What differs between the fields of ``dataset`` and those of the table, by code.

    A field that was renamed or hidden in the portal keeps its name and stays hidden.
    """
    present = {str(item.get("externalCode")): item for item in dataset.get("fields") or []}
    return Changes(
        added=[_field(code, about) for code, about in table.fields.items() if code not in present],
        deleted={
            str(item.get("name")): methods.whole(item, "id")
            for code, item in present.items()
            if code not in table.fields
        },
        retyped=[
            f"{code}: {present[code].get('type')}, now {about.type}"
            for code, about in table.fields.items()
            if code in present and present[code].get("type") != about.type
        ],
    )


def apply(client: Client, dataset_id: int, wanted: Changes) -> None:
    """Send the changes, if there are any; raises PortalError."""
    if wanted:
        methods.update_fields(
            client,
            Entity.DATASET,
            dataset_id,
            add=wanted.added,
            delete=list(wanted.deleted.values()),
        )


def _field(code: str, about: Field) -> dict[str, str]:
    return {"name": code, "externalCode": code, "type": str(about.type)}
