"""ClickHouse comes as chdb, its engine as a library, behind a small server of its protocol.

Where chdb has no wheel, its absence is a loud skip, and a failure under CI.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.engines.base import Engine

ORDER_TYPES = {"string": "String", "double": "Decimal(14, 2)", "datetime": "DateTime('UTC')"}
ROOT = Path(__file__).parents[2]
_SETTINGS = {"enable_time_time64_type": "1", "allow_suspicious_low_cardinality_types": "1"}
_GIVES_ROWS = re.compile(r"\s*(SELECT|WITH|SHOW|EXPLAIN|DESCRIBE)\b", re.IGNORECASE)
_VALUES = re.compile(r"VALUES \([%s, ]+\)$")


@contextmanager
def clickhouse_server(directory: Path) -> Iterator[str]:
    """The address of a running server."""
    if importlib.util.find_spec("chdb") is None:
        message = "chdb is not installed: ClickHouse NOT TESTED"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from tests.server import free_port

    port = free_port()
    command = [sys.executable, "-m", "tests.engines.clickhouse_server"]
    process = subprocess.Popen([*command, str(port), str(directory / "clickhouse")], cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib3.request("GET", f"http://127.0.0.1:{port}/ping", retries=False)
                break
            except urllib3.exceptions.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("the server of chdb did not start")
                time.sleep(0.05)
        yield f"clickhouse://default@127.0.0.1:{port}/default"
    finally:
        process.kill()
        process.wait(30)


def ask(server: str, database: str, sql: str) -> bytes:
    """What the server answers to a statement of the owner's."""
    host, port = urlsplit(server).hostname, urlsplit(server).port
    answer = urllib3.PoolManager().request_encode_url(
        "POST",
        f"http://{host}:{port}/",
        fields={**_SETTINGS, **_nulls(sql), "database": database},
        body=sql.encode(),
        headers={"Authorization": "Basic ZGVmYXVsdDo="},
        retries=False,
    )
    assert answer.status == 200, (sql, answer.data.decode())
    return answer.data


def _nulls(sql: str) -> dict[str, str]:
    """Without NOT NULL a column takes nulls, as on every other engine; but none of a key does."""
    return {} if "PRIMARY KEY" in sql else {"data_type_default_nullable": "1"}


@contextmanager
def clickhouse_engine(server: str, name: str) -> Iterator[Engine]:
    def execute(sql: str, rows: list[Any] | None = None) -> list[tuple[Any, ...]]:
        if rows is not None:
            lines = "\n".join(json.dumps(row) for row in rows)
            ask(server, name, _VALUES.sub("FORMAT JSONCompactEachRow\n", sql) + lines)
            return []
        if not _GIVES_ROWS.match(sql):
            ask(server, name, sql)
            return []
        answer = ask(server, name, f"{sql}\nFORMAT JSONCompactEachRow")
        return [tuple(json.loads(line)) for line in answer.splitlines()]

    ask(server, "default", f"DROP DATABASE IF EXISTS {name}")
    ask(server, "default", f"CREATE DATABASE {name}")
    yield Engine("clickhouse", server.removesuffix("/default") + f"/{name}", execute, ORDER_TYPES)
