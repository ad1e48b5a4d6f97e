"""ClickHouse's HTTP interface in front of chdb, which is ClickHouse's engine as a library.

``python -m tests.engines.clickhouse_server PORT DIRECTORY``. The engine itself parses, runs, limits
and kills queries and writes their answers; what is made here is what its server would put around
them: a login, settings from the address, status and headers, a query that ends with its client, and
the error at the end of an answer that has already begun.
"""

from __future__ import annotations

import base64
import os
import re
import select
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
from werkzeug.formparser import parse_form_data

PROFILES = {
    "default": "",
    "locked": "",
    "strict": "readonly = 1",
    "lenient": "max_rows_to_read = 5000, max_block_size = 10, read_overflow_mode = 'break'",
    "strictly_lenient": "readonly = 1, read_overflow_mode = 'break'",
    "cutting": "max_result_rows = 10, max_block_size = 10, result_overflow_mode = 'break'",
    "limiting": "limit = 7",
}
PASSWORDS = {"locked": "secret"}
"""Settings that a user has before any question."""

_OF_THE_INTERFACE = {"query", "query_id", "database", "wait_end_of_query", "session_id"}
_OF_THE_INTERFACE |= {"client_protocol_version", "user", "password"}
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_ENDING = b'\n\t],\n\n\t"rows"'
# A server keeps as much before it sends a status.
_KEPT = 1 << 16
_HELD_BACK = 1 << 12
_STATUS = {60: 404, 81: 404, 497: 403, 516: 403, 159: 408, 62: 400, 47: 404}
_TAG = "abcdefghijklmnop"


class Failed(Exception):
    @property
    def code(self) -> int:
        found = re.search(r"Code: (\d+)", str(self))
        return int(found[1]) if found else 1


class Engine:
    def __init__(self, directory: str) -> None:
        self.path = directory
        self._open = chdb.connect(directory)  # ends with the last of its connections

    @contextmanager
    def session(self, database: str, settings: dict[str, str], profile: str = "") -> Iterator[Any]:
        connection = chdb.connect(self.path)
        try:
            run(connection, f"USE `{database}`")
            if profile:
                run(connection, f"SET {profile}")
            if settings:
                pairs = ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items())
                run(connection, f"SET {pairs}")
            yield connection
        finally:
            connection.close()

    def kill(self, identity: str) -> None:
        with self.session("default", {}) as connection:
            run(connection, f"KILL QUERY WHERE Settings['log_comment'] = {quoted(identity)} ASYNC")


def run(connection: Any, sql: str, parameters: dict[str, str] | None = None) -> bytes:
    try:
        found: bytes = connection.query(sql, "TabSeparated", params=parameters or {}).bytes()
        return found
    except RuntimeError as error:
        raise Failed(str(error)) from None


def quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    engine: Engine
    started = False

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        self.started = False
        try:
            self.query()
        except Failed as error:
            if self.started:
                self.append(str(error))
            else:
                body = f"{error} (version 26.9)\n".encode()
                self.answer(_STATUS.get(error.code, 500), body, error.code)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def query(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/"):
            environ = {"wsgi.input": BytesIO(body), "CONTENT_TYPE": kind}
            _, form, _ = parse_form_data({**environ, "CONTENT_LENGTH": str(len(body))})
            given |= form.to_dict()
            body = b""
        sql = given.get("query", "") + body.decode()
        user = self.login()
        parameters = {k.removeprefix("param_"): v for k, v in given.items() if k[:6] == "param_"}
        settings = {
            k: v for k, v in given.items() if k not in _OF_THE_INTERFACE and k[:6] != "param_"
        }
        identity = given.get("query_id", "")
        profile = PROFILES[user]
        if identity and "readonly = 1" not in profile:
            settings["log_comment"] = identity
        if sql.startswith("KILL"):
            sql = sql.replace("query_id", "Settings['log_comment']")
        database = given.get("database", "default")
        with self.engine.session(database, settings, profile) as connection:
            if _FORMAT.search(sql) and not sql.lstrip().upper().startswith("INSERT"):
                self.stream(connection, sql, parameters, identity)
            else:
                self.answer(200, run(connection, sql, parameters))

    def login(self) -> str:
        scheme, _, given = self.headers.get("Authorization", "Basic ZGVmYXVsdDo=").partition(" ")
        name, _, password = base64.b64decode(given).decode().partition(":")
        if scheme != "Basic" or name not in PROFILES or PASSWORDS.get(name, "") != password:
            raise Failed(
                f"Code: 516. DB::Exception: {name}: Authentication failed: password is incorrect, "
                "or there is no user with such name. (AUTHENTICATION_FAILED)"
            )
        return name

    def stream(self, connection: Any, sql: str, parameters: dict[str, str], identity: str) -> None:
        """Send what the engine writes into a pipe, as it writes it."""
        failure: list[Failed] = []
        with tempfile.TemporaryDirectory() as directory:
            pipe = Path(directory) / "pipe"
            os.mkfifo(pipe)
            whole = _FORMAT.sub(rf"INTO OUTFILE '{pipe}' APPEND FORMAT \1", sql)

            def work() -> None:
                try:
                    run(connection, whole, parameters)
                except Failed as error:
                    failure.append(error)

            worker = threading.Thread(target=work)
            reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            worker.start()
            kept = b""
            try:
                for piece in self.pieces(reading, worker):
                    kept += piece
                    if len(kept) > _KEPT:
                        self.begin()
                        self.chunk(kept[:-_HELD_BACK])
                        kept = kept[-_HELD_BACK:]
            except (BrokenPipeError, ConnectionResetError):
                # The engine ends when it is told to, and only while somebody reads.
                while worker.is_alive():
                    self.engine.kill(identity)
                    self.drain(reading, worker)
                raise
            finally:
                os.close(reading)
                worker.join()
        if failure:
            if self.started:
                # The engine as a library ends its answer in good order, where its server does not.
                self.chunk(kept.rpartition(_ENDING)[0] or kept)
            raise failure[0]
        self.begin()
        self.chunk(kept)
        self.wfile.write(b"0\r\n\r\n")

    def pieces(self, reading: int, worker: threading.Thread) -> Iterator[bytes]:
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        while True:
            ended = not worker.is_alive()
            if piece := self.read(poll, reading, 0 if ended else 5):
                yield piece
            elif ended:
                return
            elif self.client_is_gone():
                raise BrokenPipeError

    def drain(self, reading: int, worker: threading.Thread) -> None:
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        for _ in range(100):
            self.read(poll, reading, 5)
            if not worker.is_alive():
                return

    def read(self, poll: Any, reading: int, milliseconds: int) -> bytes:
        if not any(event & select.POLLIN for _, event in poll.poll(milliseconds)):
            if milliseconds:
                threading.Event().wait(0.001)
            return b""
        with suppress(BlockingIOError):
            return os.read(reading, 1 << 20)
        return b""

    def client_is_gone(self) -> bool:
        if not select.select([self.connection], [], [], 0)[0]:
            return False
        return not self.connection.recv(1, socket.MSG_PEEK)

    def begin(self) -> None:
        if not self.started:
            self.started = True
            self.head(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()

    def chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def append(self, error: str) -> None:
        """An error in the middle, as the server has said it since version 25.11."""
        text = f"{error} (version 26.9)\n"
        size = len(text.encode())
        marked = f"__exception__\r\n{_TAG}\r\n{text}{size} {_TAG}\r\n__exception__\r\n"
        self.chunk(marked.encode())
        self.close_connection = True  # and no last chunk

    def answer(self, status: int, body: bytes, code: int | None = None) -> None:
        self.head(status)
        if code is not None:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def head(self, status: int) -> None:
        self.send_response(status)
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("X-ClickHouse-Exception-Tag", _TAG)
        self.send_header("Content-Type", "text/plain; charset=UTF-8")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*_)


if __name__ == "__main__":
    _, port, directory = sys.argv
    Handler.engine = Engine(directory)
    Server(("127.0.0.1", int(port)), Handler).serve_forever()
