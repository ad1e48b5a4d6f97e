"""Previews per second (20 rows of PostgreSQL), beside routes that do nothing.

``python -m benchmarks.preview [--rounds N] [--seconds N] [--clients N] [--keep]``. One such route
is on the same worker, with our log and counters; the other is all there is of an application of its
own. Both applications run under gunicorn with the shipped configuration, one worker each; the same
clients ask them in turn, so that a machine whose speed drifts is fair to all. Each request has a
connection of its own, as a portal's does; with ``--keep`` connections are kept.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlencode

from flask import Flask

from app.cli import GUNICORN_CONFIG
from benchmarks.data_endpoint import TOKEN, source
from benchmarks.tables import TABLE
from tests.server import free_port, serving

ROWS = 10_000
# The shipped settings, without what they do about our own application.
_BARE = f"""
from runpy import run_path
globals().update(run_path({str(GUNICORN_CONFIG)!r}))
wsgi_app = "benchmarks.preview:bare_app()"
del on_starting, on_reload, post_fork
"""


class Measured(NamedTuple):
    per_second: float
    cpu_ms: float  # of the worker, for one request


def bare_app() -> Flask:
    """One route that does nothing."""
    app = Flask("bare")

    @app.post("/api/company/data")
    def data() -> bytes:
        return b"[]"

    return app


@contextmanager
def bare_server(directory: Path) -> Iterator[tuple[int, int]]:
    """Port and worker of the empty route."""
    config = directory / "bare.conf.py"
    config.write_text(_BARE, encoding="utf-8")
    port = free_port()
    environment = os.environ | {"WEB_CONCURRENCY": "1", "HOST": "127.0.0.1", "PORT": str(port)}
    command = [sys.executable, "-m", "gunicorn", "-c", str(config), "--log-level", "error"]
    process = subprocess.Popen(command, env=environment)
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 20
        while not (children.read_text() and _answers(port)):
            assert time.monotonic() < deadline, "the empty route did not start"
            time.sleep(0.1)
        yield port, int(children.read_text().split()[0])
    finally:
        process.terminate()
        process.wait(40)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


class Client(NamedTuple):
    """How requests are made: so many at once, over connections that are kept or not."""

    number: int
    seconds: float
    keep: bool


class Target(NamedTuple):
    """What is asked, of which worker, and how many rows it answers with."""

    port: int
    worker: int
    rows: int = 0
    path: str = "/api/company/data"


def ask(target: Target, client: Client) -> Measured:
    """As many requests as the clients bring home in their time, every answer checked."""
    port, worker, rows, path = target
    body = urlencode({"table": TABLE, "limit": 20, "connection[token]": TOKEN}).encode()
    method = b"POST" if path.startswith("/api/") else b"GET"
    request = (
        b"%b %b HTTP/1.1\r\nHost: bench\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n"
        b"Connection: %b\r\n\r\n%b"
    ) % (method, path.encode(), len(body), b"keep-alive" if client.keep else b"close", body)
    with selectors.DefaultSelector() as waiting:

        def begin() -> None:
            connection = socket.create_connection(("127.0.0.1", port), 30)
            waiting.register(connection, selectors.EVENT_READ, bytearray())
            connection.sendall(request)

        for _ in range(client.number):
            begin()
        done = 0
        started, cpu = time.perf_counter(), _cpu(worker)
        while (now := time.perf_counter()) < started + client.seconds:
            for key, _ in waiting.select(5):
                connection, answer = cast("socket.socket", key.fileobj), key.data
                answer += connection.recv(65536)
                if not _is_whole(answer):
                    continue
                assert answer.startswith(b"HTTP/1.1 200 "), bytes(answer)
                assert answer.count(b"],[") == rows, bytes(answer)
                answer.clear()
                done += 1
                if client.keep:
                    connection.sendall(request)
                else:
                    waiting.unregister(connection)
                    connection.close()
                    begin()
        for key in list(waiting.get_map().values()):
            cast("socket.socket", key.fileobj).close()
        return Measured(done / (now - started), (_cpu(worker) - cpu) * 1000 / done)


def _is_whole(answer: bytearray) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    lengths = [h for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")]
    return len(body) == int(lengths[0][15:]) if lengths else body.endswith(b"0\r\n\r\n")


def _cpu(process: int) -> float:
    """Seconds that a process has computed, in all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(rounds: int, client: Client) -> dict[str, list[Measured]]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="b24-")))
        url = stack.enter_context(source("postgresql", ROWS, directory))
        config = (
            '[connectors.company]\ntitle = "Company"\n'
            f'[sources.measured]\nurl = "{url}"\ntokens = ["{TOKEN}"]\n'
        )
        ours = stack.enter_context(serving(directory, config, WEB_CONCURRENCY="1"))
        (worker,) = ours.workers()
        targets = {
            "preview": Target(ours.port, worker, rows=20),
            "same worker": Target(ours.port, worker, path="/healthz"),
            "nothing else": Target(*stack.enter_context(bare_server(directory))),
        }
        found: dict[str, list[Measured]] = {name: [] for name in targets}
        for turn in range(-1, rounds):  # the first is for caches and connections
            for name, target in targets.items():
                measured = ask(target, client)
                found[name] += [measured] if turn >= 0 else []
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path.cwd())
    client = Client(arguments.clients, arguments.seconds, arguments.keep)
    found = measure(arguments.rounds, client)
    print(f"{arguments.clients} clients, medians of {arguments.rounds}")
    print(f"{'':>12} {'per second':>11} {'CPU of worker':>14}")
    for name, measured in found.items():
        speed = statistics.median(m.per_second for m in measured)
        cpu = statistics.median(m.cpu_ms for m in measured)
        print(f"{name:>12} {speed:>11,.0f} {cpu:>11.2f} ms")
    for name in ("same worker", "nothing else"):
        pairs = list(zip(found["preview"], found[name], strict=True))
        speed = statistics.median(ours.per_second / empty.per_second for ours, empty in pairs)
        cpu = statistics.median(empty.cpu_ms / ours.cpu_ms for ours, empty in pairs)
        print(f"preview ÷ empty route, {name}: {speed:.2f} of the requests; by CPU {cpu:.2f}")


if __name__ == "__main__":
    main()
