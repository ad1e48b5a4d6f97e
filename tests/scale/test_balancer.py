"""Two instances behind nginx are one service: also while one of them dies, or is replaced."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.engines import Engine, postgresql_engine
from tests.scale.balancer import NAME, Balancer, balancing
from tests.server import FORM, Server, eventually, serving

ROWS = 60_000
READERS = 4
PASSWORD = "token-of-the-shop"
WORKING = (
    "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND application_name = 'b24-connector'"
)


@dataclass(frozen=True)
class Cluster:
    balancer: Balancer
    instances: list[Server]
    engine: Engine

    def open(
        self, table: str, token: str = PASSWORD, client: str = "127.0.0.1"
    ) -> http.client.HTTPSConnection:
        """A connection on which the data of ``table`` was asked for."""
        connection = http.client.HTTPSConnection(
            NAME, self.balancer.port, timeout=30, context=self.balancer.trust
        )
        # The certificate's name leads nowhere; the connection goes to where nginx listens.
        raw = socket.create_connection(("127.0.0.1", self.balancer.port), 30, (client, 0))
        connection.sock = self.balancer.trust.wrap_socket(raw, server_hostname=NAME)
        body = urlencode({"connection[token]": token, "table": table})
        connection.request("POST", "/api/company/data", body, {"Content-Type": FORM})
        return connection

    def read(self, *arguments: str) -> tuple[int, Any]:
        with closing(self.open(*arguments)) as connection:
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


@pytest.fixture
def cluster(servers: dict[str, str], tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        engine = stack.enter_context(postgresql_engine(servers["postgresql"], "test_balancer"))
        config = f"""
            [server]
            trusted_proxies = ["127.0.0.1"]
            heartbeat = 1
            guesses_per_minute = 5
            [connectors.company]
            title = "Company"
            [sources.shop]
            url = "{engine.url}"
            tokens = ["{PASSWORD}"]
            max_answers = 4
            [sources.shop.queries.many]
            sql = "SELECT i, 'text of row ' || i AS t FROM generate_series(1, {ROWS}) i"
            [sources.shop.queries.endless]
            sql = "SELECT i, repeat('x', 1000) AS t FROM generate_series(1, 1000000000) i"
            [sources.shop.queries.slow]
            sql = "SELECT 1 AS i, pg_sleep(6)::text AS t"
        """
        instances = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            instances.append(stack.enter_context(serving(tmp_path / name, config)))
        ports = [instance.port for instance in instances]
        balancer = stack.enter_context(balancing(tmp_path, ports))
        yield Cluster(balancer, instances, engine)


@dataclass
class Load:
    """Readers that ask again and again until they are told to stop."""

    cluster: Cluster
    outcomes: Counter[str] = field(default_factory=Counter)
    after: float = float("inf")
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.is_set():
            began = time.monotonic()
            outcome = self._one()
            self.outcomes[f"{outcome} afterwards" if began > self.after else outcome] += 1

    def _one(self) -> str:
        try:
            with closing(self.cluster.open("many")) as connection:
                answer = connection.getresponse()
                body, broken = b"", False
                try:
                    body = answer.read()
                except http.client.IncompleteRead as error:
                    body, broken = error.partial, True
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        try:
            found = json.loads(body)
        except ValueError:
            return "broken off" if broken else "NONSENSE"
        if answer.status != 200:
            return str(found["error"])
        numbers = [row[0] for row in found[1:]]
        right = found[0] == ["I", "T"] and numbers == list(range(1, ROWS + 1))
        return "right" if right and not broken else "WRONG"

    def __enter__(self) -> Load:
        self._threads = [threading.Thread(target=self.run) for _ in range(READERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)


def served(instance: Server) -> int:
    return instance.lines().count("outcome=complete")


def test_an_instance_that_dies_loses_only_what_it_had_begun(cluster: Cluster) -> None:
    one, two = cluster.instances
    with Load(cluster) as load:
        eventually(lambda: served(one) > 3 and served(two) > 3, 30)
        for worker in one.workers():
            os.kill(one.process.pid, signal.SIGSTOP)  # which would start another worker
            os.kill(worker, signal.SIGKILL)
        one.process.kill()
        load.after = time.monotonic() + 0.1
        eventually(lambda: load.outcomes["right afterwards"] > 20, 60)
    assert set(load.outcomes) <= {"right", "broken off", "right afterwards"}, load.outcomes
    assert load.outcomes["broken off"] <= READERS
    eventually(lambda: cluster.engine.execute(WORKING) == [])


def test_instances_are_replaced_one_after_the_other_and_nobody_notices(cluster: Cluster) -> None:
    one, two = cluster.instances
    with Load(cluster) as load:
        eventually(lambda: served(one) > 3 and served(two) > 3, 30)
        one.process.terminate()
        assert one.process.wait(30) == 0
        load.after = time.monotonic()
        eventually(lambda: load.outcomes["right afterwards"] > 20, 60)
    assert set(load.outcomes) == {"right", "right afterwards"}, load.outcomes


def test_long_answers_are_spread_and_end_with_whoever_reads_them(cluster: Cluster) -> None:
    with ExitStack() as stack:
        for _ in range(8):  # four for each instance
            held = stack.enter_context(closing(cluster.open("endless")))
            answer = held.getresponse()
            assert answer.status == 200
            assert answer.read(1) == b"["
        assert len(cluster.engine.execute(WORKING)) == 8
        refused, told = cluster.read("many")
        assert (refused, told["error"]) == (503, "TOO_BUSY")
    # Whoever hangs up ends the query in the database, through the balancer too.
    eventually(lambda: cluster.engine.execute(WORKING) == [])
    assert cluster.read("many")[0] == 200


def test_rows_and_white_space_pass_without_delay(cluster: Cluster) -> None:
    began = time.monotonic()
    with closing(cluster.open("slow")) as connection:
        answer = connection.getresponse()
        start = answer.read(10)
        assert time.monotonic() - began < 5.5  # before the database has said anything
        assert json.loads(start + answer.read()) == [["I", "T"], [1, ""]]


def test_guesses_are_counted_by_the_address_that_the_balancer_names(cluster: Cluster) -> None:
    answers = [cluster.read("many", f"a-wrong-token-{i}") for i in range(30)]
    codes = Counter(told["error"] for _, told in answers)
    assert codes.keys() == {"INVALID_TOKEN", "TOO_MANY_GUESSES"}
    assert codes["INVALID_TOKEN"] <= 10  # five by each instance
    assert cluster.read("many", PASSWORD, "127.0.0.2")[0] == 200
