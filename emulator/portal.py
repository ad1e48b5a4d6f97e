"""The portal as one thing: options, memory, log and faults."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import current_app, request

from emulator.calls import NEW_TYPES, OLD_TYPES, Connection
from emulator.faults import Faults
from emulator.options import Options
from emulator.outgoing import Caller
from emulator.storage import Connector, Dataset, State, Store
from emulator.wire_log import WireLog


@dataclass(frozen=True)
class Portal:
    """What the parts of the emulator share."""

    options: Options
    store: Store
    log: WireLog
    faults: Faults

    def caller(self) -> Caller:
        """Return the portal's way to call out, under the present rule about private addresses."""
        with self.store.read() as state:
            return Caller(self.options.limits, state.allow_private, self.log)

    def trusted_caller(self) -> Caller:
        """Return the way to the application itself, which may live anywhere in a demonstration."""
        return Caller(self.options.limits, allow_private=True, log=self.log)

    def connection(self, source_id: int) -> Connection:
        """Return the connection of a source, ready to be called."""
        with self.store.read() as state:
            source = state.sources[source_id]
            connector = state.connectors[source.connector_id]
            return Connection(connector, dict(source.settings), self.caller())

    def trial(self, connector: Connector, settings: dict[str, str]) -> Connection:
        """Return a connection that is not saved yet."""
        return Connection(connector, settings, self.caller())

    def is_old(self) -> bool:
        """Tell whether the portal behaves like one before mapping and `table.*`."""
        with self.store.read() as state:
            return state.portal == "old"

    def base_url(self) -> str:
        """Return the address of this portal, without a slash at the end."""
        return (self.options.public_url or request.host_url).rstrip("/")


def build(options: Options) -> Portal:
    """Put a portal together, with the memory of an earlier run if there is a file."""

    def fresh() -> State:
        return State(
            portal=options.portal,
            language=options.language,
            site_format=options.site_format,
            allow_private=options.allow_private,
            member_id=secrets.token_hex(16),
        )

    store = Store(options.state_file, fresh)

    def secret_values() -> list[str]:
        with store.read() as state:
            return state.secrets()

    return Portal(options, store, WireLog(secret_values), Faults())


def the_portal() -> Portal:
    """Return the portal of the running request."""
    portal: Portal = current_app.extensions["portal"]
    return portal


def field_types(state: State) -> tuple[str, ...]:
    """Return the field types that the portal knows."""
    return OLD_TYPES if state.portal == "old" else NEW_TYPES


def map_fields(state: State, table: str) -> dict[str, str]:
    """Field codes with their dataset names, over all datasets made of this table.

    Bitrix24 REST: only new portals send the mapping.
    """
    if state.portal == "old":
        return {}
    return {
        column.external_code: column.name
        for dataset in state.datasets.values()
        if dataset.external_code == table
        for column in dataset.fields
    }


def visible_types(dataset: Dataset) -> dict[str, str]:
    """Return the fields a report can use, by name, with their types."""
    return {column.name: column.type for column in dataset.fields if column.visible}
