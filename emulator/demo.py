"""Sets a scene over HTTP, as an administrator and an analyst would do it by hand.

Doing it again changes nothing: what is there already is left as it is.
"""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

_PATIENCE = 0.3


class DemoError(Exception):
    """The scene could not be set."""


@dataclass(frozen=True)
class Scene:
    """A connection and a dataset of one of its tables."""

    table: str
    connector: str = ""
    title: str = "Demo"
    settings: dict[str, str] = field(default_factory=dict)


def install(
    address: str, application: dict[str, str], *, wait: float = 60, again: bool = False
) -> None:
    """Declare the application and go through its installation, waiting for it to come up."""
    url = application["install_url"] or application["event_url"]
    _wait_for(url, wait)
    known = {item["client_id"]: item for item in _ask(address, "/emulator/state")["applications"]}
    declared = _ask(address, "/emulator/applications", application)
    before = known.get(declared["client_id"])
    done = before is not None and before["installed"] and _connectors(address)
    if again or not done:
        _ask(address, f"/emulator/applications/{declared['client_id']}/install", {})


def prepare(address: str, scene: Scene) -> int:
    """Make the connection and the dataset, and return the dataset's number."""
    connector = _choose(_connectors(address), scene.connector)
    sources = _ask(address, "/workspace/sources")
    source = next((item["id"] for item in sources if item["title"] == scene.title), None)
    if source is None:
        made = {
            "connectorId": connector["id"],
            "title": scene.title,
            "settings": scene.settings,
        }
        source = _ask(address, "/workspace/sources", made)["id"]
    tables = _ask(address, f"/workspace/sources/{source}/tables")
    table = next((item for item in tables if scene.table in (item["code"], item["title"])), None)
    if table is None:
        raise DemoError(f"The connector lists no table {scene.table!r}.")
    for dataset in _ask(address, "/workspace/datasets"):
        if dataset["sourceId"] == source and dataset["externalCode"] == table["id"]:
            return int(dataset["id"])
    described = _ask(address, f"/workspace/sources/{source}/description?table={_q(table['id'])}")
    made = {
        "sourceId": source,
        "externalCode": table["id"],
        "externalName": table["title"],
        "name": described["name"],
        "fields": described["columns"],
    }
    return int(_ask(address, "/workspace/datasets", made)["id"])


def _q(text: str) -> str:
    return quote(text, safe="")


def _connectors(address: str) -> list[dict[str, Any]]:
    return list(_ask(address, "/workspace/connectors"))


def _choose(connectors: list[dict[str, Any]], title: str) -> dict[str, Any]:
    for connector in connectors:
        if not title or connector["title"] == title:
            return connector
    raise DemoError(f"There is no connector {title!r}." if title else "There is no connector.")


def _wait_for(url: str, patience: float) -> None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    end = time.monotonic() + patience
    while True:
        connection = http.client.HTTPConnection(parts.hostname or "", port, timeout=5)
        try:
            connection.connect()
        except OSError as error:
            if time.monotonic() > end:
                raise DemoError(f"Nothing answers at {parts.netloc}: {error}.") from error
            time.sleep(_PATIENCE)
        else:
            return
        finally:
            connection.close()


def _ask(address: str, path: str, value: Any = None) -> Any:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=400)
    try:
        if value is None:
            connection.request("GET", path)
        else:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(value), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if response.status >= 400:
        raise DemoError(f"{path}: {answer.get('error', response.status)}")
    return answer
