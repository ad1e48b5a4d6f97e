"""A coordinator that speaks Trino's client protocol over HTTP on loopback, and knows no SQL.

It was written from https://trino.io/docs/current/develop/client-protocol.html: a statement is
posted to ``/v1/statement``; every answer has the id and the statistics of the query, perhaps
columns and rows, and a ``nextUri`` for as long as there is more to come; an error ends the query;
DELETE of the ``nextUri`` cancels it. What is answered to which statement is the test's to say.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Failure:
    """An error as the coordinator reports it."""

    name: str
    code: int = 1
    type: str = "USER_ERROR"
    message: str = "line 1:15: something is wrong"

    def as_json(self) -> dict[str, Any]:
        return {
            "message": self.message,
            "errorCode": self.code,
            "errorName": self.name,
            "errorType": self.type,
            "failureInfo": {"type": "io.trino.spi.TrinoException", "message": self.message},
        }


@dataclass(frozen=True)
class Answer:
    """Columns, by name and type, and pages of rows; an error after the pages that came well."""

    columns: dict[str, str]
    pages: Iterable[list[Any]] = ()
    failure: Failure | None = None


@dataclass
class Statement:
    """One that was posted: its text with the values in place, and what became of it."""

    text: str
    headers: dict[str, str]
    answer: Answer | Failure
    pages: Iterator[list[Any]] = field(default_factory=lambda: iter(()))
    token: int = 0
    fetched: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class Coordinator:
    """``answers`` are tried in order: a pattern in the statement, and what is answered to it."""

    port: int = 0
    answers: list[tuple[str, Answer | Failure | Callable[[], Answer]]] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    password: str | None = None
    gone: bool = False
    """Whether a cancelled query is forgotten, as by a coordinator that was restarted."""
    plain: tuple[int, bytes] | None = None
    """A status and a body to answer everything with, as something else than Trino would."""

    def post(self, text: str, headers: dict[str, str]) -> tuple[int, Any]:
        text = _immediate(text)
        for pattern, answer in self.answers:
            if re.search(pattern, text):
                found = answer() if callable(answer) else answer
                break
        else:
            found = Failure("SYNTAX_ERROR", message=f"not expected: {text}")
        statement = Statement(text, headers, found)
        if isinstance(found, Answer):
            statement.pages = iter(found.pages)
        self.statements.append(statement)
        number = len(self.statements) - 1
        # A real one answers the first time before it has begun.
        return 200, self._page(number, state="QUEUED", next_kind="queued")

    def get(self, number: int, token: int) -> tuple[int, Any]:
        statement = self.statements[number]
        if token != statement.token:
            return 410, None
        if statement.cancelled.is_set():
            if self.gone:
                return 404, None
            failure = Failure("USER_CANCELED", 3, message="Query was canceled")
            return 200, self._page(number, state="FAILED", failure=failure, last=True)
        if isinstance(statement.answer, Failure):
            return 200, self._page(number, state="FAILED", failure=statement.answer, last=True)
        columns = [_column(name, kind) for name, kind in statement.answer.columns.items()]
        rows = next(statement.pages, None)
        if rows is None:
            failure = statement.answer.failure
            state = "FAILED" if failure else "FINISHED"
            return 200, self._page(number, columns, state=state, failure=failure, last=True)
        statement.fetched += 1
        return 200, self._page(number, columns, rows)

    def delete(self, number: int) -> tuple[int, Any]:
        self.statements[number].cancelled.set()
        return 204, None

    def _page(
        self,
        number: int,
        columns: list[Any] | None = None,
        rows: list[Any] | None = None,
        *,
        state: str = "RUNNING",
        failure: Failure | None = None,
        next_kind: str = "executing",
        last: bool = False,
    ) -> dict[str, Any]:
        statement = self.statements[number]
        statement.token += 1
        here = f"http://127.0.0.1:{self.port}"
        identity = f"20260901_120000_{number:05}_abcde"
        page: dict[str, Any] = {
            "id": identity,
            "infoUri": f"{here}/ui/query.html?{identity}",
            "stats": {"state": state, "queued": state == "QUEUED", "scheduled": True, "nodes": 1},
            "warnings": [],
        }
        if columns is not None:
            page["columns"] = columns
        if rows:
            page["data"] = rows
        if failure is not None:
            page["error"] = failure.as_json()
        if not last:
            path = f"/v1/statement/{next_kind}/{identity}/slug/{statement.token}"
            page["nextUri"] = here + path
        return page


class _Handler(BaseHTTPRequestHandler):
    state: Coordinator
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path != "/v1/statement":
            self._answer(404, None)
        else:
            self._answer(*self._guarded(lambda: self.state.post(text, dict(self.headers.items()))))

    def do_GET(self) -> None:
        number, token = self._query()
        self._answer(*self._guarded(lambda: self.state.get(number, token)))

    def do_DELETE(self) -> None:
        self._answer(*self._guarded(lambda: self.state.delete(self._query()[0])))

    def _query(self) -> tuple[int, int]:
        found = re.fullmatch(r"/v1/statement/\w+/\d+_\d+_(\d+)_\w+/slug/(\d+)", self.path, re.ASCII)
        assert found, self.path
        return int(found[1]), int(found[2])

    def _guarded(self, act: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
        given = self.headers.get("Authorization", "")
        if self.state.plain is not None:
            return self.state.plain
        if self.state.password is not None:
            wanted = base64.b64encode(f"anna:{self.state.password}".encode()).decode()
            if given != f"Basic {wanted}":
                return 401, b"Access Denied: Invalid credentials"
        return act()

    def _answer(self, status: int, body: Any) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else _json(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def coordinator() -> Iterator[Coordinator]:
    """A coordinator that listens until the block ends."""
    state = Coordinator()

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


def _immediate(text: str) -> str:
    """``EXECUTE IMMEDIATE '…' USING …`` with its values where they belong."""
    found = re.fullmatch(r"EXECUTE IMMEDIATE '((?:[^']|'')*)'(?: USING (.*))?", text, re.DOTALL)
    if not found:
        return text
    literal = r"(?:\w+ )?'(?:[^']|'')*'|[^,']+"
    values = iter(re.findall(literal, found[2] or ""))

    def filled(token: re.Match[str]) -> str:
        return next(values) if token[0] == "?" else token[0]

    return re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|\?", filled, found[1].replace("''", "'"))


def _column(name: str, kind: str) -> dict[str, Any]:
    """Of types with no other arguments than numbers."""
    word, _, rest = kind.partition("(")
    arguments = [
        {"kind": "LONG", "value": int(number)} for number in rest.rstrip(")").split(",") if number
    ]
    if kind == "varchar":  # of any length
        arguments = [{"kind": "LONG", "value": 2147483647}]
    signature = {"rawType": word, "arguments": arguments}
    return {"name": name, "type": kind, "typeSignature": signature}
