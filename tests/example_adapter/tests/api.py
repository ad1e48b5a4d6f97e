"""The orders API itself: a real HTTP server with pages, a token and a few filters of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.testing.data import COLUMNS, ROWS, TABLE

TOKEN = "sesame-opens"
KINDS = {
    "id": ("integer", ["eq", "lt", "lte", "gt", "gte"]),
    "customer": ("text", ["eq"]),
    "quantity": ("integer", []),
    "price": ("number", []),
    "day": ("day", ["eq", "lte", "gte"]),
    "created": ("instant", ["lt", "gte"]),
}
READ: dict[str, Callable[[str], Any]] = {
    "id": int,
    "customer": str.lower,
    "day": date.fromisoformat,
    "created": datetime.fromisoformat,
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}
LARGEST_PAGE = 500


def stored(row: dict[str, Any]) -> dict[str, Any]:
    created = row["created"]
    return row | {"created": created and created.replace(tzinfo=UTC)}


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


STORED = [stored(row) for row in ROWS]
SENT = [{name: plain(value) for name, value in row.items()} for row in STORED]


class Refused(Exception):
    """An answer other than 200."""


class Handler(BaseHTTPRequestHandler):
    """GET /collections, /collections/NAME and /collections/NAME/rows."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Api

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        parts = [unquote(part) for part in split.path.strip("/").split("/")]
        try:
            self.send(200, self.answer(parts, parse_qsl(split.query, keep_blank_values=True)))
        except Refused as refused:
            self.send(refused.args[0], {"error": refused.args[0]})

    def answer(self, parts: list[str], parameters: list[tuple[str, str]]) -> Any:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            raise Refused(401)
        match parts:
            case ["collections"]:
                return [TABLE]
            case ["collections", name] if name == TABLE:
                return [
                    {"name": name, "kind": KINDS[name][0], "filters": KINDS[name][1]}
                    for name in COLUMNS
                ]
            case ["collections", name, "rows"] if name == TABLE:
                self.server.asked.append(parameters)
                return self.rows(parameters)
        raise Refused(404)

    def rows(self, parameters: list[tuple[str, str]]) -> Any:
        known = dict(parameters)
        fields = known["fields"].split(",")
        if not set(fields) <= set(COLUMNS):
            raise Refused(404)
        size, after = int(known["size"]), int(known.get("after", 0))
        if not 0 < size <= LARGEST_PAGE:
            raise Refused(400)
        asked = [question(key, value) for key, value in parameters if "." in key]
        found = []
        for place in range(after, len(STORED)):
            if all(holds(STORED[place]) for holds in asked):
                found.append({name: SENT[place][name] for name in fields})
            if len(found) == size:
                rest = place + 1 < len(STORED)
                self.server.sent += len(found)
                return {"rows": found, "next": str(place + 1) if rest else None}
        self.server.sent += len(found)
        return {"rows": found, "next": None}

    def send(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def question(key: str, value: str) -> Callable[[dict[str, Any]], bool]:
    """What tells whether a row has the property that a parameter asks for."""
    name, _, operator = key.partition(".")
    if operator not in KINDS[name][1]:
        raise Refused(400)
    compare, asked = COMPARE[operator], READ[name](value)

    def holds(row: dict[str, Any]) -> bool:
        cell = row[name].lower() if name == "customer" and row[name] else row[name]
        return cell is not None and compare(cell, asked)

    return holds


class Api(ThreadingHTTPServer):
    """The server; it remembers what it was asked and how many rows it has sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[list[tuple[str, str]]] = []
        self.sent = 0

    @property
    def url(self) -> str:
        """The source's address in a configuration."""
        return f"orders+http://{TOKEN}@127.0.0.1:{self.server_port}"


@contextmanager
def serving_api() -> Iterator[Api]:
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever)
        thread.start()
        try:
            yield api
        finally:
            api.shutdown()
            thread.join()
