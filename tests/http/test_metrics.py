"""The counts of all workers together, shown to whoever has the token and to nobody else."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.engines import sqlite_engine
from tests.http.troubles import install_faulty_adapter
from tests.server import Answer, Server, eventually, serving

TOKEN = "of-the-operator"
CONFIG = """
    [server]
    guesses_per_minute = 5
    {more}
    [connectors.company]
    title = "Company"
    [sources.shop]
    url = "{url}"
    tokens = ["of-shop", "of-both"]
    timeout = 20
    [sources.shop.queries.many]
    sql = '''WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
    SELECT i, 'text of row ' || i AS t FROM n'''
    [sources.faulty]
    url = "faulty://x"
    tokens = ["of-faulty", "of-both"]
    [sources.away]
    url = "postgresql://x@127.0.0.1:1/x"
    tokens = ["of-away"]
"""


def config(directory: Path, more: str) -> str:
    install_faulty_adapter(directory)
    with sqlite_engine(directory) as engine:
        engine.execute("CREATE TABLE t (id INTEGER)")
        engine.execute("INSERT INTO t VALUES (1), (2)")
        return CONFIG.format(url=engine.url, more=more)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    text = config(tmp_path, f'metrics_token = "{TOKEN}"')
    with serving(tmp_path, text, WEB_CONCURRENCY="3", PYTHONPATH=".") as running:
        yield running


def scrape(server: Server, token: str = TOKEN) -> Answer:
    return server.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})


def counted(server: Server, name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels."""
    answer = scrape(server)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    samples = [
        sample
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    ]
    assert all("pid" not in sample.labels for sample in samples)
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def test_all_workers_count_together(server: Server) -> None:
    def requests(**labels: str) -> float:
        return counted(server, "b24_requests_total", **labels)

    for _ in range(30):
        assert server.form("/api/company/data", "of-shop", table="t").status == 200
    assert server.form("/api/company/data", "of-shop", table="nothing").status == 404
    for token, status in (("of-faulty", 502), ("of-both", 502), ("of-away", 503)):
        assert server.form("/api/company/check", token).status == status
    assert server.form("/api/company/table_list", "of-faulty").status == 500
    assert server.post("/nothing/of/ours").status == 404
    assert requests(endpoint="data", source="shop", status="200") == 30
    assert counted(server, "b24_request_seconds_count", endpoint="data", source="shop") == 31
    assert counted(server, "b24_rows_total", source="shop") == 60
    for error, endpoint in (
        ("UNKNOWN_TABLE", "data"),
        ("QUERY_FAILED", "check"),
        ("INTERNAL_ERROR", "table_list"),
        ("SOURCE_UNAVAILABLE", "check"),
        ("UNKNOWN_ENDPOINT", "unknown"),
    ):
        assert counted(server, "b24_refusals_total", error=error, endpoint=endpoint) >= 1
    # Whichever worker is asked, and also after the one that has counted is no more.
    assert {requests(endpoint="data", status="200") for _ in range(20)} == {30}
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    eventually(lambda: server.request("GET", "/healthz").status == 200)
    assert requests(endpoint="data", status="200") == 30
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(set(server.workers())) == 3)
    assert requests(endpoint="data", status="200") == 30


def test_workers_that_come_and_go_leave_no_more_files(tmp_path: Path) -> None:
    with sqlite_engine(tmp_path) as engine:
        engine.execute("CREATE TABLE t (id INTEGER)")
        engine.execute("INSERT INTO t VALUES (1), (2)")
        text = f"""
            [server]
            metrics_token = "{TOKEN}"
            [connectors.company]
            title = "Company"
            [sources.shop]
            url = "{engine.url}"
            tokens = ["of-shop"]
        """
    with serving(tmp_path, text) as server:
        (place,) = Path("/dev/shm").glob(f"b24-{server.process.pid}-*")
        found = []
        for generation in range(1, 5):
            assert server.form("/api/company/data", "of-shop", table="t").status == 200
            rows = partial(counted, server, "b24_rows_total", source="shop")
            eventually(lambda rows=rows, all_=2 * generation: rows() == all_)  # after the answer
            found.append(len(list(place.glob("[ch]*.db"))))
            before = set(server.workers())
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda before=before: not before & set(server.workers()))
            eventually(lambda: len(server.workers()) == 1)
    assert len(set(found[1:])) == 1, found


def test_answers_under_way_and_broken_off(server: Server) -> None:
    def under_way() -> float:
        return counted(server, "b24_answers_under_way", source="shop")

    with server.open("/api/company/data", "of-shop", table="many") as raw:
        raw.recv(1000)
        assert under_way() == 1
    eventually(lambda: under_way() == 0)
    eventually(
        lambda: counted(server, "b24_broken_answers_total", source="shop", reason="client_gone")
    )
    with server.open("/api/company/data", "of-shop", table="many") as raw:
        raw.recv(1000)
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
        eventually(lambda: server.request("GET", "/healthz").status == 200)
        eventually(lambda: under_way() == 0)


def test_nobody_chooses_a_label(server: Server) -> None:
    planted = "planted-by-the-caller"
    server.form(f"/api/{planted}/data", planted, table=planted)
    server.form("/api/company/data", "of-shop", table=planted, **{planted: planted})
    server.request("GET", f"/{planted}", headers={"X-Request-Id": planted, "Host": planted})
    for method in (planted.upper(), "PATCH"):
        server.request(method, "/api/company/data")
    assert planted not in scrape(server).body.decode().casefold()


def test_only_the_token_opens_it(server: Server, tmp_path: Path) -> None:
    wrong = Counter(scrape(server, f"{n}-wrong").status for n in range(30))
    # Each of three workers listens to five.
    assert wrong.keys() == {401, 429}
    assert wrong[401] <= 15
    nothing = server.request("GET", "/metrics")
    assert (nothing.status, nothing.error) == (401, "INVALID_TOKEN")
    for credentials in (f"Basic {TOKEN}", "Bearer", TOKEN, "Bearer "):
        refused = server.request("GET", "/metrics", headers={"Authorization": credentials})
        assert refused.status in (401, 429)


def test_without_a_token_in_the_configuration_there_is_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, config(tmp_path, ""), PYTHONPATH=".") as server:
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
            answer = server.request("GET", "/metrics", headers=headers)
            assert (answer.status, answer.error) == (404, "UNKNOWN_ENDPOINT")
        ready = server.request("GET", "/readyz")
        assert (ready.status, ready.json) == (503, {"status": "unavailable"})
        logged = server.lines()
        assert "source faulty: QueryFailed: faulty.Faulty.check raised RuntimeError" in logged
        assert "source away: SourceUnavailable" in logged
    counts = list(Path("/dev/shm").glob(f"b24-{server.process.pid}-*"))
    assert not counts
