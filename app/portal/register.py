"""Makes the connectors of a portal those of the configuration, and says what was done.

Ours are found again by the host and the path of their check address, so that a title can change on
either side. The portal shows an application only what that application made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.config import Config
from app.portal import methods
from app.portal.methods import Entity
from app.portal.origins import place
from app.portal.rest import Client
from app.portal.tile import ENDPOINTS, addresses, endpoint, tile


class Action(StrEnum):
    """What registering does with a connector, or would do."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    MISSING = "missing"


@dataclass(frozen=True)
class Outcome:
    """One connector: its id in the portal if it is there, and the fields that were sent.

    ``twins`` are further connectors of the portal with the same addresses.
    """

    connector: str
    title: str
    action: Action
    number: int | None = None
    sent: Mapping[str, Any] = field(default_factory=dict)
    twins: tuple[int, ...] = ()


def register(
    client: Client, config: Config, *, dry_run: bool = False, moved_from: str = ""
) -> list[Outcome]:
    """Add the connectors of the configuration, or bring them up to date.

    With ``dry_run`` nothing is sent. ``moved_from`` is an earlier ``public_url``, under which ours
    are found as well. Raises :class:`~app.portal.errors.PortalError` and
    :class:`~app.portal.tile.BadTile`, the latter before anything was sent.
    """
    wanted = {name: tile(config, connector) for name, connector in config.connectors.items()}
    writable = {
        name
        for name, about in methods.known_fields(client, Entity.CONNECTOR).items()
        if not about.get("isReadOnly")
    }
    present = methods.listed(client, Entity.CONNECTOR)
    plan = []
    for name, fields in wanted.items():
        # Old portals refuse fields that they do not know.
        known = {key: value for key, value in fields.items() if key in writable}
        numbers = _ours(present, fields["urlCheck"])
        if not numbers and moved_from:
            numbers = _ours(present, endpoint(moved_from, name, "urlCheck"))
        plan.append(_planned(client, name, known, numbers))
    return plan if dry_run else [_carried_out(client, outcome) for outcome in plan]


def _planned(client: Client, name: str, fields: Mapping[str, Any], numbers: list[int]) -> Outcome:
    title = fields["title"]
    if not numbers:
        return Outcome(name, title, Action.ADDED, None, fields)
    number, *twins = numbers
    now = methods.get(client, Entity.CONNECTOR, number)
    changed = {key: value for key, value in fields.items() if not _same(now.get(key), value)}
    action = Action.UPDATED if changed else Action.UNCHANGED
    return Outcome(name, title, action, number, changed, tuple(twins))


def _carried_out(client: Client, outcome: Outcome) -> Outcome:
    number = outcome.number
    if outcome.action is Action.ADDED:
        number = methods.add(client, Entity.CONNECTOR, outcome.sent)
    elif outcome.action is Action.UPDATED and number is not None:
        methods.update(client, Entity.CONNECTOR, number, outcome.sent)
    return Outcome(
        outcome.connector, outcome.title, outcome.action, number, outcome.sent, outcome.twins
    )


def unregister(client: Client, config: Config, *, dry_run: bool = False) -> list[Outcome]:
    """Delete the connectors of the configuration, twins as well.

    Raises :class:`~app.portal.errors.InUse` at the first that still has sources.
    """
    present = methods.listed(client, Entity.CONNECTOR)
    outcomes = []
    for name, connector in config.connectors.items():
        numbers = _ours(present, addresses(config, connector)["urlCheck"])
        for number in [] if dry_run else numbers:
            methods.delete(client, Entity.CONNECTOR, number)
        action = Action.REMOVED if numbers else Action.MISSING
        first = numbers[0] if numbers else None
        outcomes.append(Outcome(name, connector.title, action, first, twins=tuple(numbers[1:])))
    return outcomes


def strangers(client: Client, config: Config) -> list[dict[str, Any]]:
    """Connectors that this application made and the configuration does not have."""
    ours = {
        place(addresses(config, connector)["urlCheck"]) for connector in config.connectors.values()
    }
    present = methods.listed(client, Entity.CONNECTOR)
    return [item for item in present if place(str(item.get("urlCheck"))) not in ours]


def named(config: Config, item: Mapping[str, Any]) -> str | None:
    """The connector of the configuration that a connector of the portal is."""
    found = (
        name
        for name, connector in config.connectors.items()
        if place(addresses(config, connector)["urlCheck"]) == place(str(item.get("urlCheck")))
    )
    return next(found, None)


def _ours(present: list[dict[str, Any]], url: str) -> list[int]:
    return sorted(item["id"] for item in present if place(str(item.get("urlCheck"))) == place(url))


def _same(now: Any, wanted: Any) -> bool:
    """Whether the portal has what is wanted; what PHP and JSON write differently is the same."""
    match wanted:
        case bool():
            return wanted == (now in (True, 1, "1", "Y", "true"))
        case int() | str():
            return ("" if now is None else str(now)) == str(wanted)
        case list():
            items = list(now.values()) if isinstance(now, dict) else now
            return (
                isinstance(items, list)
                and len(items) == len(wanted)
                and all(map(_same, items, wanted))
            )
        case Mapping():
            return isinstance(now, dict) and all(_same(now.get(k), v) for k, v in wanted.items())
        case _:
            return bool(now == wanted)


def differing(outcome: Outcome) -> Iterator[str]:
    """The fields that do not match, by the names that the configuration has for them."""
    for key in outcome.sent:
        yield "public_url" if key in ENDPOINTS else key
