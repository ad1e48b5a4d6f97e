"""The configured databases as a portal sees them: tables and fields by their codes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar

from adapters.base import Adapter, Field, Options, Table
from adapters.errors import AdapterError, QueryFailed
from adapters.registry import open_adapter
from app import config
from app.guard import Guard
from app.wire.codes import field_code, table_code

T = TypeVar("T")


class Place(NamedTuple):
    """What shares its limits: a configured source, or a host behind a direct connector.

    With ``client`` it is the share that one client address may have of it.
    """

    source: str
    host: str = ""
    client: str | None = None


# Entered while a place is asked anything; may refuse.
Visiting = Callable[[Place], AbstractContextManager[None]]


def unlimited(_: Place) -> AbstractContextManager[None]:
    """For whoever has one question and a process of his own."""
    return nullcontext()


@dataclass(frozen=True)
class PublishedTable:
    """A table under its code; the title is a text for people, never empty."""

    code: str
    title: str
    table: Table


class Source:
    """One database, its schema remembered for a while."""

    def __init__(
        self,
        settings: config.Source,
        adapter: Adapter | None = None,
        *,
        host: str = "",
        visiting: Visiting = unlimited,
    ) -> None:
        """Without ``adapter`` the database is the one that ``settings.url`` names.

        ``visiting`` is entered while the database is asked anything here.
        """
        self.settings = settings
        self.place = Place(settings.name, host)
        self._visit = partial(visiting, self.place)
        opened = adapter or open_adapter(settings.url, options(settings))
        self.adapter = Guard(opened, options(settings))
        self.digests = tuple(digest(token) for token in settings.tokens)
        ttl = settings.schema_ttl.total_seconds()
        self._tables: _Remembered[Mapping[str, PublishedTable]] = _Remembered(ttl, self._visit)
        self._fields: dict[str, _Remembered[Mapping[str, Field]]] = {}

    def check(self) -> None:
        """Return if the database answers; raises :class:`adapters.errors.AdapterError`."""
        with self._visit():
            self.adapter.check()

    def tables(self, *, fresh: bool = False) -> Mapping[str, PublishedTable]:
        """The published tables by code; with ``fresh`` as they are now.

        Raises :class:`adapters.errors.AdapterError`.
        """
        return self._tables.get(self._read_tables, fresh=fresh)

    def fields(self, table: PublishedTable, *, fresh: bool = False) -> Mapping[str, Field]:
        """The visible fields of a table by code, in the table's order.

        Raises :class:`adapters.errors.AdapterError`.
        """
        ttl = self.settings.schema_ttl.total_seconds()
        remembered = self._fields.setdefault(table.code, _Remembered(ttl, self._visit))
        return remembered.get(lambda: self._read_fields(table.table), fresh=fresh)

    def chosen(self) -> Mapping[str, Table]:
        """What ``tables`` and ``queries`` publish by code, as it is now and with nothing hidden.

        Raises :class:`adapters.errors.AdapterError`.
        """
        patterns = self.settings.tables
        found = [
            table
            for table in self.adapter.tables()
            if (any(selects(pattern, table) for pattern in patterns) if patterns else table.default)
        ]
        # A query of the configuration takes the place of a table with its name.
        return by_code((_code(t), t) for t in found) | {_code(t): t for t in self.settings.queries}

    def _read_tables(self) -> Mapping[str, PublishedTable]:
        found = {
            code: PublishedTable(code, _title(table, code), table)
            for code, table in self.chosen().items()
            if not hides_whole(self.settings.hide, table)
        }
        for code in list(self._fields):
            if code not in found:  # where tables come and go, there is no end of them
                self._fields.pop(code, None)
        return found

    def _read_fields(self, table: Table) -> Mapping[str, Field]:
        sensitive = self.adapter.case_sensitive_names
        return by_code(
            (field_code(field.name, case_sensitive=sensitive), field)
            for field in self.adapter.describe(table)
            if not hides(self.settings.hide, table, field)
        )


def selects(pattern: str, table: Table) -> bool:
    """Whether a pattern of ``tables`` means the table; without a dot, the default schema only."""
    return (table.default and fnmatchcase(table.name, pattern)) or (
        "." in pattern and fnmatchcase(f"{table.schema}.{table.name}", pattern)
    )


def hides(patterns: Iterable[str], table: Table, field: Field) -> bool:
    """Whether one of the patterns of ``hide`` means the field."""
    return matches((f"{name}.{field.name}" for name in names(table)), patterns)


def hides_whole(patterns: Iterable[str], table: Table) -> bool:
    """Whether one of the patterns of ``hide`` means every field, whatever the fields are."""
    return matches(names(table), [pattern[:-2] for pattern in patterns if pattern.endswith(".*")])


def names(table: Table) -> list[str]:
    """What patterns call a table: with its schema, and without if that is the default one."""
    return [f"{table.schema}.{table.name}", *([table.name] if table.default else [])]


def matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """In any letter case: hiding too much is noticed, hiding too little is not."""
    folded = [pattern.casefold() for pattern in patterns]
    return any(fnmatchcase(name.casefold(), pattern) for name in names for pattern in folded)


def by_code(named: Iterable[tuple[str, T]]) -> dict[str, T]:
    """A mapping in which nothing is lost; raises QueryFailed if two things have one code."""
    found: dict[str, T] = {}
    for code, thing in named:
        if code in found:
            raise QueryFailed(f"two names are both {code} to a portal")
        found[code] = thing
    return found


def options(settings: config.Source) -> Options:
    """What the configuration says to the adapter of a source."""
    return Options(timezone=settings.timezone, timeout=settings.timeout)


def digest(token: str) -> str:
    """A token, plain or as its ``sha256:…``, as the hexadecimal digest to compare with."""
    if token.startswith("sha256:"):
        return token.removeprefix("sha256:")
    return sha256(token.encode()).hexdigest()


def _code(table: Table) -> str:
    return table_code(table.name, None if table.default else table.schema)


def _title(table: Table, code: str) -> str:
    name = table.name if table.default else f"{table.schema}.{table.name}"
    return title(table.comment, name, code)


def title(*texts: str) -> str:
    """The first that a portal can show: PHP calls "0" empty, and one empty title spoils a list."""
    shown = (" ".join(text.split()) for text in texts)
    return next(text for text in shown if text not in ("", "0"))


class _Remembered(Generic[T]):
    """A value that is read again once it is older than ``ttl`` seconds.

    Whoever waited for a reading that failed gets the failure too: if all of them tried again, one
    after the other, the last would wait for a silent database as often as there are others.
    """

    def __init__(self, ttl: float, visit: Callable[[], AbstractContextManager[None]]) -> None:
        self._ttl = ttl
        self._visit = visit
        self._lock = threading.Lock()
        self._found: tuple[float, T] | None = None
        self._failed: tuple[float, type[AdapterError], tuple[Any, ...]] | None = None

    def get(self, read: Callable[[], T], *, fresh: bool) -> T:
        asked = time.monotonic()
        oldest = asked if fresh else asked - self._ttl
        # Without the lock: what is remembered has not to wait for a reading that hangs.
        found = self._found
        if found is not None and found[0] >= oldest:
            return found[1]
        with self._visit(), self._lock:
            if self._found is None or self._found[0] < oldest:
                if self._failed is not None and self._failed[0] > asked:
                    kind, reasons = self._failed[1:]
                    raise kind(*reasons)
                # The time before reading: what changes meanwhile is not yet seen.
                started = time.monotonic()
                try:
                    self._found = (started, read())
                except AdapterError as error:
                    self._failed = (time.monotonic(), type(error), error.args)
                    raise
            return self._found[1]
