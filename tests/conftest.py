"""Fixtures that several layers of tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.registry import adapter_class
from tests.engines import (
    ENGINES,
    Engine,
    clickhouse_engine,
    clickhouse_server,
    duckdb_engine,
    mysql_engine,
    mysql_server,
    postgresql_engine,
    postgresql_server,
    require_mysqlclient,
    sqlite_engine,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test marked ``needs(Capability…)`` has to fail on an engine that declares the lack.

    One marked ``engines(…)`` is about these alone.
    """
    items[:] = [
        item
        for item in items
        if (only := item.get_closest_marker("engines")) is None
        or (engine := _engine_of(item)) is None
        or engine in only.args
    ]
    for item in items:
        engine = _engine_of(item)
        scheme = "mysql" if engine == "mysqlclient" else engine
        for marker in item.iter_markers("needs"):
            (capability,) = marker.args
            if scheme and (why := adapter_class(f"{scheme}://").lacks.get(capability)):
                item.add_marker(pytest.mark.xfail(strict=True, reason=f"{capability}: {why}"))


def _engine_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec and callspec.params.get("engine")


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, str]]:
    """Addresses of the servers that some test has asked for; all stop with the session."""
    with tempfile.TemporaryDirectory(prefix="b24-") as directory, ExitStack() as stack:
        yield _Servers(Path(directory), stack)


class _Servers(dict[str, str]):
    """Starts a server when it is first needed."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        super().__init__()
        self._directory = directory
        self._stack = stack

    def __missing__(self, name: str) -> str:
        start = {
            "clickhouse": clickhouse_server,
            "mysql": mysql_server,
            "postgresql": postgresql_server,
        }[name]
        self[name] = self._stack.enter_context(start(self._directory))
        return self[name]


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest,
    servers: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    """An empty database of each engine, for one module."""
    database = "test_" + request.module.__name__.rpartition(".")[2].removeprefix("test_")
    match request.param:
        case "sqlite":
            opened = sqlite_engine(tmp_path_factory.mktemp("sqlite"))
        case "postgresql":
            opened = postgresql_engine(servers["postgresql"], database)
        case "duckdb":
            opened = duckdb_engine(tmp_path_factory.mktemp("duckdb"))
        case "mysql":
            opened = mysql_engine(servers["mysql"], database)
        case "clickhouse":
            opened = clickhouse_engine(servers["clickhouse"], database)
        case "mysqlclient":
            require_mysqlclient()
            opened = mysql_engine(servers["mysql"], database, scheme="mysql+mysqldb")
    with opened as ready:
        yield ready
