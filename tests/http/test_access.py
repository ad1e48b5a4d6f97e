"""A token opens its sources at its connectors, and nothing else exists for whoever holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.engines import sqlite_engine
from tests.server import Answer, Server, serving

ENDPOINTS = ("check", "table_list", "table_description", "data")
DIGEST = sha256(b"hashed").hexdigest()
TABLES = {
    "shop": ["orders", "customers"],
    "crm": ["orders", "people"],
    "hr": ["salaries"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with ExitStack() as stack:
        urls = {}
        for source, tables in TABLES.items():
            engine = stack.enter_context(sqlite_engine(tmp_path_factory.mktemp(source)))
            urls[source] = engine.url
            for table in tables:
                engine.execute(f"CREATE TABLE {table} (id INTEGER, place TEXT)")
                engine.execute(f"INSERT INTO {table} VALUES (?, ?)", [(1, f"{source}.{table}")])
        config = f"""
            [connectors.company]
            title = "Company"
            [connectors.staff]
            title = "Staff"
            [sources.shop]
            url = "{urls["shop"]}"
            tokens = ["of-shop", "of-both", "sha256:{DIGEST}", "ключ+%&=", "everywhere"]
            connectors = ["company"]
            [sources.crm]
            url = "{urls["crm"]}"
            tokens = ["of-crm", "of-both"]
            connectors = ["company"]
            [sources.hr]
            url = "{urls["hr"]}"
            tokens = ["of-hr", "everywhere"]
            connectors = ["staff"]
        """
        directory: Path = tmp_path_factory.mktemp("server")
        yield stack.enter_context(serving(directory, config))


def ask(server: Server, token: str, endpoint: str, connector: str = "company", **more: str) -> Any:
    answer = server.form(f"/api/{connector}/{endpoint}", token, **more)
    assert answer.status == 200, answer
    return answer.json


def codes(server: Server, token: str, connector: str = "company") -> list[str]:
    return sorted(row["code"] for row in ask(server, token, "table_list", connector))


def refusal(answer: Answer) -> str:
    assert (answer.status, answer.error) == (401, "INVALID_TOKEN")
    return str(answer.json["error_description"])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "connection",
    [
        {},
        {"connection": ""},
        {"connection": "of-shop"},
        {"connection[token]": ""},
        {"connection[token]": " "},
        {"connection[token]": "wrong"},
        {"connection[token]": "OF-SHOP"},
        {"connection[token]": "of-sho"},
        {"connection[token]": "of-shop "},
        {"connection[token]": "of-hr"},
        {"connection[token]": DIGEST},
        {"connection[token]": f"sha256:{DIGEST}"},
        {"connection[token][0]": "of-shop"},
        {"connection[password]": "of-shop"},
        {"token": "of-shop"},
        {"connection[TOKEN]": "of-shop"},
    ],
    ids=str,
)
def test_who_has_no_token_gets_in_nowhere(
    server: Server, endpoint: str, connection: dict[str, str]
) -> None:
    body = urlencode({"table": "orders", **connection})
    said = refusal(server.post(f"/api/company/{endpoint}", body))
    assert not any(value in said for value in connection.values() if value.strip())


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "connection", [None, False, [], {}, "of-shop", {"token": None}, {"token": ["of-shop"]}], ids=str
)
def test_nor_with_json(server: Server, endpoint: str, connection: Any) -> None:
    refusal(server.send_json(f"/api/company/{endpoint}", {"table": "t", "connection": connection}))


def test_nor_by_the_address_or_a_header(server: Server) -> None:
    path = "/api/company/check?connection[token]=of-shop&token=of-shop"
    headers = {"Authorization": "Bearer of-shop", "Cookie": "token=of-shop"}
    refusal(server.post(path, "", headers=headers))


@pytest.mark.parametrize("token", ["of-shop", "hashed", "ключ+%&="])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_right_token_opens_every_endpoint(server: Server, endpoint: str, token: str) -> None:
    assert ask(server, token, endpoint, table="orders")
    value = {"connection": {"token": token}, "table": "orders"}
    assert server.send_json(f"/api/company/{endpoint}", value).status == 200


def test_a_token_of_one_source_sees_bare_codes(server: Server) -> None:
    assert codes(server, "of-shop") == ["customers", "orders"]
    assert ask(server, "of-crm", "data", table="orders")[1] == [1, "crm.orders"]


def test_a_token_of_two_sources_tells_their_tables_apart(server: Server) -> None:
    listed = ["crm___orders", "crm___people", "shop___customers", "shop___orders"]
    assert codes(server, "of-both") == listed
    for code in listed:
        assert ask(server, "of-both", "table_description", table=code)[0]["code"] == "ID"
        place = code.replace("___", ".")
        assert ask(server, "of-both", "data", table=code) == [["ID", "PLACE"], [1, place]]


def test_a_bare_code_is_enough_as_long_as_only_one_source_has_it(server: Server) -> None:
    assert ask(server, "of-both", "data", table="people")[1] == [1, "crm.people"]
    for endpoint in ("table_description", "data"):
        answer = server.form(f"/api/company/{endpoint}", "of-both", table="orders")
        assert answer.error == "UNKNOWN_TABLE"
        assert "shop___orders" in answer.json["error_description"]
        assert "crm___orders" in answer.json["error_description"]


def test_a_code_with_its_source_outlives_the_token_of_several(server: Server) -> None:
    assert ask(server, "of-shop", "data", table="shop___orders")[1] == [1, "shop.orders"]


@pytest.mark.parametrize("endpoint", ["table_description", "data"])
@pytest.mark.parametrize(
    ("token", "table"),
    [
        ("of-shop", "crm___people"),
        ("of-shop", "people"),
        ("of-shop", "crm___orders"),
        ("of-shop", "hr___salaries"),
        ("of-both", "hr___salaries"),
        ("of-both", "salaries"),
        ("everywhere", "salaries"),
    ],
)
def test_what_others_have_does_not_exist(
    server: Server, endpoint: str, token: str, table: str
) -> None:
    path = f"/api/company/{endpoint}"
    answer = server.form(path, token, table=table)
    assert (answer.status, answer.error) == (404, "UNKNOWN_TABLE")
    missing = server.form(path, token, table="no_such_table")
    assert answer.body.replace(table.encode(), b"") == missing.body.replace(b"no_such_table", b"")


def test_a_search_finds_nothing_of_others(server: Server) -> None:
    assert ask(server, "of-shop", "table_list", searchString="people") == []
    assert ask(server, "of-both", "table_list", searchString="salaries") == []


def test_a_token_is_good_at_the_connectors_of_its_source_only(server: Server) -> None:
    assert codes(server, "of-hr", "staff") == ["salaries"]
    assert codes(server, "everywhere", "staff") == ["salaries"]
    assert codes(server, "everywhere", "company") == ["customers", "orders"]
    for token, connector in [("of-hr", "company"), ("of-shop", "staff"), ("of-both", "staff")]:
        for endpoint in ENDPOINTS:
            answer = server.form(f"/api/{connector}/{endpoint}", token, table="orders")
            wrong = server.form(f"/api/{connector}/{endpoint}", "wrong", table="orders")
            assert refusal(answer) == refusal(wrong)


@pytest.mark.parametrize("connector", ["nobody", "Company", "company%20", "..%2Fcompany", "%00"])
def test_no_token_is_good_at_a_connector_that_does_not_exist(
    server: Server, connector: str
) -> None:
    answer = server.form(f"/api/{connector}/check", "of-shop")
    assert answer.status == 404
    assert answer.error in ("UNKNOWN_CONNECTOR", "UNKNOWN_ENDPOINT")
