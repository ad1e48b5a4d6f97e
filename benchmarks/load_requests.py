"""What the clients of the load ask for, and how each knows that its answer is right."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Callable
from typing import Any

from tests.server import Answer, Server

ROWS = 20_000
TOKEN = "token-of-the-load"
SOURCE_TIMEOUT = 20
# A client that waits longer than any answer may take hangs.
PATIENCE = SOURCE_TIMEOUT + 10

TABLE = f"""
    CREATE TABLE orders AS SELECT i AS id, 'City of Größe ' || i % 100 AS city,
        (i * 0.25)::numeric(14,2) AS price, date '2026-01-01' + i % 365 AS day
    FROM generate_series(1, {ROWS}) AS i;
    ALTER TABLE orders ADD PRIMARY KEY (id)
"""
COLUMNS = ["ID", "CITY", "PRICE", "DAY"]

# What may happen to an honest request while connections are killed, and while others are many.
BAD_LUCK = {503: {"SOURCE_UNAVAILABLE", "TOO_BUSY"}, 502: {"QUERY_FAILED"}}


class Wrong(Exception):
    """An answer that nobody should ever get."""


class Unlucky(Exception):
    """A refusal that says what is wrong, at a time when something is."""


def expected(kept: Callable[[int], bool] = lambda _: True) -> set[tuple[Any, ...]]:
    first = time.mktime((2026, 1, 1, 12, 0, 0, 0, 0, -1))
    days = [time.strftime("%Y-%m-%d", time.localtime(first + 86400 * d)) for d in range(365)]
    return {
        (i, f"City of Größe {i % 100}", i * 0.25, days[i % 365])
        for i in range(1, ROWS + 1)
        if kept(i)
    }


EVERYTHING = expected()
BY_CITY = {city: expected(lambda i, c=city: i % 100 == c) for city in range(0, 100, 7)}  # type: ignore[misc]


def rows_are(answer: Answer, rows: set[tuple[Any, ...]]) -> None:
    header, *found = answer.json
    if header != COLUMNS or len(found) != len(rows) or {tuple(row) for row in found} != rows:
        raise Wrong(f"{len(found)} rows that are not the {len(rows)} of the table")


def ask(server: Server, endpoint: str, token: str = TOKEN, **parameters: Any) -> Answer:
    return server.form(f"/api/company/{endpoint}", token, **parameters)


def honest(answer: Answer) -> Answer:
    """An answer to check; raises Unlucky for a refusal that may happen, and Wrong for others."""
    if answer.status == 200:
        return answer
    if answer.error in BAD_LUCK.get(answer.status, set()):
        raise Unlucky(answer.error)
    raise Wrong(f"{answer.status} {answer.error}")


def check(server: Server, _: random.Random) -> None:
    if honest(ask(server, "check")).json != {"status": "ok"}:
        raise Wrong("check")


def table_list(server: Server, _: random.Random) -> None:
    answer = honest(ask(server, "table_list", searchString="ord"))
    if answer.json != [{"code": "orders", "title": "orders"}]:
        raise Wrong(f"{answer.body!r}")


def description(server: Server, _: random.Random) -> None:
    answer = honest(ask(server, "table_description", table="orders"))
    types = ["int", "string", "double", "date"]
    if [(f["code"], f["type"]) for f in answer.json] != list(zip(COLUMNS, types, strict=True)):
        raise Wrong(f"{answer.body!r}")


def preview(server: Server, _: random.Random) -> None:
    header, *rows = honest(ask(server, "data", table="orders", limit="20")).json
    if header != COLUMNS or len(rows) != 20 or not {tuple(row) for row in rows} <= EVERYTHING:
        raise Wrong(f"{rows}")


def filtered(server: Server, chance: random.Random) -> None:
    city = chance.choice(list(BY_CITY))
    wanted = {"filter[0][LOGIC]": "OR", "filter[0][0][=CITY][0]": f"City of Größe {city}"}
    rows_are(honest(ask(server, "data", table="orders", **wanted)), BY_CITY[city])


def long_read(server: Server, _: random.Random) -> None:
    rows_are(honest(ask(server, "data", table="orders")), EVERYTHING)


def wrong_token(server: Server, chance: random.Random) -> None:
    endpoint = chance.choice(["check", "table_list", "data"])
    answer = ask(server, endpoint, TOKEN[:-1] + chance.choice("xyz"), table="orders")
    if (answer.status, answer.error) != (401, "INVALID_TOKEN"):
        raise Wrong(f"a wrong token got {answer.status}")


def malformed(server: Server, chance: random.Random) -> None:
    body = chance.choice([b"table=orders&filter[=", b"\xff\xfe=1", b"{" * 50, b""])
    answer = server.post("/api/company/data", body)
    if answer.status not in (400, 401):
        raise Wrong(f"nonsense got {answer.status}")


def leaves(server: Server, _: random.Random) -> None:
    with server.open("/api/company/data", TOKEN, table="orders") as raw:
        raw.recv(2000)


def slow_reader(server: Server, chance: random.Random) -> None:
    """Reads in small pieces for a while, and then the rest."""
    with server.open("/api/company/data", TOKEN, version="1.0", table="orders") as raw:
        raw.settimeout(PATIENCE)
        pieces = []
        while piece := raw.recv(20_000):
            pieces.append(piece)
            if len(pieces) < 10:
                time.sleep(chance.random() / 50)
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    answer = honest(Answer(int(lines[0].split()[1]), body, headers))
    try:
        rows_are(answer, EVERYTHING)
    except json.JSONDecodeError:
        # All that HTTP/1.0 can show of an answer that was cut off is that it is no JSON.
        raise http.client.IncompleteRead(body) from None


# How often each kind comes among a hundred requests.
MIX: dict[Callable[[Server, random.Random], None], int] = {
    check: 15,
    table_list: 10,
    description: 10,
    preview: 20,
    filtered: 20,
    long_read: 6,
    wrong_token: 7,
    malformed: 5,
    leaves: 4,
    slow_reader: 3,
}
