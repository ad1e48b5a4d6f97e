"""A request that does not come whole is none, and holds nobody up; what it says is not repeated."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engines import sqlite_engine
from tests.server import FORM, Server, serving

CONFIG = """
[connectors.company]
title = "Company"
[sources.shop]
url = "{url}"
tokens = ["open"]
"""
SECRET = "hunter2-typed"
HEAD = f"POST /api/company/data HTTP/1.1\r\nHost: test\r\nContent-Type: {FORM}\r\n"
WHOLE = "connection%5Btoken%5D=open&table=t&filter%5B%3DID%5D%5B0%5D=1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with sqlite_engine(tmp_path) as engine:
        engine.execute("CREATE TABLE t (id INTEGER)")
        engine.execute("INSERT INTO t VALUES (?)", [(1,), (2,)])
        with serving(tmp_path, CONFIG.format(url=engine.url)) as running:
            yield running


def answer_to(server: Server, request: str) -> bytes:
    """What comes back when no more than this is sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.sendall(request.encode())
        raw.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
        return answer


@pytest.mark.parametrize(
    "request_",
    [
        f"Content-Length: {len(WHOLE)}\r\n\r\n{WHOLE.partition('&filter')[0]}",
        f"Content-Length: {len(WHOLE)}\r\n\r\n",
        f"Transfer-Encoding: chunked\r\n\r\n{len(WHOLE):x}\r\n{WHOLE.partition('&filter')[0]}",
        f"Transfer-Encoding: chunked\r\n\r\n{len(WHOLE) - 5:x}\r\n{WHOLE}\r\n0\r\n\r\n",
        f"Transfer-Encoding: chunked\r\n\r\nconnection[token]={SECRET}\r\n{WHOLE}\r\n0\r\n\r\n",
    ],
    ids=["cut", "empty", "chunk cut", "chunk too long", "no chunk"],
)
def test_half_a_body_is_no_request(server: Server, request_: str) -> None:
    answer = answer_to(server, HEAD + "Connection: close\r\n" + request_)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"MALFORMED_BODY" in answer
    assert "Traceback" not in server.lines()
    assert SECRET not in server.lines()


@pytest.mark.parametrize(
    "request_",
    [
        f"&connection[password]={SECRET}\r\n\r\n",
        f"POST /api/company/data HTTP/1.1\r\nAuthorization Bearer {SECRET}\r\n\r\n",
        f"GET / {SECRET}\r\n\r\n",
    ],
    ids=["line", "header", "version"],
)
def test_what_is_no_http_is_not_repeated(server: Server, request_: str) -> None:
    answer = answer_to(server, request_)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert SECRET.encode() not in answer
    assert " is no HTTP: " in server.lines()
    assert SECRET not in server.lines()


@pytest.mark.parametrize(
    "begun", [HEAD, f"{HEAD}Content-Length: 100\r\n\r\nconn"], ids=["head", "body"]
)
def test_whoever_sends_half_a_request_holds_nobody_up_for_long(server: Server, begun: str) -> None:
    """As many as a worker has threads, and then some."""
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    for raw in idle:
        raw.sendall(begun.encode())
    try:
        assert server.request("GET", "/healthz").status == 200  # within its time limit of 60 s
        assert all(raw.recv(1000)[:12] in (b"", b"HTTP/1.1 400") for raw in idle[:32])
    finally:
        for raw in idle:
            raw.close()


def test_it_stops_at_once_when_interrupted(tmp_path: Path) -> None:
    """By the signal of a terminal, which the workers get as well."""
    with sqlite_engine(tmp_path) as engine:
        engine.execute("CREATE TABLE t (id INTEGER)")
        with serving(tmp_path, CONFIG.format(url=engine.url), WEB_CONCURRENCY="2") as server:
            with ThreadPoolExecutor(6) as pool:
                asked = [
                    pool.submit(server.form, "/api/company/data", "open", table="t")
                    for _ in range(12)
                ]
            assert all(one.result().status == 200 for one in asked)
            for process in [*server.workers(), server.process.pid]:
                os.kill(process, signal.SIGINT)
            server.process.wait(15)
            assert "SIGKILL" not in server.lines()


def test_clients_that_do_not_hang_up_hold_nobody_up(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(10):
            staying = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            staying.sendall(b"GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        # Well before all of them together have been waited for.
        another = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        another.request("GET", "/healthz")
        assert another.getresponse().status == 200
        another.close()
