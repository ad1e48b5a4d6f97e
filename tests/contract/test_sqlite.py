"""What is peculiar to a database that is a file and takes any value."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest

from adapters.base import And, Cancellation, Compare, Field, In, Options, Or, Query
from adapters.registry import open_adapter
from adapters.sql.adapter import SqlAdapter
from tests.engines import sqlite_engine

ROWS = 3500


def test_no_row_is_lost_or_doubled_when_a_text_is_not_utf8(tmp_path: Path) -> None:
    with sqlite_engine(tmp_path) as engine:
        engine.execute("CREATE TABLE t (id INTEGER, note TEXT)")
        engine.execute("INSERT INTO t VALUES (?, ?)", [(i, f"Ж{i}") for i in range(ROWS)])
        engine.execute("UPDATE t SET note = CAST(x'61ff62' AS TEXT) WHERE id IN (0, 2600, 3400)")
        adapter = open_adapter(engine.url, Options())
        (table,) = adapter.tables()
        for first in (0, 1):
            query = Query(table, tuple(adapter.describe(table)))
            engine.execute(f"DELETE FROM t WHERE id < {first}")
            batches = list(adapter.json_rows(query, Cancellation()))
            rows = orjson.loads(b"[" + b",".join(batch.json for batch in batches) + b"]")
            assert [row[0] for row in rows] == list(range(first, ROWS))
            assert [row[0] for row in rows if row[1] == "a\ufffdb"] == [0, 2600, 3400][first:]
            assert sum(batch.rows for batch in batches) == ROWS - first
        adapter.close()


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_texts_are_in_the_order_of_code_points(tmp_path: Path, encoding: str) -> None:
    """Which is that of the bytes in UTF-8 only."""
    url = f"sqlite:///{tmp_path}/source.db"
    with closing(sqlite3.connect(tmp_path / "source.db")) as connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute("CREATE TABLE t (word TEXT)")
        words = ["", "%", "a", "ab", "é", "ā", "Ё", "я", "\ufb00", "\uff5e", "😀", "😁"]
        connection.executemany("INSERT INTO t VALUES (?)", [(word,) for word in words])
        connection.commit()
    with closing(open_adapter(url, Options())) as adapter:
        (table,) = adapter.tables()
        (field,) = adapter.describe(table)
        for i, word in enumerate(words):
            query = Query(table, (field,), Compare(field, "<", word))
            below = [row[0] for batch in adapter.rows(query, Cancellation()) for row in batch]
            assert below == words[:i]
            query = Query(table, (field,), In(field, (word,)))
            assert list(adapter.rows(query, Cancellation())) == [[(word,)]]


def test_a_date_time_is_read_once_however_many_it_may_equal(tmp_path: Path) -> None:
    """To read it costs as much as to compare it with hundreds."""
    with sqlite_engine(tmp_path) as engine:
        engine.execute("CREATE TABLE t (moment DATETIME)")
        adapter = open_adapter(engine.url, Options())
        assert isinstance(adapter, SqlAdapter)
        (table,) = adapter.tables()
        (field,) = adapter.describe(table)
        day = datetime(2026, 9, 1)

        def mentions(number: int) -> int:
            starts = [day + timedelta(hours=hour) for hour in range(number)]
            where = Or(tuple(_second(field, start) for start in starts))
            return str(adapter.select(Query(table, (field,), where))).count("moment")

        assert mentions(500) == mentions(1)
        adapter.close()


def _second(field: Field, start: datetime) -> And:
    end = start + timedelta(seconds=1)
    return And((Compare(field, ">=", start), Compare(field, "<", end)))


def test_a_file_that_takes_the_place_of_another_is_read_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with sqlite_engine(tmp_path / "a") as engine, sqlite_engine(tmp_path / "b") as other:
        for value, each in enumerate((engine, other)):
            each.execute("CREATE TABLE t (id INTEGER)")
            each.execute("INSERT INTO t VALUES (?)", [(value,)])
        adapter = open_adapter(engine.url, Options())
        (table,) = adapter.tables()
        query = Query(table, tuple(adapter.describe(table)))
        assert [batch.json for batch in adapter.json_rows(query, Cancellation())] == [b"[0]"]
        new, old = (Path(each.url.removeprefix("sqlite:///")) for each in (other, engine))
        new.rename(old)
        query = Query(table, tuple(adapter.describe(table)))
        assert [batch.json for batch in adapter.json_rows(query, Cancellation())] == [b"[1]"]
        adapter.close()
