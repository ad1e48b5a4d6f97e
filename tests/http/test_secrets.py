"""No secret leaves by an answer, a header, a log line or a metric, whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.engines import postgresql_engine, sqlite_engine
from tests.http.troubles import password_needed
from tests.server import Answer, Server, serving

ENDPOINTS = ("check", "table_list", "table_description", "data")
PLAIN, HASHED, WRONG = "plant-plain-token", "plant-hashed-token", "plant-wrong-token"
PASSWORD, REFUSED, TYPED = "plant@data base/1", "plant@data base/2", "plant-typed-password"
IN_SQL = "statement-of-the-operator"  # may be in the log, and nowhere else
HEADER, QUERY, FILTER = "plant-header", "plant-query", "plant-filter-value"


@pytest.fixture(scope="module")
def server(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp("server")
    digest = sha256(HASHED.encode()).hexdigest()
    with (
        sqlite_engine(directory) as sqlite,
        postgresql_engine(servers["postgresql"], "test_secrets") as postgresql,
        password_needed(postgresql.url, PASSWORD) as locked,
    ):
        sqlite.execute("CREATE TABLE t (id INTEGER, name TEXT)")
        config = f"""
            [connectors.company]
            title = "Company"
            [sources.shop]
            url = "{sqlite.url}"
            tokens = ["${{PLAIN}}", "sha256:{digest}"]
            [sources.shop.queries.broken]
            sql = "SELECT '{IN_SQL}' nonsense("
            [sources.right]
            url = "{locked.replace(PASSWORD, "${PASSWORD}")}"
            tokens = ["plant-token-of-right"]
            [sources.right.queries.broken]
            sql = "SELECT 1/0 AS x FROM missing('{IN_SQL}')"
            [sources.refused]
            url = "{locked.replace(PASSWORD, "${REFUSED}")}"
            tokens = ["plant-token-of-refused"]
            [sources.nowhere]
            url = "postgresql://reader:${{REFUSED}}@127.0.0.1:1/db?sslpassword=plant-ssl-password"
            tokens = ["plant-token-of-nowhere"]
        """
        with serving(directory, config, PLAIN=PLAIN, PASSWORD=PASSWORD, REFUSED=REFUSED) as running:
            yield running


def bodies(token: str) -> Iterator[tuple[bytes | str, str]]:
    """Requests in every state of health, their secrets where people put them."""
    form = "application/x-www-form-urlencoded"
    secrets = {"connection[token]": token, "connection[password]": TYPED}
    for more in (
        {"table": "t"},
        {"table": "broken"},
        {"table": "t", "filter[=NAME]": FILTER},
        {"table": "t", "filter[?NAME]": "x"},
        {"table": "t", "limit": "x"},
        {"token": TYPED, "password": TYPED, TYPED: "x", f"{TYPED}[a]": "x"},
    ):
        yield urlencode(secrets | more), form
    yield f"connection={token}&table=t", form
    yield quote(urlencode(secrets)), form
    yield token, form
    yield f"connection[token]={token}%FF", form
    yield f"connection[token{'[x]' * 20}={token}", form
    value = {"connection": {"token": token, "password": TYPED}, "table": "t"}
    yield json.dumps(value), "application/json"
    yield json.dumps(value)[:-1], "application/json"
    yield json.dumps([value]), "application/json"
    yield json.dumps({token: value}), "application/json"
    yield json.dumps(value), "text/plain"
    yield json.dumps(value) + "x" * 2**20, form


def test_no_secret_leaves(server: Server) -> None:
    answers: list[Answer] = []
    tokens = [
        PLAIN,
        HASHED,
        WRONG,
        *(f"plant-token-of-{s}" for s in ("right", "refused", "nowhere")),
    ]
    headers = {
        "Authorization": f"Bearer {HEADER}",
        "Cookie": HEADER,
        "X-Request-Id": f"no id: {HEADER}",
    }
    for token in tokens:
        for endpoint in ENDPOINTS:
            for body, media_type in bodies(token):
                path = f"/api/company/{endpoint}?token={QUERY}"
                answers.append(server.post(path, body, content_type=media_type, headers=headers))
    answers += [
        server.request("GET", f"{path}?token={QUERY}", headers=headers)
        for path in ("/healthz", "/readyz", "/metrics", "/nothing")
    ]

    statuses = {answer.status for answer in answers}
    assert {200, 400, 401, 404, 413, 415, 502, 503} <= statuses, "too little went wrong"
    shown = "".join(f"{a.body.decode()}{a.headers}\n" for a in answers)
    server.process.terminate()
    server.process.wait(40)
    logged = server.lines()
    assert logged.count("error=") > 100, "the log says too little"
    assert IN_SQL not in shown
    for texts in (shown, logged):
        assert not [line for line in texts.splitlines() if "plant" in line]
