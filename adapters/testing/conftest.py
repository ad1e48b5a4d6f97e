"""What the tests of the suite share: the adapter, the table, and ways to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from adapters.base import Adapter, Cancellation, Expression, Field, Options, Query, Table
from adapters.errors import BadAddress
from adapters.evaluate import Shown, read_json
from adapters.pushdown import EVERYTHING
from adapters.registry import UnknownScheme, open_adapter
from adapters.testing.data import COLUMNS


@dataclass(repr=False)
class Loaded:
    """The table with the suite's data, as one adapter shows it."""

    adapter: Adapter
    table: Table
    fields: dict[str, Field]
    columns: Sequence[str]

    @cached_property
    def shown(self) -> dict[Shown, dict[str, Shown]]:
        """The whole table by the ids of its rows."""
        return {
            row[0]: dict(zip(self.columns, row, strict=True)) for row in self.read(self.columns)
        }

    def query(
        self, names: Sequence[str], where: Expression = EVERYTHING, limit: int | None = None
    ) -> Query:
        """A query for some of the columns."""
        return Query(self.table, tuple(self.fields[name] for name in names), where, limit)

    def read(
        self, names: Sequence[str], where: Expression = EVERYTHING, limit: int | None = None
    ) -> list[list[Shown]]:
        """The rows of a query as a portal is shown them."""
        query = self.query(names, where, limit)
        batches = [batch.json for batch in self.adapter.json_rows(query, Cancellation())]
        rows: list[list[Shown]] = read_json(b"[%s]" % b",".join(batches))
        return rows


Open = Callable[[str], Loaded]


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Called by pytest."""
    url = config.getoption("adapter_url")
    if not url:
        raise pytest.UsageError("say which source to test: --adapter-url scheme://…")
    _refuse_address("--adapter-url", url)
    for wrong in config.getoption("adapter_wrong_url"):
        _refuse_address("--adapter-wrong-url", wrong)
    can_be_left_out = [name for name in COLUMNS if name != "id"]
    for name in _without(config):
        if name not in can_be_left_out:
            raise pytest.UsageError(
                f"--adapter-without names {name}: it takes some of {','.join(can_be_left_out)}"
            )
    if (examples := config.getoption("adapter_examples")) < 1:
        raise pytest.UsageError(f"--adapter-examples is {examples}: it takes 1 or more")


def _refuse_address(option: str, url: str) -> None:
    """Of an address that no adapter takes; what else goes wrong is for the tests to show."""
    try:
        open_adapter(url, Options()).close()
    except UnknownScheme as error:
        raise pytest.UsageError(f"{option}: {error}") from None
    except BadAddress as error:
        raise pytest.UsageError(f"{option} {error}") from None
    except Exception:
        return


def _without(config: pytest.Config) -> set[str]:
    return {name.strip() for name in config.getoption("adapter_without").split(",")} - {""}


@pytest.fixture(scope="session")
def url(pytestconfig: pytest.Config) -> str:
    """The source under test."""
    return str(pytestconfig.getoption("adapter_url"))


@pytest.fixture(scope="session")
def columns(pytestconfig: pytest.Config) -> list[str]:
    """The columns that the source has."""
    without = _without(pytestconfig)
    return [name for name in COLUMNS if name not in without]


@pytest.fixture(scope="session")
def opened(url: str, columns: list[str], pytestconfig: pytest.Config) -> Iterator[Open]:
    """Opens the table in a time zone; an adapter for each is kept open."""
    known: dict[str, Loaded] = {}

    def open_in(zone: str) -> Loaded:
        if zone not in known:
            options = Options(timezone=ZoneInfo(zone), timeout=timedelta(seconds=60))
            known[zone] = load(open_adapter(url, options), columns, pytestconfig)
        return known[zone]

    yield open_in
    for loaded in known.values():
        loaded.adapter.close()


def load(adapter: Adapter, columns: Sequence[str], config: pytest.Config) -> Loaded:
    """Find the table and its columns, or say what is missing."""
    name = config.getoption("adapter_table")
    tables = adapter.tables()
    found = [table for table in tables if table.name == name]
    assert found, (
        f"tables() lists no {name}{_alike(name, tables)}: load what `python -m adapters.testing` "
        "prints into a table of that name, or say which one holds it with --adapter-table"
    )
    table = next((table for table in found if table.default), found[0])
    fields = {field.name: field for field in adapter.describe(table)}
    missing = [column for column in columns if column not in fields]
    assert not missing, (
        f"describe() has no {missing} in {name}, only {list(fields)}: load all columns under their "
        "names, or leave those out that the source has no type for with --adapter-without"
    )
    return Loaded(adapter, table, fields, columns)


def _alike(name: str, tables: Sequence[Table]) -> str:
    found = get_close_matches(name, {table.name for table in tables})
    return f", but {' and '.join(found)}" if found else ""


@pytest.fixture(scope="session")
def loaded(opened: Open) -> Loaded:
    """The table in UTC, which is how it was loaded."""
    return opened("UTC")


@pytest.fixture(scope="session")
def secrets(url: str) -> list[str]:
    """What of the URL may never be shown: the password, or a token in its place."""
    parts = urlsplit(url)
    secret = parts.password or (None if parts.password is not None else parts.username)
    return [secret] if secret and len(secret) > 3 else []


def values(adapter: Adapter, query: Query) -> list[Any]:
    """The rows as the adapter gives them, without their batches."""
    return [row for batch in adapter.rows(query, Cancellation()) for row in batch]
