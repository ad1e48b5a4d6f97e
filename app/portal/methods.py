"""The 26 methods of ``biconnector.*`` as functions (Bitrix24 REST: biconnector).

``connector``, ``source`` and ``dataset`` have ``add update get list delete fields``, the last also
``fields.update``; new portals have the same for ``table``. Each function raises
:class:`~app.portal.errors.PortalError`, and ``Nonsense`` if the answer has not the method's form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from app.portal.errors import Nonsense
from app.portal.rest import Client

Fields = Mapping[str, Any]
# The portal sends so many of a list at once and gives no total.
PAGE = 50
# A portal that ignores `page` would be asked for ever.
_MOST_PAGES = 1000


class Entity(StrEnum):
    """What the methods work on."""

    CONNECTOR = "connector"
    SOURCE = "source"
    DATASET = "dataset"
    TABLE = "table"


def add(client: Client, entity: Entity, fields: Fields) -> int:
    """Make one and return its id. For a source the portal calls our check endpoint."""
    checking = entity is Entity.SOURCE
    result = client.call(f"biconnector.{entity}.add", {"fields": fields}, checking=checking)
    if not isinstance(result, dict):
        raise _nonsense(entity, "add")
    return whole(result, "id")


def update(client: Client, entity: Entity, number: int, fields: Fields) -> None:
    """Change the given fields. For a source the portal calls our check endpoint."""
    checking = entity is Entity.SOURCE
    parameters = {"id": number, "fields": fields}
    _done(client.call(f"biconnector.{entity}.update", parameters, checking=checking), entity)


def get(client: Client, entity: Entity, number: int) -> dict[str, Any]:
    """One with all its fields."""
    result = client.call(f"biconnector.{entity}.get", {"id": number})
    item = result.get("item") if isinstance(result, dict) else None
    if not isinstance(item, dict):
        raise _nonsense(entity, "get")
    return item


def listed(client: Client, entity: Entity, **conditions: Any) -> list[dict[str, Any]]:
    """All of this application, over all pages; ``filter``, ``order`` and ``select`` as given."""
    return [item for page in _pages(client, entity, conditions) for item in page]


def _pages(
    client: Client, entity: Entity, conditions: Mapping[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    seen: list[Any] = []
    for number in range(1, _MOST_PAGES + 1):
        page = client.call(f"biconnector.{entity}.list", {**conditions, "page": number})
        if not isinstance(page, list) or not all(isinstance(item, dict) for item in page):
            raise _nonsense(entity, "list")
        for item in page:
            item["id"] = whole(item, "id")
        if page and page == seen:
            return
        yield page
        if len(page) < PAGE:
            return
        seen = page


def delete(client: Client, entity: Entity, number: int) -> None:
    """Delete one; the portal refuses while something is made of it."""
    _done(client.call(f"biconnector.{entity}.delete", {"id": number}), entity)


def known_fields(client: Client, entity: Entity) -> dict[str, dict[str, Any]]:
    """The fields that this portal knows, by name; the one method that also takes a webhook."""
    result = client.call(f"biconnector.{entity}.fields")
    items = result.get("fields") if isinstance(result, dict) else None
    # PHP sends a list whose keys have gaps as an object.
    items = list(items.values()) if isinstance(items, dict) else items
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and isinstance(item.get("title"), str) for item in items
    ):
        raise _nonsense(entity, "fields")
    return {item["title"]: item for item in items}


def update_fields(
    client: Client,
    entity: Entity,
    number: int,
    *,
    add: Sequence[Fields] = (),
    update: Sequence[Fields] = (),
    delete: Sequence[int] = (),
) -> None:
    """Add fields to a dataset or table, show or hide them (``id``, ``visible``), delete them."""
    changes = {"add": list(add), "update": list(update), "delete": list(delete)}
    parameters = {"id": number} | {key: value for key, value in changes.items() if value}
    _done(client.call(f"biconnector.{entity}.fields.update", parameters), entity)


def whole(item: Mapping[str, Any], key: str) -> int:
    """A number that the portal has to send; raises Nonsense if it is not one."""
    value = item.get(key)
    if isinstance(value, bool) or not str(value).isdecimal():
        raise Nonsense("UNEXPECTED_RESULT", f"The portal sends no {key} where there has to be one")
    return int(str(value))


def _done(result: Any, entity: Entity) -> None:
    if result is not True:
        raise _nonsense(entity, "update or delete")


def _nonsense(entity: Entity, verb: str) -> Nonsense:
    return Nonsense(
        "UNEXPECTED_RESULT", f"The result of biconnector.{entity}.{verb} is not what it should be."
    )
