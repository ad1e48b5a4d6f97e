"""A connector between a healthy source and one behind a network that goes wrong."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.engines import require_mysqlclient
from tests.faults.databases import USER, Database, database
from tests.faults.proxy import Proxy, proxied
from tests.server import Answer, Server, eventually, serving

TIMEOUT = 2
THREADS = 16
POOL = 5  # connections that a source keeps

CONFIG = """
[server]
max_answers = 32
[connectors.company]
title = "Company"
[sources.near]
url = "sqlite:///near.db"
tokens = ["near"]
[sources.near.queries.few]
sql = "SELECT 1 AS i"
[sources.far]
url = "{url}"
tokens = ["far"]
timeout = {timeout}
max_answers = 32
[sources.far.queries]
many.sql = '''{many}'''
few.sql = '''{few}'''
nap.sql = '''{nap}'''
slow.sql = '''{slow}'''
"""


class Held(NamedTuple):
    """What a worker holds, all of which has to be given back."""

    descriptors: int
    threads: int


@dataclass(frozen=True)
class Site:
    """All that a test needs: the connector, the bad network, and the database behind it."""

    server: Server
    proxy: Proxy
    database: Database
    before: Held

    def ask(self, endpoint: str = "data", token: str = "far", table: str = "few") -> Answer:
        return self.server.form(f"/api/company/{endpoint}", token, table=table)

    def works(self) -> bool:
        answer = self.ask()
        return answer.status == 200 and len(answer.json) == 3001

    def held(self) -> Held:
        (worker,) = self.server.workers()
        names = [Path(f"/proc/{worker}/{kind}") for kind in ("fd", "task")]
        return Held(*(len(list(name.iterdir())) for name in names))

    def leaks(self) -> str:
        """What the worker holds beyond what it did after its first busy moment."""
        now = self.held()
        fine = all(n <= b for n, b in zip(now, self.before, strict=True))
        ours, theirs = self.proxy.open, len(self.database.connections())
        if fine and ours == theirs <= POOL:
            return ""
        return f"{now}, {self.before} before; {ours} connections, {theirs} in the database"


@pytest.fixture(scope="session")
def databases() -> Iterator[Callable[[str], Database]]:
    """The servers by name, each started once it is asked for; drivers of one kind share one."""
    # Paths of sockets are limited to 107 bytes.
    with tempfile.TemporaryDirectory(prefix="b24-") as directory, ExitStack() as stack:
        Path(directory).chmod(0o755)
        yield cache(lambda name: stack.enter_context(database(name, Path(directory))))


# The server and the beginning of a source's url.
DRIVERS = {
    "postgresql": ("postgresql", "postgresql"),
    "mysql": ("mysql", "mysql"),
    "mysqlclient": ("mysql", "mysql+mysqldb"),
}


@pytest.fixture(scope="module", params=DRIVERS)
def running_site(
    request: pytest.FixtureRequest,
    databases: Callable[[str], Database],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    if request.param == "mysqlclient":
        require_mysqlclient()
    name, scheme = DRIVERS[request.param]
    behind = databases(name)
    directory = tmp_path_factory.mktemp("site")
    (directory / "near.db").touch()
    with proxied(behind.socket) as proxy:
        url = f"{scheme}://{USER}:secret@127.0.0.1:{proxy.port}/faulty"
        config = CONFIG.format(url=url, timeout=TIMEOUT, **behind.queries)
        with serving(directory, config) as server:
            site = Site(server, proxy, behind, Held(0, 0))
            with ThreadPoolExecutor(THREADS) as clients:
                list(clients.map(lambda _: site.ask(table="nap"), range(THREADS)))
            eventually(lambda: proxy.open == POOL)
            held = site.held()
            # The other source has not been asked for anything yet.
            before = held._replace(descriptors=held.descriptors + POOL)
            yield Site(server, proxy, behind, before)


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    """The site before a fault; after it, it has to work again with nothing lost."""
    assert running_site.works()
    yield running_site
    running_site.proxy.heal()
    eventually(running_site.works)
    deadline = time.monotonic() + TIMEOUT + 10
    while leaks := running_site.leaks():
        assert time.monotonic() < deadline, leaks
        time.sleep(0.05)
        # Python frees what a driver left in a cycle as it works on, and never while it is idle.
        running_site.works()
