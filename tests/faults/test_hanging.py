"""A source that hangs keeps its own users waiting, and nobody else's."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from app.endpoints.gate import VISITS
from tests.faults.proxy import Fault, proxied
from tests.server import Answer, Server, serving

CONFIG = """
[server]
metrics_token = "of-the-operator"
[connectors.company]
title = "Company"
[sources.near]
url = "sqlite:///near.db"
tokens = ["near"]
schema_ttl = 0
[sources.near.queries.few]
sql = "SELECT 1 AS i"
"""
HANGING = """
[sources.{name}]
url = "{engine}://x:y@127.0.0.1:{port}/x"
tokens = ["{name}"]
timeout = 4
queries.few.sql = "SELECT 1 AS i"
"""
PATIENCE = 2  # half the time limit: how long they wait to be let in
ASKED = ("check", "table_list", "table_description", "preview", "data")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("server")
    (directory / "near.db").touch()
    with ExitStack() as stack:
        config = CONFIG
        for name, engine in (("first", "postgresql"), ("second", "mysql")):
            proxy = stack.enter_context(proxied(directory / "nothing"))
            proxy.suffer(Fault(silent=True))
            config += HANGING.format(name=name, engine=engine, port=proxy.port)
        yield stack.enter_context(serving(directory, config))


def ask(server: Server, token: str, what: str) -> Answer:
    limit = {"limit": "20"} if what == "preview" else {}
    endpoint = "data" if what == "preview" else what
    return server.form(f"/api/company/{endpoint}", token, table="few", **limit)


@pytest.mark.parametrize(
    ("hanging", "asked"), [(["first"], ["check"]), (["first", "second"], ASKED)], ids=["one", "two"]
)
def test_the_others_are_answered_at_once(
    server: Server, hanging: list[str], asked: list[str]
) -> None:
    def one(number: int) -> Answer:
        token = hanging[number % len(hanging)]
        return ask(server, token, asked[number // len(hanging) % len(asked)])

    with ThreadPoolExecutor(40) as clients:
        began = time.monotonic()
        waiting = [clients.submit(one, number) for number in range(40)]
        time.sleep(0.3)
        longest = 0.0
        while time.monotonic() < began + PATIENCE - 0.5:
            for what in ASKED:
                started = time.monotonic()
                assert ask(server, "near", what).status == 200
                longest = max(longest, time.monotonic() - started)
            assert server.request("GET", "/healthz").status == 200
        assert longest < 2
        answers = [each.result() for each in waiting]
        # Whoever was not let in was told so soon, and the rest when it was clear that it hangs.
        assert time.monotonic() - began < PATIENCE + 3
    found = Counter((answer.status, answer.error) for answer in answers)
    assert found.keys() == {(503, "SOURCE_UNAVAILABLE"), (503, "TOO_BUSY")}
    assert found[503, "SOURCE_UNAVAILABLE"] <= VISITS * len(hanging)


def test_asking_whether_all_is_ready_keeps_nobody_waiting(server: Server) -> None:
    with ThreadPoolExecutor(40) as clients:
        waiting = [clients.submit(server.request, "GET", "/readyz") for _ in range(40)]
        time.sleep(0.3)
        started = time.monotonic()
        assert ask(server, "near", "check").status == 200
        assert time.monotonic() - started < 2
        assert {each.result().status for each in waiting} == {503}


def test_more_than_may_ask_at_once_wait_for_a_source_that_answers(server: Server) -> None:
    with ThreadPoolExecutor(40) as clients:
        asked = [clients.submit(ask, server, "near", ASKED[n % 4]) for n in range(200)]
        assert {each.result().status for each in asked} == {200}
