"""A moment in which the system gives no thread to anybody passes, and all is as before."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask, g

from adapters.alarm import Alarms
from adapters.base import Cancellation, Options
from adapters.errors import SourceUnavailable
from app.config import load_config
from app.direct.door import Door
from app.direct.pools import Pools
from app.endpoints.watch import GONE, LATE, Watch
from app.errors import ApiError
from app.ops.record import Record
from tests.server import eventually
from tests.unit.test_pools import keep


@contextmanager
def no_threads() -> Iterator[None]:
    usual = threading.stack_size(1 << 47)  # which no address space has
    try:
        yield
    finally:
        threading.stack_size(usual)


def test_a_watch_begins_later() -> None:
    watch, cancellation = Watch(), Cancellation()
    with no_threads(), pytest.raises(RuntimeError), watch.over(None, 60, Cancellation()):
        pass
    with watch.over(None, 0, cancellation):
        eventually(lambda: cancellation.reason == LATE)


class Observed(socket.socket):
    """Tells that it was looked at a second time."""

    looks = 0

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.family, sock.type, sock.proto, sock.detach())
        self.again = threading.Event()

    def fileno(self) -> int:
        self.looks += 1
        if self.looks > 1:
            self.again.set()
        return super().fileno()


def test_a_query_that_nobody_waits_for_is_ended_later() -> None:
    watch, cancellation = Watch(), Cancellation()
    near, far = socket.socketpair()
    with Observed(near) as client:
        with watch.over(None, 60, Cancellation()), no_threads():
            far.close()
            with watch.over(client, 60, cancellation):
                looked = client.again.wait(10)
                assert cancellation.reason is None
        assert looked
        with watch.over(client, 60, cancellation):
            eventually(lambda: cancellation.reason == GONE)


def test_an_alarm_goes_off_later() -> None:
    alarms, rung = Alarms(), threading.Event()
    with no_threads(), pytest.raises(RuntimeError), alarms.every(60, rung.set):
        pass
    with alarms.every(0, rung.set):
        assert rung.wait(10)


def test_a_login_is_tried_later(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Flask(__name__).app_context():
        port = server.getsockname()[1]
        path = tmp_path / "connector.toml"
        path.write_text(
            '[connectors.pg]\ntitle = "PostgreSQL"\naccess = "direct"\nengine = "postgresql"\n'
            f'allow_hosts = ["127.0.0.1:{port}"]\nconnect_timeout = 1\n'
        )
        direct = load_config(path, {}).connectors["pg"].direct
        assert direct
        g.record = Record("id", 0, "POST", "/api/pg/check", "check")
        door, typed = Door(), dict.fromkeys(("database", "username", "password"), "x")
        login = {"host": "127.0.0.1", "port": str(port), **typed}
        with no_threads(), pytest.raises(RuntimeError):
            door.open(direct, login)
        with pytest.raises(ApiError, match="No database can be reached"):
            door.open(direct, login)
        server.settimeout(10)
        server.accept()[0].close()


def test_an_open_login_is_closed_later() -> None:
    pools = Pools(idle=0.1)
    with no_threads(), pytest.raises(RuntimeError):
        keep(pools, "first")
    assert pools.lease(b"first") is None
    later = keep(pools, "later")
    eventually(lambda: later.closed)


def test_logins_to_oracle_are_not_used_up() -> None:
    pytest.importorskip("oracledb")
    from adapters.oracle import _MOST_LOGINS, OracleAdapter

    adapter = OracleAdapter("oracle://x:y@127.0.0.1:1/x", Options())
    with no_threads():
        for _ in range(_MOST_LOGINS):
            with pytest.raises(RuntimeError):
                adapter.engine.connect()
    with pytest.raises(SourceUnavailable, match="DPY-6005"):  # nobody listens there
        adapter.check()
