"""What gzip costs and saves, beside no gzip, over loopback and over slower wires.

``python -m benchmarks.compression [--rows N] [--rounds N]``. Every round reads the same answer in
turn as it is and compressed, at every speed. A slower wire is a reader that takes no more bytes
in a second than the wire would bring.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import tempfile
import time
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from benchmarks import tables
from benchmarks.data_endpoint import TOKEN
from tests.engines import postgresql_server
from tests.server import serving

WIRES = {"loopback": 0, "1 Gbit/s": 1000, "100 Mbit/s": 100, "20 Mbit/s": 20}
CODINGS = ("identity", "gzip")
_PIECE = 1 << 16


class Read(NamedTuple):
    seconds: float
    cpu: float
    first: float
    size: int


def read(port: int, worker: int, coding: str, megabits: int) -> Read:
    """A whole answer; ``cpu`` is the worker's, ``size`` in bytes as they were sent."""
    body = urlencode({"table": tables.TABLE, "connection[token]": TOKEN})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": coding}
    before = cpu_seconds(worker)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    end = b""
    started = time.perf_counter()
    connection.request("POST", "/api/company/data", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("Content-Encoding", "identity") == coding
    piece = answer.read1(_PIECE)
    first, size = time.perf_counter() - started, 0
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    while piece:
        size += len(piece)
        end = (unpack.decompress(piece) if coding == "gzip" else piece)[-1:] or end
        if megabits:
            ahead = size * 8 / megabits / 1e6 - (time.perf_counter() - started)
            time.sleep(max(0, ahead))
        piece = answer.read1(_PIECE)
    seconds = time.perf_counter() - started
    assert end == b"]"
    return Read(seconds, cpu_seconds(worker) - before, first, size)


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found: dict[tuple[str, str], list[Read]] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="b24-")))
        url = stack.enter_context(postgresql_server(directory))
        tables.fill_postgresql(url, given.rows)
        config = (
            '[connectors.company]\ntitle = "Company"\n'
            f'[sources.measured]\nurl = "{url}"\ntokens = ["{TOKEN}"]\n'
        )
        server = stack.enter_context(serving(directory, config))
        (worker,) = server.workers()
        for _ in range(given.rounds):
            for wire, megabits in WIRES.items():
                for coding in CODINGS:
                    got = read(server.port, worker, coding, megabits)
                    found.setdefault((wire, coding), []).append(got)
    print(f"{given.rows:,} rows, medians of {given.rounds}")
    print(f"{'':>12} {'':>9} {'MB':>7} {'seconds':>8} {'cpu':>6} {'first byte':>11}  plain ÷ gzip")
    for wire in WIRES:
        times = {c: statistics.median(r.seconds for r in found[wire, c]) for c in CODINGS}
        for coding in CODINGS:
            runs = found[wire, coding]
            cpu = statistics.median(r.cpu for r in runs)
            first = statistics.median(r.first for r in runs) * 1000
            ratio = f"{times['identity'] / times['gzip']:.2f}" if coding == "gzip" else ""
            shown = f"{runs[0].size / 1e6:>7.1f} {times[coding]:>8.2f} {cpu:>6.2f} {first:>8.0f} ms"
            print(f"{wire:>12} {coding:>9} {shown}  {ratio}")


if __name__ == "__main__":
    main()
