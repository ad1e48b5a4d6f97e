"""Every failure has a status, a code and a sentence that names the culprit, and is never a 200."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.errors import STATUS
from app.wire.body import MAX_BYTES
from app.wire.form import MAX_KEYS
from tests.engines import postgresql_engine, sqlite_engine
from tests.http.troubles import install_faulty_adapter, password_needed
from tests.server import FORM, Answer, Server, eventually, serving

DATA = "/api/company/data"
ENDPOINTS = ("check", "table_list", "table_description", "data")
PASSWORD = "wrong-password-of-the-database"

CONFIG = """
[connectors.company]
title = "Company"
[sources.shop]
url = "{sqlite}"
tokens = ["right"]
[sources.shop.queries.broken]
sql = "SELECT nonsense("
[sources.hasty]
url = "{sqlite}"
tokens = ["hasty"]
timeout = 0.3
max_rows = 2
[sources.hasty.queries.slow]
sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"
[sources.busy]
url = "{sqlite}"
tokens = ["busy"]
max_answers = 1
[sources.busy.queries.endless]
sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
[sources.absent]
url = "sqlite:////no/such/directory/shop.db"
tokens = ["absent"]
[sources.unreachable]
url = "postgresql://reader:{password}@127.0.0.1:1/shop"
tokens = ["unreachable"]
[sources.locked]
url = "{locked}"
tokens = ["locked"]
[sources.unlocked]
url = "{unlocked}"
tokens = ["unlocked"]
[sources.lines]
url = "{unlocked}"
tokens = ["of-lines"]
[sources.lines.queries.t]
sql = "SELECT 1 AS a, nonsense("
[sources.faulty]
url = "faulty://database"
tokens = ["faulty"]
"""


@pytest.fixture(scope="module")
def server(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp("server")
    install_faulty_adapter(directory)
    with (
        sqlite_engine(directory) as sqlite,
        postgresql_engine(servers["postgresql"], "test_errors") as postgresql,
        password_needed(postgresql.url, "right-password") as unlocked,
    ):
        sqlite.execute("CREATE TABLE t (id INTEGER, name TEXT, day DATE, at DATETIME)")
        sqlite.execute("INSERT INTO t VALUES (?, ?, ?, ?)", [(i, "x", None, None) for i in "123"])
        config = CONFIG.format(
            sqlite=sqlite.url,
            password=PASSWORD,
            locked=unlocked.replace("right-password", PASSWORD),
            unlocked=unlocked,
        )
        with serving(directory, config) as running:
            yield running


def ask(server: Server, endpoint: str = "data", token: str = "right", **more: Any) -> Answer:
    return server.form(f"/api/company/{endpoint}", token, **{"table": "t", **more})


def ask_twice(server: Server) -> Answer:
    """While a first answer is under way, and its reader in no hurry."""
    with server.open(DATA, "busy", table="endless") as first:
        first.recv(1000)
        return ask(server, token="busy", table="endless")


# How each code comes about for real. A code without a way to provoke it fails the test below.
PROVOKED: dict[str, Callable[[Server], Answer]] = {
    "BROKEN_TEXT": lambda server: server.post(DATA, b"table=%FF"),
    "MALFORMED_BODY": lambda server: server.post(DATA, b'{"table": '),
    "BODY_TOO_LARGE": lambda server: server.post(DATA, b"a=" + b"x" * MAX_BYTES),
    "TOO_DEEP": lambda server: server.post(DATA, "a" + "[b]" * 11 + "=1"),
    "TOO_MANY_KEYS": lambda server: server.post(DATA, "a[]=1&" * (MAX_KEYS + 1)),
    "UNSUPPORTED_MEDIA_TYPE": lambda server: server.post(DATA, b"a=1", content_type="text/xml"),
    "INVALID_TOKEN": lambda server: ask(server, token="wrong"),
    "METHOD_NOT_ALLOWED": lambda server: server.request("GET", DATA),
    "UNKNOWN_CONNECTOR": lambda server: server.form("/api/nobody/data", "right", table="t"),
    "UNKNOWN_ENDPOINT": lambda server: ask(server, "rows"),
    "INVALID_FILTER": lambda server: ask(server, **{"filter[0]": "1"}),
    "INVALID_LIMIT": lambda server: ask(server, limit="many"),
    "INVALID_PARAMETER": lambda server: ask(server, **{"select[0][0]": "ID"}),
    "INVALID_VALUE": lambda server: ask(server, **{"filter[=ID]": "many"}),
    "MISSING_TABLE": lambda server: server.form(DATA, "right"),
    "UNKNOWN_FIELD": lambda server: ask(server, **{"select[0]": "NOPE"}),
    "UNKNOWN_OPERATOR": lambda server: ask(server, **{"filter[?ID]": "1"}),
    "UNKNOWN_TABLE": lambda server: ask(server, table="nope"),
    "INTERNAL_ERROR": lambda server: ask(server, "table_list", "faulty"),
    "QUERY_FAILED": lambda server: ask(server, table="broken"),
    "QUERY_TIMEOUT": lambda server: ask(server, token="hasty", table="slow"),
    "SOURCE_UNAVAILABLE": lambda server: ask(server, "check", "absent"),
    "TOO_BUSY": ask_twice,
    "TOO_MANY_ROWS": lambda server: ask(server, token="hasty"),
}
# Of logins and of guesses; tests/http/test_direct.py and test_guesses.py have their tests.
OF_LOGINS = {"CANNOT_CONNECT", "TOO_MANY_GUESSES"}
# These come from /install and /events; tests/portal has their tests.
OF_PORTALS = {
    "FORGED_REQUEST",
    "PORTAL_BUSY",
    "PORTAL_FAILED",
    "PORTAL_NOT_ALLOWED",
    "PORTAL_NOT_CONFIGURED",
    "STALE_EVENT",
}


@pytest.mark.parametrize("code", sorted(STATUS.keys() - OF_PORTALS - OF_LOGINS))
def test_every_code_comes_with_its_status_and_is_in_the_log(server: Server, code: str) -> None:
    answer = PROVOKED[code](server)
    assert (answer.error, answer.status) == (code, STATUS[code])
    request = f" id={answer.headers['X-Request-Id']} "
    eventually(lambda: any(request in line for line in server.lines().splitlines()))
    (line,) = (line for line in server.lines().splitlines() if request in line)
    assert f" status={STATUS[code]} error={code} " in line


def test_the_service_works_but_for_what_is_asked_of_it_here(server: Server) -> None:
    assert ask(server).json[0] == ["ID", "NAME", "DAY", "AT"]
    assert ask(server, "check", "unlocked").status == 200


@pytest.mark.parametrize(
    ("parameters", "code", "culprit"),
    [
        ({"table": ""}, "MISSING_TABLE", "table"),
        ({"table[0]": "t", "table": "x", "table[]": "t"}, "MISSING_TABLE", "table"),
        ({"table": "no such table"}, "UNKNOWN_TABLE", "no such table"),
        ({"select[0]": "ID", "select[1]": "NOPE"}, "UNKNOWN_FIELD", "NOPE"),
        ({"select[0]": "X", "mapFields[NOPE]": "X"}, "UNKNOWN_FIELD", "NOPE"),
        ({"mapFields[ID]": "X", "mapFields[NAME]": "X", "select[]": "X"}, "INVALID_PARAMETER", "X"),
        ({"filter": "ID=1"}, "INVALID_FILTER", "filter"),
        ({"filter[=NOPE]": "1"}, "UNKNOWN_FIELD", "NOPE"),
        ({"filter[0][0][=NOPE][0]": "1"}, "UNKNOWN_FIELD", "NOPE"),
        ({"filter[?ID]": "1"}, "UNKNOWN_OPERATOR", "?ID"),
        ({"filter[*ID]": "1"}, "UNKNOWN_OPERATOR", "*ID"),
        ({"filter[*=ID]": "1"}, "UNKNOWN_OPERATOR", "*=ID"),
        ({"filter[*%ID]": "1"}, "UNKNOWN_OPERATOR", "*%ID"),
        ({"filter[=]": "1"}, "INVALID_FILTER", "="),
        ({"filter[LOGIC]": "XOR", "filter[=ID]": "1"}, "INVALID_FILTER", "LOGIC"),
        ({"filter[0]": "1"}, "INVALID_FILTER", "0"),
        ({"filter[=ID]": "one"}, "INVALID_VALUE", "one"),
        ({"filter[=ID][0]": "1", "filter[=ID][1]": "2x"}, "INVALID_VALUE", "2x"),
        ({"filter[=ID][0][0]": "1"}, "INVALID_VALUE", "=ID"),
        ({"filter[=ID][x]": "1"}, "INVALID_VALUE", "=ID"),
        ({"filter[><ID]": "1"}, "INVALID_VALUE", "><ID"),
        ({"filter[!><ID][0]": "1"}, "INVALID_VALUE", "!><ID"),
        ({"filter[>=DAY]": "31.02.2026"}, "INVALID_VALUE", "31.02.2026"),
        ({"filter[>=AT]": "soon"}, "INVALID_VALUE", "soon"),
        ({"filter[=NAME]": "a\0b"}, "INVALID_VALUE", "=NAME"),
        ({"limit": "-1"}, "INVALID_LIMIT", "limit"),
        ({"limit": "1.5"}, "INVALID_LIMIT", "limit"),
        ({"limit[0]": "1"}, "INVALID_LIMIT", "limit"),
    ],
    ids=str,
)
def test_a_mistake_is_named(server: Server, parameters: Any, code: str, culprit: str) -> None:
    answer = ask(server, **parameters)
    assert (answer.error, answer.status) == (code, STATUS[code])
    assert culprit in answer.json["error_description"]


def test_an_unencoded_bracket_does_not_lose_a_condition(server: Server) -> None:
    answer = server.post(DATA, "connection[token]=right&table=t&filter[>=ID=1")
    assert answer.error == "INVALID_PARAMETER"


@pytest.mark.parametrize("endpoint", ["table_description", "data"])
def test_the_table_may_be_called_name(server: Server, endpoint: str) -> None:
    path = f"/api/company/{endpoint}"
    assert server.form(path, "right", name="t").json == ask(server, endpoint).json
    assert server.form(path, "right", name="nope").error == "UNKNOWN_TABLE"
    assert server.form(path, "right").error == "MISSING_TABLE"


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        (b"", "application/json", "MALFORMED_BODY"),
        (b"[]", "application/json", "MALFORMED_BODY"),
        (b'{"table": NaN}', "application/json", "MALFORMED_BODY"),
        (b"\xff{}", "application/json", "BROKEN_TEXT"),
        (b'{"table": "\\ud800"}', FORM, "BROKEN_TEXT"),
        (b'{"a": ' + b"[" * 100_000, FORM, "TOO_DEEP"),
        (b'{"a": [' + b"0," * MAX_KEYS + b"0]}", FORM, "TOO_MANY_KEYS"),
        (b"table=t", "multipart/form-data; boundary=x", "UNSUPPORTED_MEDIA_TYPE"),
        (b"", None, "INVALID_TOKEN"),
        (b"&&=&[]=&[", FORM, "INVALID_TOKEN"),
    ],
    ids=repr,
)
def test_a_body_that_cannot_be_read(
    server: Server, body: bytes, media_type: str | None, code: str
) -> None:
    answer = server.post(DATA, body, content_type=media_type)
    assert (answer.error, answer.status) == (code, STATUS[code])


def test_a_compressed_body_is_refused(server: Server) -> None:
    for encoding in ("gzip", "deflate", "br"):
        answer = server.post(DATA, b"\x1f\x8b", headers={"Content-Encoding": encoding})
        assert answer.error == "UNSUPPORTED_MEDIA_TYPE"


def test_a_large_body_is_answered_although_the_client_is_still_sending(server: Server) -> None:
    answer = server.post(DATA, b"table=t&a=" + b"x" * 10 * MAX_BYTES)
    assert (answer.status, answer.error) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(("filler", "status"), [(10, 200), (MAX_BYTES, 413)])
def test_a_body_may_come_in_chunks(server: Server, filler: int, status: int) -> None:
    body = urlencode({"connection[token]": "right", "table": "t", "x": "x" * filler}).encode()
    pieces = (body[i : i + 50_000] for i in range(0, len(body), 50_000))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Content-Type": FORM, "Transfer-Encoding": "chunked"}
    connection.request("POST", DATA, pieces, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, bool(json.loads(answer.read()))) == (status, True)
    connection.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_endpoints_take_post_only(server: Server, method: str, endpoint: str) -> None:
    answer = server.request(method, f"/api/company/{endpoint}")
    assert (answer.status, answer.error) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/api", "/api/company", "/api/company/data/", "/api//data"])
def test_nothing_is_at_any_other_address(server: Server, path: str) -> None:
    assert server.post(path, "connection[token]=right").error == "UNKNOWN_ENDPOINT"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("source", ["absent", "unreachable", "locked"])
def test_a_source_that_is_not_there_is_named_and_the_log_says_why(
    server: Server, source: str, endpoint: str
) -> None:
    before = len(server.lines())
    answer = ask(server, endpoint, source)
    assert (answer.status, answer.error) == (503, "SOURCE_UNAVAILABLE")
    assert f"Source {source} is not available" in answer.json["error_description"]
    why = {
        "absent": "/no/such/directory/shop.db: unable to open",
        "unreachable": "Connection refused",
        "locked": "password authentication failed",
    }[source]
    logged = server.lines()[before:]
    (line,) = (line for line in logged.splitlines() if why in line)
    # The names of these sources are their tokens, too.
    assert f"request {answer.headers['X-Request-Id']}: source ***: SourceUnavailable: " in line
    assert why not in answer.body.decode()
    assert PASSWORD not in logged + answer.body.decode()


def test_a_reason_of_several_lines_is_one_line_of_the_log(server: Server) -> None:
    answer = ask(server, token="of-lines")
    assert (answer.status, answer.error) == (502, "QUERY_FAILED")
    request = f"request {answer.headers['X-Request-Id']}: source lines: QueryFailed: "
    (line,) = (line for line in server.lines().splitlines() if request in line)
    # PostgreSQL shows the line with the mistake, and a mark below it.
    assert "syntax error" in line
    assert line.endswith("^")


def test_a_fault_of_ours_is_explained_in_the_log_only(server: Server) -> None:
    answer = ask(server, "table_list", "faulty")
    assert (answer.status, answer.error) == (500, "INTERNAL_ERROR")
    assert answer.headers["X-Request-Id"] in answer.json["error_description"]
    assert "nobody expected" not in answer.body.decode()
    assert "a fault that nobody expected" in server.lines()
    assert "Traceback" in server.lines()
