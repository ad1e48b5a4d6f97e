"""What the tests of the emulator share: a real portal, a real connector, and a plain client."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

import emulator
from emulator import php

WIRE = Path(__file__).parent.parent / "wire"
TOKEN = "sesame-street-42"
LOGO = "data:image/svg+xml;base64,PHN2Zy8+"


@dataclass
class Answer:
    """Status, headers and text of an HTTP answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def fetch(method: str, url: str, body: bytes | None = None, content_type: str = "") -> Answer:
    headers = {"Content-Type": content_type} if content_type else {}
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=20) as response:
            return Answer(response.status, dict(response.headers), response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read().decode())


@dataclass
class Heard:
    """One request that the played connector got."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: str

    @property
    def params(self) -> dict[str, Any]:
        return php.parse_query(self.body)


Reply = tuple[int, dict[str, str], bytes]
Behaviour = Callable[[Heard, http.server.BaseHTTPRequestHandler], Reply | None]


@dataclass
class PlayedConnector:
    """A connector over the wire cases' table, whose endpoints a test can replace."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    replace: dict[str, Behaviour] = field(default_factory=dict)

    def endpoint(self, name: str) -> str:
        return f"{self.url}/api/company/{name}"

    def last(self, name: str) -> Heard:
        return [item for item in self.heard if item.path.endswith("/" + name)][-1]

    def answer(self, heard: Heard, handler: http.server.BaseHTTPRequestHandler) -> Reply | None:
        name = heard.path.rpartition("/")[2].partition("?")[0]
        if name in self.replace:
            return self.replace[name](heard, handler)
        return reply(*ORDINARY[name](heard))


def reply(status: int, value: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def always(status: int, value: Any, headers: dict[str, str] | None = None) -> Behaviour:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return lambda _heard, _handler: (status, headers or {}, body)


def _allowed(heard: Heard) -> bool:
    return heard.params.get("connection", {}).get("token") == TOKEN


def _check(heard: Heard) -> tuple[int, Any]:
    return (200, {"status": "ok"}) if _allowed(heard) else (401, {"error": "WRONG_TOKEN"})


def _table_list(heard: Heard) -> tuple[int, Any]:
    search = heard.params.get("searchString", "").lower()
    tables = [{"code": "orders", "title": "Orders"}, {"code": "people", "title": "People"}]
    return 200, [table for table in tables if search in table["title"].lower()]


def orders() -> tuple[list[dict[str, str]], list[list[Any]]]:
    content = json.loads((WIRE / "orders.json").read_text(encoding="utf-8"))
    return content["columns"], content["rows"]


def _description(heard: Heard) -> tuple[int, Any]:
    columns, _ = orders()
    return 200, [
        {"code": column["name"].upper(), "name": column["name"], "type": column["type"]}
        for column in columns
    ]


def _data(heard: Heard) -> tuple[int, Any]:
    """Answer as a connector does, but for the filter, which these tests read instead."""
    columns, rows = orders()
    codes = [column["name"].upper() for column in columns]
    names = {name: code for code, name in heard.params.get("mapFields", {}).items()}
    select = heard.params.get("select") or codes
    places = [codes.index(names.get(name, name)) for name in select]
    limit = int(heard.params.get("limit", 0)) or len(rows)
    return 200, [select, *([row[place] for place in places] for row in rows[:limit])]


ORDINARY: dict[str, Callable[[Heard], tuple[int, Any]]] = {
    "check": _check,
    "table_list": _table_list,
    "table_description": _description,
    "data": _data,
}


def _handler(played: PlayedConnector) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            heard = Heard(self.command, self.path, list(self.headers.items()), body)
            played.heard.append(heard)
            answer = played.answer(heard, self)
            self.close_connection = True
            if answer is None:  # the behaviour has written for itself
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 -- the names that http.server calls

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextlib.contextmanager
def played_connector() -> Iterator[PlayedConnector]:
    played = PlayedConnector()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(played))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    played.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield played
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class EmulatedPortal:
    """A client of a running emulator, with one application declared and given tokens."""

    url: str
    portal: emulator.Portal
    token: str = ""
    client_id: str = "local.company"

    def post(self, path: str, value: Any = None) -> Answer:
        body = json.dumps({} if value is None else value).encode()
        return fetch("POST", self.url + path, body, "application/json")

    def get(self, path: str) -> Answer:
        return fetch("GET", self.url + path)

    def control(self, path: str, /, **values: Any) -> Any:
        answer = self.post(f"/emulator/{path}", values)
        assert answer.status == 200, answer.text
        return answer.json

    def rest(self, method: str, parameters: dict[str, Any] | None = None, **more: Any) -> Any:
        """Call a method and return its result; errors are returned as `code: description`."""
        answer = self.post(f"/rest/{method}", {"auth": self.token, **(parameters or {}), **more})
        body = answer.json
        error = body if "error" in body else body.get("result")
        if isinstance(error, dict) and "error" in error:
            pair = error["error"] if isinstance(error["error"], dict) else error
            return f"{pair['error']}: {pair['error_description']}"
        return body["result"]

    def code(self, method: str, parameters: dict[str, Any] | None = None, **more: Any) -> str:
        """Call a method that has to fail and return the code of its error."""
        result = self.rest(method, parameters, **more)
        assert isinstance(result, str), result
        return result.partition(":")[0]

    def application(self, client_id: str) -> str:
        """Declare another application and return an access token of it."""
        self.control("applications", client_id=client_id, client_secret="s3cret-of-it")
        return str(self.control("tokens", client_id=client_id)["access_token"])

    def wire(self) -> list[dict[str, Any]]:
        return list(self.get("/emulator/wire").json)


@contextlib.contextmanager
def emulated_portal(options: emulator.Options) -> Iterator[EmulatedPortal]:
    app = emulator.create_app(options)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    running = EmulatedPortal(f"http://127.0.0.1:{server.port}", emulator.portal_of(app))
    try:
        running.token = running.application(running.client_id)
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def connector_fields(played: PlayedConnector | None = None, **changes: Any) -> dict[str, Any]:
    """Return the fields of a connector; without a played one its addresses lead nowhere."""
    base = played.url if played else "http://127.0.0.1:9"
    return {
        "title": "Company databases",
        "logo": LOGO,
        "urlCheck": f"{base}/api/company/check",
        "urlTableList": f"{base}/api/company/table_list",
        "urlTableDescription": f"{base}/api/company/table_description",
        "urlData": f"{base}/api/company/data",
        "settings": [{"code": "token", "name": "Token", "type": "STRING"}],
    } | changes


def dataset_fields(source_id: int, **changes: Any) -> dict[str, Any]:
    columns, _ = orders()
    return {
        "sourceId": source_id,
        "name": "orders",
        "externalName": "Orders",
        "externalCode": "orders",
        "fields": [
            {
                "name": column["name"].upper(),
                "externalCode": column["name"].upper(),
                "type": column["type"],
            }
            for column in columns
        ],
    } | changes


@dataclass
class Journey:
    """A connector, a source and a dataset that exist."""

    connector: int
    source: int
    dataset: int


def journey(portal: EmulatedPortal, played: PlayedConnector, **dataset: Any) -> Journey:
    connector = portal.rest("biconnector.connector.add", fields=connector_fields(played))["id"]
    fields = {"title": "Shop", "connectorId": connector, "settings": {"token": TOKEN}}
    source = portal.rest("biconnector.source.add", fields=fields)["id"]
    made = portal.rest("biconnector.dataset.add", fields=dataset_fields(source, **dataset))
    return Journey(connector, source, made["id"])
