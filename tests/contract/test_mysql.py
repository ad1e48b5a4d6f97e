"""What is peculiar to the drivers of MySQL and MariaDB."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.base import Cancellation, Options, Query
from adapters.registry import open_adapter
from adapters.sql.adapter import SqlAdapter
from tests.engines import Engine


@pytest.mark.parametrize("engine", ["mysqlclient"], indirect=True)
def test_a_connection_goes_back_without_a_result(engine: Engine) -> None:
    """To free one locks the connection, and whoever has it by then would meet the lock."""
    from MySQLdb import _mysql

    engine.execute("CREATE TABLE t (i integer)")
    engine.execute("INSERT INTO t VALUES (1), (2)")
    adapter = open_adapter(engine.url, Options())
    assert isinstance(adapter, SqlAdapter)
    (table,) = (table for table in adapter.tables() if table.name == "t")
    query = Query(table, tuple(adapter.describe(table)))
    left: list[list[Any]] = []

    @sa.event.listens_for(adapter.engine, "checkin")
    def look(*_: Any) -> None:
        left.append([found for found in gc.get_objects() if isinstance(found, _mysql.result)])

    assert [batch.json for batch in adapter.json_rows(query, Cancellation())] == [b"[1],[2]"]
    assert left == [[]]
    adapter.close()
