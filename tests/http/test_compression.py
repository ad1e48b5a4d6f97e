"""Answers are compressed for those who ask, and stay whole or recognisably broken."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.engines import Engine, postgresql_engine
from tests.http.test_stream import NOT_JSON, body_of, read_all
from tests.server import FORM, Answer, Server, serving

HEARTBEAT = 0.4
CONFIG = """
    [server]
    heartbeat = {heartbeat}
    {more}
    [connectors.company]
    title = "Company"
    [sources.shop]
    url = "{url}"
    tokens = ["of-shop"]
    [sources.shop.queries.many]
    sql = "SELECT i, 'text of row ' || i AS t FROM generate_series(1, 100000) i"
    [sources.shop.queries.pausing]
    sql = '''
        SELECT i FROM generate_series(1, 3000) i,
        LATERAL (SELECT pg_sleep(CASE WHEN i = 2000 THEN 2 ELSE 0 END)) slept'''
    [sources.shop.queries.failing]
    sql = "SELECT 1 / (90000 - i) AS q FROM generate_series(1, 100000) i"
"""


@pytest.fixture(scope="module")
def engine(servers: dict[str, str]) -> Iterator[Engine]:
    with postgresql_engine(servers["postgresql"], "test_compression") as ready:
        yield ready


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    config = CONFIG.format(heartbeat=HEARTBEAT, url=engine.url, more="")
    with serving(tmp_path_factory.mktemp("server"), config) as running:
        yield running


def ask(server: Server, accepted: str | None = "gzip", **parameters: Any) -> Answer:
    body = urlencode({"connection[token]": "of-shop", **parameters})
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    return server.post("/api/company/data", body, headers=headers)


def start(server: Server, table: str, version: str) -> socket.socket:
    body = urlencode({"connection[token]": "of-shop", "table": table})
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    raw.sendall(
        f"POST /api/company/data HTTP/{version}\r\nHost: test\r\nContent-Type: {FORM}\r\n"
        f"Accept-Encoding: gzip\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        f"{body}".encode()
    )
    return raw


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "GZIP, deflate"])
def test_who_asks_gets_the_same_in_fewer_bytes(server: Server, accepted: str) -> None:
    plain = ask(server, None, table="many")
    packed = ask(server, accepted, table="many")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert len(plain.json) == 100_001
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accepted", [None, "", "gzip;q=0", "br", "identity, gzip;q=0.5"])
def test_who_does_not_gets_it_as_it_is(server: Server, accepted: str | None) -> None:
    answer = ask(server, accepted, table="many", limit="2000")
    assert "Content-Encoding" not in answer.headers
    assert len(answer.json) == 2001
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_what_is_small_is_not_worth_it(server: Server) -> None:
    answer = ask(server, table="many", limit="20")
    assert "Content-Encoding" not in answer.headers
    assert len(answer.json) == 21
    refused = ask(server, table="nothing")
    assert (refused.status, refused.error) == (404, "UNKNOWN_TABLE")


def test_rows_and_heartbeats_come_when_they_are_there(server: Server) -> None:
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    received, silences = b"", []
    with start(server, "pausing", "1.0") as raw:
        last = time.monotonic()
        while piece := raw.recv(65536):
            now = time.monotonic()
            silences.append(now - last)
            last = now
            received += piece
            shown = unpack.copy().decompress(body_of(received))
            if sum(silences) < 1:
                soon = shown
    assert soon.startswith(b'[["I"],[1],')
    assert max(silences) < HEARTBEAT + 1
    assert len(silences) >= 5
    rows = json.loads(gzip.decompress(body_of(received)))
    assert rows == [["I"], *([i] for i in range(1, 3001))]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_broken_answer_never_looks_whole(server: Server, version: str) -> None:
    logged = len(server.lines())
    with start(server, "failing", version) as raw:
        answer = read_all(raw)
    assert b"Content-Encoding: gzip" in answer
    packed = body_of(answer)
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    shown = unpack.decompress(packed)
    assert shown.startswith(b'[["Q"],[0],')
    assert not unpack.eof
    with pytest.raises(EOFError):
        gzip.decompress(packed)
    with pytest.raises(ValueError, match=NOT_JSON):
        json.loads(shown)
    assert version == "1.0" or not answer.endswith(b"0\r\n\r\n")
    assert "Traceback" not in server.lines()[logged:]


def test_it_can_be_switched_off(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    config = CONFIG.format(heartbeat=HEARTBEAT, url=engine.url, more="compression = false")
    with serving(tmp_path_factory.mktemp("server"), config) as server:
        answer = ask(server, table="many")
        assert "Content-Encoding" not in answer.headers
        assert len(answer.json) == 100_001
