"""Logging in where the network is of no help."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g

from app.config import load_config
from app.direct.door import Door
from app.endpoints.gate import VISITS, Gate
from app.errors import ApiError
from app.ops.record import Record
from tests.server import eventually

CONFIG = """
[connectors.pg]
title = "PostgreSQL"
access = "direct"
engine = "postgresql"
allow_hosts = ["db.example.com"]
connect_timeout = 1
"""
LOGIN = {"host": "db.example.com", "database": "d", "username": "u", "password": "p"}


def test_silent_name_servers_take_few_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = list[str](), threading.Event()

    def look_up(name: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(name)
        answered.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    (tmp_path / "connector.toml").write_text(CONFIG)
    direct = load_config(tmp_path / "connector.toml", {}).connectors["pg"].direct
    assert direct
    door = Door(Gate(1).visiting)

    def log_in() -> str:
        with Flask(__name__).app_context():
            g.record = Record("id", 0, "POST", "/api/pg/check", "check")
            with pytest.raises(ApiError) as caught:
                door.open(direct, LOGIN)
        return caught.value.code

    with ThreadPoolExecutor(VISITS + 1) as threads:
        try:
            waiting = [threads.submit(log_in) for _ in range(VISITS)]
            eventually(lambda: len(asked) == VISITS)
            assert threads.submit(log_in).result(10) == "TOO_BUSY"
        finally:
            answered.set()
        assert {each.result() for each in waiting} == {"CANNOT_CONNECT"}
