"""A real gunicorn with a configuration of its own, and requests to it as a portal sends them."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The code of an error answer, whose whole contract is checked on the way."""
        assert self.status >= 400, self
        assert self.headers["Content-Type"] == "application/json", self
        assert self.headers["X-Request-Id"], self
        assert self.json.keys() == {"error", "error_description"}, self
        assert self.json["error_description"].endswith("."), self
        return str(self.json["error"])


@dataclass(frozen=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str = b"",
        content_type: str | None = FORM,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            typed = {"Content-Type": content_type} if content_type else {}
            connection.request(method, path, body, {**typed, "Connection": "close", **headers})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.headers))
        finally:
            connection.close()

    def post(self, path: str, body: bytes | str = b"", **more: Any) -> Answer:
        return self.request("POST", path, body, **more)

    def form(self, path: str, token: str, **parameters: Any) -> Answer:
        """Parameters that are texts, form-encoded beside the token."""
        return self.post(path, urlencode({"connection[token]": token, **parameters}))

    def send_json(self, path: str, value: Any) -> Answer:
        return self.post(path, json.dumps(value), content_type="application/json")

    def open(self, path: str, token: str, version: str = "1.1", **parameters: Any) -> socket.socket:
        """A socket on which a request was sent and nothing was read yet."""
        body = urlencode({"connection[token]": token, **parameters})
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        raw.sendall(
            f"POST {path} HTTP/{version}\r\nHost: test\r\nContent-Type: {FORM}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
        )
        return raw

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def lines(self) -> str:
        """All that the server has logged so far."""
        return self.log.read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    directory: Path, config: str, port: int, **environment: str
) -> tuple[subprocess.Popen[bytes], Path]:
    """The process, which may still be starting or already have refused to."""
    (directory / "connector.toml").write_text(config, encoding="utf-8")
    log = directory / "server.log"
    command = [sys.executable, "-m", "app.cli", "serve", "--config", "connector.toml"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=directory,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
        )
    return process, log


@contextmanager
def serving(directory: Path, config: str, **environment: str) -> Iterator[Server]:
    """A running server; when the block ends it has to stop by itself when asked to."""
    port = free_port()
    process, log = start(directory, config, port, **{"WEB_CONCURRENCY": "1", **environment})
    server = Server(port, process, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if server.request("GET", "/healthz").status == 200:
                return
        except OSError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{server.lines()}") from None
            time.sleep(0.05)


def eventually(condition: Any, seconds: float = 10) -> None:
    """Wait until ``condition()`` is true; fail if it is not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
