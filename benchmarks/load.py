"""Many mixed requests at once while things break, every answer checked against the truth.

``python -m benchmarks.load [--requests N] [--clients N] [--seconds N] [--workers N]``. Everything
runs on this machine: a PostgreSQL of its own, the connector as it is shipped, and clients that ask
as portals do, leave in the middle, read slowly, mistype tokens and send nonsense, while the
database's connections are killed under them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.load_requests import MIX, PATIENCE, SOURCE_TIMEOUT, TABLE, TOKEN, Unlucky, Wrong
from tests.engines import postgresql_server
from tests.server import Server, serving

KILL_EVERY = 0.5
MEMORY_GROWTH_MIB = 40
# Connections that the pool keeps, and sockets of clients that are just closing.
DESCRIPTOR_GROWTH = 8
# Of a worker: 32 for requests, as many that read for them, and a few that watch.
THREADS = 32 + 32 + 8

CONFIG = f"""
[connectors.company]
title = "Company"
[sources.shop]
url = "{{url}}"
tokens = ["{TOKEN}"]
timeout = {SOURCE_TIMEOUT}
"""


@dataclass
class Figures:
    """What happened, put together from all clients."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    hung: int = 0
    killed: int = 0
    elapsed: float = 0
    workers: int = 1
    before: Held | None = None
    after: Held | None = None
    left: int = 0

    @property
    def fine(self) -> bool:
        return not self.complaints()

    def complaints(self) -> list[str]:
        """Everything that should not have been."""
        assert self.before is not None
        assert self.after is not None
        found = list(self.wrong)
        if self.hung:
            found.append(f"{self.hung} clients hung")
        if self.left:
            found.append(f"{self.left} queries still run in the database")
        if self.after.memory > self.before.memory + MEMORY_GROWTH_MIB:
            found.append(f"memory grew from {self.before.memory} to {self.after.memory} MiB")
        if self.after.descriptors > self.before.descriptors + DESCRIPTOR_GROWTH:
            found.append(f"descriptors: {self.before.descriptors}, now {self.after.descriptors}")
        if self.after.threads > THREADS * self.workers:
            found.append(f"{self.after.threads} threads")
        return found


class Held(NamedTuple):
    """What the workers hold together; of memory, the one with the most, in MiB."""

    memory: int
    descriptors: int
    threads: int


def held(server: Server) -> Held:
    workers = [Path(f"/proc/{worker}") for worker in server.workers()]
    resident = [int((w / "status").read_text().partition("VmRSS:")[2].split()[0]) for w in workers]
    counts = [sum(len(list((w / kind).iterdir())) for w in workers) for kind in ("fd", "task")]
    return Held(max(resident) // 1024, *counts)


def one(server: Server, kind: Callable[..., None], chance: random.Random, found: Figures) -> None:
    """One request, and what came of it."""
    began = time.monotonic()
    try:
        kind(server, chance)
        outcome = "as it should be"
    except (http.client.IncompleteRead, ConnectionResetError, http.client.RemoteDisconnected):
        outcome = "broken off, and seen to be"
    except TimeoutError:
        found.hung += 1
        outcome = "hung"
    except json.JSONDecodeError:
        found.wrong.append(f"{kind.__name__}: a whole answer that is no JSON")
        outcome = "wrong"
    except Unlucky as error:
        outcome = f"refused with {error}"
    except Wrong as error:
        found.wrong.append(f"{kind.__name__}: {error}")
        outcome = "wrong"
    found.outcomes[outcome] += 1
    found.seconds[kind.__name__].append(time.monotonic() - began)


def kill_connections(url: str, over: threading.Event, found: Figures) -> None:
    """Now and then, one of the connector's connections, whatever it does."""
    with psycopg.connect(url, autocommit=True) as owner:
        while not over.wait(KILL_EVERY):
            killed = owner.execute("""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'b24-connector' ORDER BY random() LIMIT 1""").fetchall()
            found.killed += len(killed)


def run(requests: int, clients: int, seconds: float, workers: int) -> Figures:
    """The whole load; it ends when all requests are made or ``seconds`` have passed."""
    found = Figures(workers=workers)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="b24-")))
        url = stack.enter_context(postgresql_server(directory))
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(TABLE)
        config = CONFIG.format(url=url)
        server = stack.enter_context(serving(directory, config, WEB_CONCURRENCY=str(workers)))
        _crowd(server, Figures(), iter(range(clients * 6)), clients, time.monotonic() + 60)
        found.before = held(server)
        over = threading.Event()
        killer = threading.Thread(target=kill_connections, args=[url, over, found])
        killer.start()
        began = time.monotonic()
        _crowd(server, found, iter(range(requests)), clients, began + seconds)
        found.elapsed = time.monotonic() - began
        over.set()
        killer.join()
        found.left = _settle(url)
        found.after = held(server)
    return found


def _crowd(
    server: Server, found: Figures, numbers: Iterator[int], clients: int, deadline: float
) -> None:
    kinds = [kind for kind, often in MIX.items() for _ in range(often)]
    lock = threading.Lock()

    def client() -> None:
        while time.monotonic() < deadline:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            chance = random.Random(number)
            one(server, chance.choice(kinds), chance, found)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _settle(url: str) -> int:
    """How many queries of ours the database still runs a moment after the last request."""
    deadline = time.monotonic() + 10
    with psycopg.connect(url, autocommit=True) as owner:
        while True:
            (left,) = owner.execute("""
                SELECT count(*) FROM pg_stat_activity
                WHERE application_name = 'b24-connector' AND state <> 'idle'""").fetchone() or (0,)
            if not left or time.monotonic() > deadline:
                return int(left)
            time.sleep(0.1)


def report(found: Figures) -> None:
    total = found.outcomes.total()
    print(f"{total:,} requests in {found.elapsed:.0f} s, {total / found.elapsed:.0f} per second;")
    print(f"{found.killed} connections killed in the database.\n")
    for outcome, count in found.outcomes.most_common():
        print(f"{count:>7,}  {outcome}")
    print(f"\n{'':>13} {'requests':>9} {'median':>9} {'slowest':>9}")
    for kind, seconds in sorted(found.seconds.items()):
        median, slowest = statistics.median(seconds) * 1000, max(seconds) * 1000
        print(f"{kind:>13} {len(seconds):>9,} {median:>6.0f} ms {slowest:>6.0f} ms")
    print(f"\n{'':>13} {'memory':>9} {'descriptors':>12} {'threads':>9}")
    for name, now in (("before", found.before), ("after", found.after)):
        if now is not None:
            print(f"{name:>13} {now.memory:>5} MiB {now.descriptors:>12} {now.threads:>9}")
    for complaint in found.complaints():
        print(f"NOT FINE: {complaint}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    socket.setdefaulttimeout(PATIENCE)
    found = run(given.requests, given.clients, given.seconds, given.workers)
    report(found)
    sys.exit(not found.fine)


if __name__ == "__main__":
    main()
