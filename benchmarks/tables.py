"""The table that every benchmark reads: ten mixed columns, as many rows as asked for."""

from __future__ import annotations

import csv
import random
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from tests.engines import connect_mysql
from tests.engines.clickhouse import clickhouse_engine

TABLE = "measured"
COLUMNS = {
    "id": ("INTEGER", "bigint", "bigint", "Int64"),
    "quantity": ("INTEGER", "integer", "int", "Nullable(Int32)"),
    "amount": ("REAL", "numeric(12,2)", "decimal(12,2)", "Decimal(12, 2)"),
    "ratio": ("REAL", "double precision", "double", "Float64"),
    "day": ("DATE", "date", "date", "Date"),
    "moment": ("DATETIME", "timestamp", "datetime", "DateTime('UTC')"),
    "paid": ("BOOLEAN", "boolean", "tinyint(1)", "Bool"),
    "name": ("TEXT", "text", "varchar(100)", "String"),
    "city": ("TEXT", "text", "varchar(100)", "LowCardinality(Nullable(String))"),
    "note": ("TEXT", "text", "varchar(200)", "Nullable(String)"),
}
_CITIES = ["Berlin", "Köln", "Москва", "Санкт-Петербург", "São Paulo", "東京", "New York", "Oslo"]
_WORDS = "order delivery возврат paid café late 🚀 Grüße return priority fragile".split()
_START = datetime(2020, 1, 1)


def rows(count: int) -> Iterator[tuple[Any, ...]]:
    """The same rows every time; about a tenth of the nullable values are null."""
    chance = random.Random(7)
    for i in range(1, count + 1):
        moment = _START + timedelta(seconds=chance.randrange(200_000_000))
        yield (
            i,
            chance.randrange(1000) if chance.random() > 0.1 else None,
            f"{chance.randrange(10_000_000) / 100:.2f}",
            chance.random() * 1000,
            moment.date().isoformat(),
            moment.isoformat(" "),
            chance.random() > 0.5,
            f"Customer {chance.randrange(50_000)}",
            chance.choice(_CITIES) if chance.random() > 0.1 else None,
            " ".join(chance.choices(_WORDS, k=4)) if chance.random() > 0.1 else None,
        )


def _create(engine: int) -> str:
    columns = ", ".join(f"{name} {types[engine]}" for name, types in COLUMNS.items())
    return f"CREATE TABLE {TABLE} ({columns})"


def fill_sqlite(path: Path, count: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(_create(0))
    connection.executemany(f"INSERT INTO {TABLE} VALUES ({','.join('?' * 10)})", rows(count))
    connection.execute(f"CREATE INDEX measured_id ON {TABLE} (id)")
    connection.commit()
    connection.close()


def fill_postgresql(url: str, count: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(_create(1))  # type: ignore[arg-type]
        with connection.cursor().copy(f"COPY {TABLE} FROM STDIN") as copy:  # type: ignore[arg-type]
            for row in rows(count):
                copy.write_row(row)
        connection.execute(f"CREATE INDEX ON {TABLE} (id)")  # type: ignore[arg-type]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"VACUUM ANALYZE {TABLE}")  # type: ignore[arg-type]


def fill_duckdb(path: Path, count: int) -> None:
    """Also writes the table as a file of each kind into ``files`` beside it."""
    files = path.parent / "files"
    for kind in ("csv", "parquet"):
        (files / kind).mkdir(parents=True)
    table = files / "csv" / f"{TABLE}.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows(count))
    with duckdb.connect(path) as connection:
        connection.execute(_create(1))
        connection.execute(f"COPY {TABLE} FROM '{table}' (HEADER)")
        connection.execute(f"COPY {TABLE} TO '{files}/parquet/{TABLE}.parquet' (FORMAT parquet)")


def fill_mysql(url: str, database: str, count: int) -> None:
    connection = connect_mysql(url)
    cursor = connection.cursor()
    cursor.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
    cursor.execute(f"USE {database}")
    cursor.execute(_create(2))
    places = ",".join(["%s"] * 10)
    batch: list[Any] = []
    for row in rows(count):
        batch.append(row)
        if len(batch) == 20_000:
            cursor.executemany(f"INSERT INTO {TABLE} VALUES ({places})", batch)
            batch.clear()
    if batch:
        cursor.executemany(f"INSERT INTO {TABLE} VALUES ({places})", batch)
    cursor.execute(f"ALTER TABLE {TABLE} ADD INDEX (id)")
    connection.close()


def fill_clickhouse(url: str, database: str, count: int) -> None:
    with clickhouse_engine(url, database) as engine:
        engine.execute(f"{_create(3)} PRIMARY KEY id")
        unread = rows(count)
        places = ", ".join(["%s"] * len(COLUMNS))
        while batch := list(islice(unread, 100_000)):
            engine.execute(f"INSERT INTO {TABLE} VALUES ({places})", batch)
