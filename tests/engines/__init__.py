"""The real databases that the tests run against, each started once per session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.engines.base import Engine
from tests.engines.clickhouse import clickhouse_engine, clickhouse_server
from tests.engines.duckdb import duckdb_engine
from tests.engines.mysql import connect_mysql, mysql_engine, mysql_server, require_mysqlclient
from tests.engines.postgresql import postgresql_engine, postgresql_server
from tests.engines.sqlite import sqlite_engine

WIRE = Path(__file__).parents[1] / "wire"
CASES: list[dict[str, Any]] = json.loads((WIRE / "cases.json").read_text(encoding="utf-8"))
ORDERS: dict[str, Any] = json.loads((WIRE / "orders.json").read_text(encoding="utf-8"))

# With mysqlclient it is the same server through another driver.
ENGINES = ("sqlite", "postgresql", "mysql", "mysqlclient", "duckdb", "clickhouse")

__all__ = [
    "CASES",
    "ENGINES",
    "ORDERS",
    "Engine",
    "clickhouse_engine",
    "clickhouse_server",
    "connect_mysql",
    "duckdb_engine",
    "load_orders",
    "mysql_engine",
    "mysql_server",
    "postgresql_engine",
    "postgresql_server",
    "require_mysqlclient",
    "sqlite_engine",
]


def load_orders(engine: Engine) -> None:
    """Create the table ``orders`` of the wire cases."""
    types = {"int": "integer", "date": "date", **engine.order_types}
    columns = ", ".join(f"{c['name']} {types[c['type']]}" for c in ORDERS["columns"])
    engine.execute("DROP TABLE IF EXISTS orders")
    engine.execute(f"CREATE TABLE orders ({columns})")
    places = ", ".join([engine.placeholder] * len(ORDERS["columns"]))
    engine.execute(f"INSERT INTO orders VALUES ({places})", ORDERS["rows"])
