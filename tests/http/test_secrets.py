"""No secret leaves by an answer, a header, a log line or a metric, whatever goes wrong."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests import tcp
from tests.engines import postgresql_engine, sqlite_engine
from tests.http.troubles import password_needed
from tests.server import Answer, Server, serving
from tests.tcp import Database

ENDPOINTS = ("check", "table_list", "table_description", "data")
PLAIN, HASHED, WRONG = "plant-plain-token", "plant-hashed-token", "plant-wrong-token"
PASSWORD, REFUSED, TYPED = "plant@data base/1", "plant@data base/2", "plant-typed-password"
IN_SQL = "statement-of-the-operator"  # may be in the log, and nowhere else
METRICS, CLIENT, KEY = "plant-metrics-token", "plant-client-secret", "plant-key-" + "x" * 32
HEADER, QUERY, FILTER = "plant-header", "plant-query", "plant-filter-value"


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """What users of the direct connector log in to, with a password that must not be seen."""
    # Sockets need short paths.
    with tempfile.TemporaryDirectory(prefix="b24-") as directory:
        Path(directory).chmod(0o755)
        with tcp.postgresql(Path(directory)) as running:
            yield running


@pytest.fixture(scope="module")
def server(
    servers: Any, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp("server")
    digest = sha256(HASHED.encode()).hexdigest()
    with (
        sqlite_engine(directory) as sqlite,
        postgresql_engine(servers["postgresql"], "test_secrets") as postgresql,
        password_needed(postgresql.url, PASSWORD) as locked,
    ):
        sqlite.execute("CREATE TABLE t (id INTEGER, name TEXT)")
        config = f"""
            [server]
            guesses_per_minute = 1000
            metrics_token = "${{METRICS}}"
            public_url = "https://bi.example.com"
            [portal]
            client_id = "local.company"
            client_secret = "{CLIENT}"
            domains = ["http://127.0.0.1:1"]
            oauth_servers = ["http://127.0.0.1:1"]
            [connectors.company]
            title = "Company"
            [connectors.database]
            title = "PostgreSQL"
            access = "direct"
            engine = "postgresql"
            allow_hosts = ["127.0.0.1:{database.port}"]
            connect_timeout = 1
            tls = "prefer"
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
        environment = {"PLAIN": PLAIN, "PASSWORD": PASSWORD, "REFUSED": REFUSED, "METRICS": METRICS}
        with serving(directory, config, CONNECTOR_SECRET_KEY=KEY, **environment) as running:
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


def logins(database: Database) -> Iterator[str]:
    """Right and wrong logins, and whole ones in the wrong place."""
    right = {"host": "127.0.0.1", "port": str(database.port), "database": "shop"}
    right |= {"username": tcp.USER, "password": tcp.PASSWORD}
    dsn = f"postgresql://reader:{TYPED}@127.0.0.1/shop"
    for changes in (
        {},
        {"password": TYPED},
        {"database": dsn},
        {"host": dsn},
        {"username": dsn},
        {"port": TYPED},
        {"password": f"{TYPED}\0"},
    ):
        typed = {f"connection[{name}]": text for name, text in (right | changes).items()}
        for table in ("goods", "nothing"):
            yield urlencode(typed | {"table": table, "filter[=NAME][0]": FILTER})


def handshakes() -> Iterator[tuple[str, str]]:
    """Installations and events, with tokens that a portal would send."""
    form = {
        "AUTH_ID": "plant-access",
        "REFRESH_ID": "plant-refresh",
        "AUTH_EXPIRES": "3600",
        "APPLICATION_TOKEN": "plant-application",
        "SERVER_ENDPOINT": "http://127.0.0.1:1/rest/",
        "member_id": "0" * 32,
    }
    page = "/install?PROTOCOL=0&LANG=en&DOMAIN="
    auth = {
        "access_token": "plant-access",
        "refresh_token": "plant-refresh",
        "expires_in": "3600",
        "application_token": "plant-application",
        "client_endpoint": "http://127.0.0.1:1/rest/",
        "server_endpoint": "http://127.0.0.1:1/rest/",
        "member_id": "0" * 32,
    }
    for domain in ("127.0.0.1:1", "elsewhere.example", "plant:domain@127.0.0.1:1"):
        yield page + quote(domain), urlencode(form)
    for name in form:
        yield f"{page}127.0.0.1:1", urlencode(form | {name: "plant \x00 broken"})
    for path in ("/install", "/events"):
        for event in ("ONAPPINSTALL", "ONAPPUNINSTALL", "plant-event"):
            for changes in ({}, {"client_endpoint": "http://u:plant@127.0.0.1:1/"}):
                values = {f"auth[{name}]": text for name, text in (auth | changes).items()}
                yield path, urlencode({"event": event, "ts": "plant-ts", **values})


def metrics(server: Server, token: str) -> Answer:
    return server.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})


def test_no_secret_leaves(server: Server, database: Database) -> None:
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

    with ThreadPoolExecutor(6) as threads:
        asked = [
            threads.submit(server.post, f"/api/database/{endpoint}", body, headers=headers)
            for body in logins(database)
            for endpoint in ENDPOINTS
        ]
        answers += [each.result() for each in asked]
    answers += [server.post(path, body, headers=headers) for path, body in handshakes()]
    answers += [metrics(server, token) for token in (WRONG, METRICS[:-1], METRICS)]
    assert answers[-1].status == 200
    assert b'source="database",status="200"' in answers[-1].body

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
