"""A database or the network before it fails: the service says so, stays up, and works again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import psycopg
import pymysql
import pytest

from tests.faults.conftest import TIMEOUT, Site
from tests.faults.databases import SLOTS, USER
from tests.faults.proxy import Fault
from tests.http.test_stream import NOT_JSON, body_of, read_all
from tests.server import Answer, eventually

# What a request may take beyond the time limit of its source: to notice, and to give up.
SLACK = 3.0
QUICK = 1.5


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def is_unavailable(answer: Answer) -> bool:
    return answer.status == 503 and answer.error == "SOURCE_UNAVAILABLE"


def test_a_server_that_restarts(site: Site) -> None:
    with site.server.open("/api/company/data", "far", table="many") as raw:
        start = raw.recv(1000)
        site.database.stop()
        answer = body_of(start + read_all(raw))
    with pytest.raises(ValueError, match=NOT_JSON):
        json.loads(answer)
    for endpoint in ("check", "data"):
        assert is_unavailable(site.ask(endpoint))
    assert "source far: SourceUnavailable: OperationalError" in site.server.lines()
    assert site.ask(token="near").status == 200
    site.database.start()
    eventually(site.works)


@pytest.mark.parametrize("how", ["ended", "reset", "killed"])
def test_idle_connections_that_are_gone_are_nobody_s_trouble(site: Site, how: str) -> None:
    if how == "killed":
        for connection in site.database.connections():
            site.database.kill(connection)
    else:
        site.proxy.drop(reset=how == "reset")
    eventually(lambda: not site.database.connections())
    assert site.works()


def test_no_slot_is_left(site: Site) -> None:
    site.proxy.drop()
    eventually(lambda: not site.database.connections())
    with ExitStack() as stack:
        taken = []
        for _ in range(SLOTS + 1):
            with suppress(psycopg.OperationalError, pymysql.OperationalError):
                taken.append(stack.enter_context(site.database.connect(USER)))
        assert taken
        with within(QUICK):
            assert is_unavailable(site.ask("check"))
        assert is_unavailable(site.ask())
        lines = site.server.lines().lower()
        assert "too many connections" in lines or "connection slots" in lines
    eventually(site.works)


FAULTS = {
    "refuses": Fault(refuse=True),
    "hangs": Fault(silent=True),
    "hangs while it lets in": Fault(hang=60),
    "hangs soon after": Fault(hang=500),
    "speaks another language": Fault(garbage=True),
    "closes at once": Fault(cut=0),
    "closes while it lets in": Fault(cut=60),
    "resets": Fault(cut=60, reset=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_new_connections_fail(site: Site, fault: Fault) -> None:
    logged = len(site.server.lines())
    site.proxy.drop()
    site.proxy.suffer(fault)
    asked = ["check", "data", "table_description", "table_list", "check", "data"]
    with ThreadPoolExecutor(len(asked)) as clients, within(TIMEOUT + SLACK):
        answers = [clients.submit(site.ask, endpoint) for endpoint in asked]
        for _ in range(3):
            with within(QUICK):
                assert site.server.request("GET", "/healthz").status == 200
                assert site.ask(token="near").json == [["I"], [1]]
    failed = [answer.result() for answer in answers]
    # What is remembered, or short enough, is still answered.
    assert all(is_unavailable(answer) for answer in failed if answer.status != 200), failed
    assert any(answer.status == 503 for answer in failed)
    assert "Traceback" not in site.server.lines()[logged:]


@pytest.mark.parametrize("fault", [Fault(cut=300_000), Fault(hang=300_000)], ids=["cut", "hang"])
def test_an_answer_stops_in_the_middle(site: Site, fault: Fault) -> None:
    site.proxy.drop()
    site.proxy.suffer(fault)
    with within(TIMEOUT + SLACK), site.server.open("/api/company/data", "far", table="many") as raw:
        answer = body_of(read_all(raw))
    assert answer.startswith(b'[["I","T"],[1,')
    with pytest.raises(ValueError, match=NOT_JSON):
        json.loads(answer)


def test_the_network_dies_in_the_middle_of_an_answer(site: Site) -> None:
    with within(TIMEOUT + SLACK), site.server.open("/api/company/data", "far", table="many") as raw:
        start = raw.recv(1000)
        assert b" 200 " in start[:20]
        site.proxy.freeze()
        answer = body_of(start + read_all(raw))
    with pytest.raises(ValueError, match=NOT_JSON):
        json.loads(answer)
    eventually(lambda: "outcome='the time limit has passed'" in site.server.lines())


def test_the_network_dies_while_the_database_thinks(site: Site) -> None:
    with ThreadPoolExecutor(1) as client, within(TIMEOUT + SLACK):
        answer = client.submit(site.ask, table="slow")
        eventually(lambda: any(is_busy(site)))
        site.proxy.freeze()
    assert answer.result().error in ("QUERY_TIMEOUT", "SOURCE_UNAVAILABLE")


def test_a_client_leaves_while_the_network_is_dead(site: Site) -> None:
    logged = len(site.server.lines())
    with site.server.open("/api/company/data", "far", table="many") as raw:
        raw.recv(1000)
        site.proxy.freeze()
        site.proxy.suffer(Fault(silent=True))
    # That it is gone, or late: leaving takes a while, and the time limit may pass meanwhile.
    eventually(lambda: "outcome='the " in site.server.lines()[logged:], TIMEOUT + SLACK)


def test_the_network_dies_under_idle_connections(site: Site) -> None:
    """It takes those with it, and new ones work: the user is served, a little late."""
    site.proxy.freeze()
    with within(TIMEOUT + SLACK):
        assert site.works()
    with within(QUICK):
        assert site.works()


def test_a_slow_network_is_no_fault(site: Site) -> None:
    site.proxy.drop()
    site.proxy.suffer(Fault(delay=0.05))
    assert site.works()


def is_busy(site: Site) -> Iterator[bool]:
    """For every connection of ours, whether it runs a query."""
    if site.database.name == "postgresql":
        found = f"SELECT state = 'active' FROM pg_stat_activity WHERE usename = '{USER}'"
    else:
        found = f"""SELECT info IS NOT NULL FROM information_schema.processlist
                    WHERE user = '{USER}'"""
    return (bool(row[0]) for row in site.database.execute(found))
