"""A connector between a healthy source and one behind a network that goes wrong."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.databases import Database, database
from tests.faults.proxy import Proxy, proxied
from tests.server import Answer, Server, eventually, serving

TIMEOUT = 3
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

    def nothing_leaks(self) -> bool:
        """Whether the worker holds no more than it did after its first busy moment."""
        now = self.held()
        fine = all(n <= b for n, b in zip(now, self.before, strict=True))
        return fine and self.proxy.open == len(self.database.connections()) <= POOL


@pytest.fixture(scope="module", params=["postgresql", "mysql", "mysqlclient"])
def running_site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with (
        # Paths of sockets are limited to 107 bytes.
        tempfile.TemporaryDirectory(prefix="b24-") as name,
        database(request.param, Path(name)) as behind,
        proxied(behind.socket) as proxy,
    ):
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "near.db").touch()
        config = CONFIG.format(url=behind.url(proxy.port), timeout=TIMEOUT, **behind.queries)
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
    eventually(running_site.nothing_leaks, TIMEOUT + 10)
