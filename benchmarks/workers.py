"""What a second worker brings: several readers at once on SQLite, with one worker and with two.

``python -m benchmarks.workers [--rows N] [--rounds N] [--readers N]``. The readers throw away what
they get, and cost little; on two cores they and the kernel still take a part of what the second
worker could have.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.data_endpoint import TOKEN, source
from benchmarks.tables import TABLE
from tests.server import Server, serving

# Each reader asks so often, one answer after the other: connections are dealt out to the workers
# by chance, and it has to even out.
ANSWERS = 6


def read_all(server: Server, readers: int, size: int) -> float:
    """The seconds in which ``readers`` at once have read their answers of ``size`` bytes each."""
    body = urlencode({"table": TABLE, "connection[token]": TOKEN}).encode()
    request = (
        b"POST /api/company/data HTTP/1.0\r\nHost: bench\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b"
    ) % (len(body), body)
    left, buffer = readers * ANSWERS, bytearray(1 << 20)
    with selectors.DefaultSelector() as waiting:

        def ask() -> None:
            connection = socket.create_connection(("127.0.0.1", server.port), 60)
            connection.sendall(request)
            waiting.register(connection, selectors.EVENT_READ, [0])

        started = time.perf_counter()
        for _ in range(readers):
            ask()
            left -= 1
        while waiting.get_map():
            for key, _ in waiting.select(60):
                connection: socket.socket = key.fileobj  # type: ignore[assignment]
                if count := connection.recv_into(buffer):
                    key.data[0] += count
                    continue
                waiting.unregister(connection)
                connection.close()
                assert abs(key.data[0] - size) < 1000, (key.data[0], size)
                if left:
                    ask()
                    left -= 1
        return time.perf_counter() - started


def size_of_answer(server: Server) -> int:
    body = urlencode({"table": TABLE, "connection[token]": TOKEN})
    return len(server.post("/api/company/data", body).body)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--readers", type=int, default=4)
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path.cwd())
    found: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="b24-")))
        url = stack.enter_context(source("sqlite", arguments.rows, directory))
        config = (
            '[connectors.company]\ntitle = "Company"\n'
            f'[sources.measured]\nurl = "{url}"\ntokens = ["{TOKEN}"]\n'
        )
        servers = {}
        for workers in found:
            (directory / str(workers)).mkdir()
            running = serving(directory / str(workers), config, WEB_CONCURRENCY=str(workers))
            servers[workers] = stack.enter_context(running)
        size = size_of_answer(servers[1])
        for _ in range(arguments.rounds):
            for workers, server in servers.items():
                found[workers].append(read_all(server, arguments.readers, size))
    rows = arguments.rows * arguments.readers * ANSWERS
    print(f"{arguments.readers} readers, {ANSWERS} answers of {arguments.rows:,} rows each")
    for workers, seconds in found.items():
        print(f"{workers} workers: {rows / statistics.median(seconds):>10,.0f} rows/s")
    ratio = statistics.median(one / two for one, two in zip(found[1], found[2], strict=True))
    print(f"two ÷ one: {ratio:.2f}")


if __name__ == "__main__":
    main()
