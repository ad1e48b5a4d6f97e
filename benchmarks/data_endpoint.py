"""Rows per second and peak memory of the data endpoint, beside its alternatives, in one run.

``python -m benchmarks.data_endpoint [--rows N] [--rounds N] [engine …]``. Every round measures
every contender once, in turn, so that a machine whose speed drifts is fair to all of them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from benchmarks import tables
from benchmarks.contenders import peak_mib
from tests.engines import clickhouse_server, mysql_server, postgresql_server
from tests.server import free_port, serving

TOKEN = "token-of-the-benchmark"


class Measured(NamedTuple):
    seconds: float
    first_byte: float
    peak_mib: float


@contextmanager
def source(engine: str, count: int, directory: Path) -> Iterator[str]:
    """The URL of a database that holds the table."""
    match engine:
        case "sqlite":
            tables.fill_sqlite(directory / "measured.db", count)
            yield f"sqlite:///{directory / 'measured.db'}"
        case "postgresql":
            with postgresql_server(directory) as url:
                tables.fill_postgresql(url, count)
                yield url
        case "clickhouse":
            with clickhouse_server(directory) as url:
                tables.fill_clickhouse(url, "measured", count)
                yield url.removesuffix("/default") + "/measured"
        case "duckdb" | "parquet" | "csv":
            tables.fill_duckdb(directory / "measured.duckdb", count)
            files = f"files://{directory / 'files' / engine}"
            yield f"duckdb:///{directory / 'measured.duckdb'}" if engine == "duckdb" else files
        case _:
            with mysql_server(directory) as url:
                tables.fill_mysql(url, "measured", count)
                url = url.replace("/?", "/measured?")
                yield url.replace("mysql:", "mysql+mysqldb:") if engine == "mysqlclient" else url


def answer_to(port: int, path: str, body: str) -> http.client.HTTPResponse:
    """An answer that begins to come, and ends with its connection."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Connection": "close"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    return answer


def whole(port: int, path: str, body: str, rows: int) -> int:
    """The size of an answer, in bytes, once it is known to hold every row."""
    with answer_to(port, path, body) as answer:
        text = answer.read()
    assert text.count(b"],[") == rows  # which none of its texts has
    return len(text)


def download(port: int, path: str, body: str, worker: int, size: int) -> Measured:
    """Read an answer of ``size`` again; the peak is that of the worker since the answer began.

    The reader shares the processor with those it measures, so it does nothing with the bytes. That
    they are all there is known by their end, which only a whole answer has, and by their number.
    """
    Path(f"/proc/{worker}/clear_refs").write_text("5")
    into = bytearray(1 << 18)
    count, end = 0, b""
    started = time.perf_counter()
    with answer_to(port, path, body) as answer:
        answer.fp.peek(1)
        first = time.perf_counter() - started
        while found := answer.fp.readinto1(into):
            count += found
            end = (end + into[max(0, found - 10) : found])[-10:]
    seconds = time.perf_counter() - started
    assert end.endswith(b"]\r\n0\r\n\r\n"), "the answer is not whole"
    assert count > size, "the answer is not the same"
    return Measured(seconds, first, peak_mib(worker))


def alone(name: str, url: str) -> Measured:
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks.contenders", name, url],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    found = json.loads(output)
    return Measured(found["seconds"], 0, found["peak_mib"])


@contextmanager
def plain_server(url: str) -> Iterator[tuple[int, int]]:
    """Port and worker of a plain application under the same server settings as ours."""
    port = free_port()
    driver_url = url.replace("mysql://", "mysql+pymysql://")
    driver_url = driver_url.replace("clickhouse://", "clickhousedb://")
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "16"]
    command += ["--bind", f"127.0.0.1:{port}", "--no-control-socket", "--log-level", "error"]
    process = subprocess.Popen([*command, f"benchmarks.contenders:plain_app('{driver_url}')"])
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 20
        while True:
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
                break
            except OSError:
                assert time.monotonic() < deadline, "the plain server did not start"
                time.sleep(0.1)
        while not children.read_text().split():
            time.sleep(0.1)
        yield port, int(children.read_text().split()[0])
    finally:
        process.terminate()
        process.wait(30)


def measure(engine: str, rows: int, rounds: int) -> dict[str, list[Measured]]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="b24-")))
        url = stack.enter_context(source(engine, rows, directory))
        config = (
            '[connectors.company]\ntitle = "Company"\n'
            f'[sources.measured]\nurl = "{url}"\ntokens = ["{TOKEN}"]\n'
        )
        ours = stack.enter_context(serving(directory, config, WEB_CONCURRENCY="1"))
        (worker,) = ours.workers()
        plain_port, plain_worker = stack.enter_context(plain_server(url))
        body = urlencode({"table": tables.TABLE, "connection[token]": TOKEN})
        at, plain_at = (ours.port, "/api/company/data", body), (plain_port, "/data", "")
        size, plain_size = whole(*at, rows), whole(*plain_at, rows)
        contenders: dict[str, Callable[[], Measured]] = {
            "endpoint": lambda: download(*at, worker, size),
            "plain": lambda: download(*plain_at, plain_worker, plain_size),
            "script": lambda: alone("script", url),
            "driver": lambda: alone("driver", url),
        }
        found: dict[str, list[Measured]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, run in contenders.items():
                found[name].append(run())
        return found


def report(engine: str, rows: int, found: dict[str, list[Measured]]) -> None:
    ours = statistics.median(m.seconds for m in found["endpoint"])
    print(f"\n{engine}, {rows:,} rows × 10 columns, medians of {len(found['endpoint'])}")
    print(f"{'':>10} {'rows/s':>10} {'first byte':>11} {'peak':>8}  endpoint ÷ this")
    for name, measured in found.items():
        seconds = statistics.median(m.seconds for m in measured)
        first = statistics.median(m.first_byte for m in measured)
        peak = max(m.peak_mib for m in measured)
        shown = f"{first * 1000:.0f} ms" if first else ""
        speed, ratio = rows / seconds, seconds / ours
        print(f"{name:>10} {speed:>10,.0f} {shown:>11} {peak:>4.0f} MiB  {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("engines", nargs="*", default=["postgresql", "sqlite"])
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path.cwd())
    for engine in arguments.engines:
        report(engine, arguments.rows, measure(engine, arguments.rows, arguments.rounds))


if __name__ == "__main__":
    main()
