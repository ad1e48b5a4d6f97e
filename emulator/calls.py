"""The four calls of a connection, with the portal's own checks of the answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from emulator import outgoing
from emulator.outgoing import Caller, UnavailableError
from emulator.php import is_array, is_empty, items
from emulator.storage import Connector

OLD_TYPES = ("int", "string", "double", "date", "datetime")
NEW_TYPES = (*OLD_TYPES, "money", "timezone")
PREVIEW_ROWS = 20


class AnswerError(Exception):
    """The connector answered 200, but the portal cannot use what it said."""


@dataclass(frozen=True)
class Table:
    """An entry of the table list; `id` is what the dataset will know the table by."""

    id: str
    code: str
    title: str


@dataclass(frozen=True)
class Column:
    """An entry of the table description."""

    code: str
    name: str
    type: str


@dataclass(frozen=True)
class Connection:
    """A connector, the settings filled in, and the way to call out."""

    connector: Connector
    settings: dict[str, Any]
    caller: Caller


def check(connection: Connection) -> None:
    """Ask whether the settings are good: any answer that counts means yes."""
    outgoing.call(
        connection.caller,
        "check",
        connection.connector.url_check,
        {"connection": connection.settings},
    )


def table_list(connection: Connection, search: str | None = None) -> list[Table]:
    """Ask for the tables. One entry without a code or a title spoils the list."""
    answer = outgoing.call(
        connection.caller,
        "table_list",
        connection.connector.url_table_list,
        {"searchString": search, "connection": connection.settings},
    )
    decoded = _decode(answer)
    if not is_array(decoded):
        raise AnswerError("The table list is not an array.")
    tables = []
    for _, entry in items(decoded):
        if not isinstance(entry, dict) or any(is_empty(entry.get(k)) for k in ("code", "title")):
            raise AnswerError("An entry of the table list has no code or no title.")
        code = str(entry["code"])
        external = entry.get("id")
        tables.append(Table(code if external is None else str(external), code, str(entry["title"])))
    return tables


def table_description(connection: Connection, table: str, types: tuple[str, ...]) -> list[Column]:
    """Ask for the columns; at least one, and an unknown type is read as `string`."""
    answer = outgoing.call(
        connection.caller,
        "table_description",
        connection.connector.url_table_description,
        {"table": table, "connection": connection.settings},
    )
    decoded = _decode(answer)
    if not is_array(decoded) or not decoded:
        raise AnswerError("The table description has no columns.")
    columns = []
    for _, entry in items(decoded):
        if not isinstance(entry, dict) or any(
            is_empty(entry.get(key)) for key in ("code", "name", "type")
        ):
            raise AnswerError("A column of the description has no code, no name or no type.")
        kind = str(entry["type"]).lower()
        columns.append(
            Column(str(entry["code"]), str(entry["name"]), kind if kind in types else "string")
        )
    return columns


def preview(connection: Connection, table: str, map_fields: dict[str, str]) -> list[dict[str, Any]]:
    """Ask for the first rows without `select`, and pair each with the header.

    Bitrix24 REST: a row of another width than the header is a fatal error of the portal's page.
    """
    answer = outgoing.call(
        connection.caller,
        "data",
        connection.connector.url_data,
        {
            "limit": PREVIEW_ROWS,
            "connection": connection.settings,
            "table": table,
            "mapFields": map_fields,
        },
    )
    rows = _decode(answer)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        raise AnswerError("The data are not an array of arrays with a header.")
    head, *body = rows
    paired = []
    for row in body[:PREVIEW_ROWS]:
        if len(row) != len(head):
            raise AnswerError(f"A row has {len(row)} values, the header has {len(head)}.")
        paired.append(dict(zip([str(code) for code in head], row, strict=True)))
    return paired


def data(
    connection: Connection, table: str, query: dict[str, Any], map_fields: dict[str, str]
) -> Iterator[bytes]:
    """Ask for rows as the BI engine does; the body is passed on unread."""
    known: dict[str, Any] = {
        key: query[key] for key in ("select", "filter", "limit") if key in query
    }
    return outgoing.stream(
        connection.caller,
        "data",
        connection.connector.url_data,
        {**known, "connection": connection.settings, "table": table, "mapFields": map_fields},
    )


def _decode(answer: bytes) -> Any:
    """Read JSON as strictly as `json_decode()`: no NaN, no byte order mark, no half a character."""
    try:
        return orjson.loads(answer)
    except ValueError as error:
        raise AnswerError("The answer is not JSON.") from error


__all__ = [
    "NEW_TYPES",
    "OLD_TYPES",
    "AnswerError",
    "Column",
    "Connection",
    "Table",
    "UnavailableError",
    "check",
    "data",
    "preview",
    "table_description",
    "table_list",
]
