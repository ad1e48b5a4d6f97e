"""What the portal remembers, kept in one file."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from emulator.masking import is_secret

Record = TypeVar("Record")
USER_ID = 1


def now() -> str:
    """Return the current moment as the portal's REST answers write it."""
    return datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Application:
    """A local application: credentials, addresses, and what its installation gave it."""

    client_id: str
    client_secret: str
    title: str = ""
    install_url: str = ""
    event_url: str = ""
    application_token: str = ""
    member_id: str = ""
    scope: str = "biconnector"
    installed: bool = False
    events: dict[str, str] = field(default_factory=dict)


@dataclass
class Grant:
    """One pair of tokens. A refresh token is good for one use, an access token until it expires."""

    client_id: str
    access_token: str
    refresh_token: str
    expires: float
    refresh_expires: float
    refresh_used: bool = False


@dataclass
class Connector:
    """A tile of the analyst workspace: four addresses and the settings a user has to fill in."""

    id: int
    app_id: str
    title: str
    logo: str
    url_check: str
    url_table_list: str
    url_table_description: str
    url_data: str
    settings: list[dict[str, str]]
    description: str | None = None
    sort: int = 100
    support_mapping: bool = False
    source_code: str | None = None
    date_create: str = field(default_factory=now)


@dataclass
class Source:
    """A connection: a connector with its settings filled in."""

    id: int
    connector_id: int
    title: str
    settings: dict[str, str]
    description: str | None = None
    active: bool = True
    date_create: str = field(default_factory=now)
    date_update: str = field(default_factory=now)


@dataclass
class DatasetField:
    """A column of a dataset: the name that reports use and the code that the connector gave it."""

    id: int
    name: str
    external_code: str
    type: str
    visible: bool = True


@dataclass
class Dataset:
    """A table of a source under a name of its own."""

    id: int
    source_id: int
    name: str
    external_name: str
    external_code: str
    fields: list[DatasetField]
    description: str | None = None
    date_create: str = field(default_factory=now)
    date_update: str | None = None


@dataclass
class State:
    """Everything that survives a restart."""

    portal: str = "new"
    language: str = "en"
    site_format: str = "en"
    allow_private: bool = True
    user_has_access: bool = True
    member_id: str = ""
    sequence: dict[str, int] = field(default_factory=dict)
    webhooks: dict[str, str] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    connectors: dict[int, Connector] = field(default_factory=dict)
    sources: dict[int, Source] = field(default_factory=dict)
    datasets: dict[int, Dataset] = field(default_factory=dict)

    def next_id(self, kind: str) -> int:
        """Count up; identifiers of deleted things are not given out again."""
        self.sequence[kind] = self.sequence.get(kind, 0) + 1
        return self.sequence[kind]

    def secrets(self) -> list[str]:
        """All values that must not be shown, the longest first."""
        values = [
            value for grant in self.grants for value in (grant.access_token, grant.refresh_token)
        ]
        for application in self.applications.values():
            values += [application.client_secret, application.application_token]
        for source in self.sources.values():
            values += [value for code, value in source.settings.items() if is_secret(code)]
        values += self.webhooks
        return sorted({value for value in values if len(value) > 3}, key=len, reverse=True)


class Store:
    """The state behind a lock, written to its file after every change."""

    def __init__(self, file: Path | None, defaults: Callable[[], State]) -> None:
        self._file = file
        self._lock = threading.RLock()
        self._defaults = defaults
        self._state = defaults()
        if file is not None and file.exists():
            self._state = _load(json.loads(file.read_text(encoding="utf-8")))

    @contextlib.contextmanager
    def read(self) -> Iterator[State]:
        """Hold the state still while it is looked at."""
        with self._lock:
            yield self._state

    @contextlib.contextmanager
    def write(self) -> Iterator[State]:
        """Hold the state while it is changed, then save it; a failed change is not saved."""
        with self._lock:
            yield self._state
            self._save()

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._state = self._defaults()
            self._save()

    def _save(self) -> None:
        if self._file is None:
            return
        # The file holds tokens: nobody else may read it, and a crash must not leave half of it.
        part = self._file.with_name(self._file.name + ".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(asdict(self._state), stream, ensure_ascii=False, indent=1)
        part.replace(self._file)


def _load(raw: dict[str, Any]) -> State:
    raw = {entry.name: raw[entry.name] for entry in fields(State) if entry.name in raw}
    state = State(**raw)
    state.applications = {key: Application(**item) for key, item in raw["applications"].items()}
    state.grants = [Grant(**item) for item in raw["grants"]]
    state.connectors = _numbered(raw["connectors"], Connector)
    state.sources = _numbered(raw["sources"], Source)
    state.datasets = _numbered(raw["datasets"], Dataset)
    for dataset in state.datasets.values():
        columns: list[Any] = list(dataset.fields)
        dataset.fields = [DatasetField(**column) for column in columns]
    return state


def _numbered(raw: dict[str, Any], kind: Callable[..., Record]) -> dict[int, Record]:
    return {int(key): kind(**item) for key, item in raw.items()}
