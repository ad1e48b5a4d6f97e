"""Tables change under a running service: no remembered type lets a wrong value through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines import Engine
from tests.server import Server, serving

CONFIG = """
[connectors.company]
title = "Company"
[sources.shop]
url = "{url}"
tokens = ["of-shop"]
schema_ttl = 3600
"""


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp("server")
    with serving(directory, CONFIG.format(url=engine.url)) as running:
        yield running


# The type before, a value of it, the type after, a value of that, and how it has to be read.
CHANGES: list[tuple[str, str, str, str, Any]] = [
    ("INTEGER", "1", "VARCHAR(20)", "'twelve'", "twelve"),
    ("INTEGER", "1", "DECIMAL(9,2)", "1.25", 1.25),
    ("DECIMAL(9,2)", "1.25", "VARCHAR(20)", "'1.5 kg'", "1.5 kg"),
    ("VARCHAR(20)", "'1'", "INTEGER", "7", 7),
    ("DATE", "'2026-01-02'", "VARCHAR(20)", "'soon'", "soon"),
    ("DATE", "'2026-01-02'", "TIMESTAMP", "'2026-01-02 03:04:05'", "2026-01-02 03:04:05"),
    ("TIMESTAMP", "'2026-01-02 03:04:05'", "DATE", "'2026-01-02'", "2026-01-02"),
]
# What one engine would read in silence.
PECULIAR: dict[str, list[tuple[str, str, str, str, Any]]] = {
    "postgresql": [
        ("INTEGER", "1", "BOOLEAN", "true", 1),
        ("INTEGER", "1", "TIMESTAMP", "'2026-01-02 03:04:05'", "2026-01-02 03:04:05"),
        ("TEXT", "'1'", "JSON", "'{\"a\": 1}'", '{"a": 1}'),
        ("TEXT", "'1'", "TIMESTAMPTZ", "'2026-01-02 03:04:05Z'", "2026-01-02 03:04:05"),
        ("TEXT[]", "'{a}'", "TEXT", "'a'", "a"),
        ("BOOLEAN", "true", "DOUBLE PRECISION", "1.6", 1.6),
    ],
    "mysql": [
        ("FLOAT", "1", "DOUBLE", "1.2345678901234", 1.2345678901234),
        ("YEAR", "2026", "INTEGER", "-5", -5),
        ("BIT(8)", "1", "INTEGER", "-5", -5),
        ("VARBINARY(9)", "'a'", "VARCHAR(9)", "'a'", "a"),
        ("VARCHAR(9)", "'a'", "VARBINARY(9)", "'a'", "61"),
        ("GEOMETRY", "POINT(1, 2)", "BLOB", "'a'", "61"),
        ("UUID", "'00000000-0000-0000-0000-00000000000a'", "BINARY(1)", "'a'", "61"),
    ],
    "clickhouse": [
        ("Bool", "true", "Int64", "300", 300),
        ("Array(String) NOT NULL", "['a']", "String", "'a'", "a"),
        ("Map(String, String) NOT NULL", "{'a': 'b'}", "String", "'a'", "a"),
        ("FixedString(2)", "'a'", "String", "'a\\0'", "a\0"),
    ],
}
CHANGED = [pytest.param(*change, id=f"{change[0]}-{change[2]}-{change[3]}") for change in CHANGES]
CHANGED += [
    pytest.param(
        *change,
        id=f"{change[0]}-{change[2]}-{change[3]}",
        marks=pytest.mark.engines(engine, *(["mysqlclient"] if engine == "mysql" else [])),
    )
    for engine, changes in PECULIAR.items()
    for change in changes
]


@pytest.mark.parametrize(("before", "first", "after", "second", "read"), CHANGED)
@pytest.mark.parametrize("narrowed", ["select", "filter"])
def test_a_column_of_another_type(
    server: Server,
    engine: Engine,
    before: str,
    first: str,
    after: str,
    second: str,
    read: Any,
    narrowed: str,
) -> None:
    engine.execute("DROP TABLE IF EXISTS turned")
    engine.execute(f"CREATE TABLE turned (id INTEGER, v {before})")
    engine.execute(f"INSERT INTO turned VALUES (1, {first})")
    asked = {"table": "turned", "select[0]": "V", "select[1]": "ID"}
    if narrowed == "filter":
        asked["filter[=ID][0]"] = "1"
        asked["filter[!V]"] = "0"  # is not null, of every type
    described = server.form("/api/company/table_description", "of-shop", table="turned")
    assert described.status == 200
    answer = server.form("/api/company/data", "of-shop", **asked)
    assert (answer.status, len(answer.json)) == (200, 2), answer
    engine.execute("DROP TABLE turned")
    engine.execute(f"CREATE TABLE turned (id INTEGER, v {after})")
    engine.execute(f"INSERT INTO turned VALUES (1, {second})")
    answer = server.form("/api/company/data", "of-shop", **asked)
    assert answer.json == [["V", "ID"], [read, 1]]


# The type before and after, a value of both, and a comparison that one of them gets wrong.
WIDENED = [
    pytest.param("DECIMAL(9,2)", "DECIMAL(9,4)", "1.2341", ">=", "1.2345", False, id="scale"),
    pytest.param("DECIMAL(9,2)", "DECIMAL(12,2)", "20000000", ">=", "30000000", False, id="digits"),
    pytest.param("INTEGER", "BIGINT", "3000000000", ">=", "4000000000", False, id="integer"),
    pytest.param("REAL", "DOUBLE PRECISION", "0.1", "=", "0.1", True, id="single"),
    pytest.param("DOUBLE PRECISION", "REAL", "0.1", "=", "0.1", True, id="double"),
]


@pytest.mark.parametrize(("before", "after", "value", "comparison", "than", "kept"), WIDENED)
def test_a_filter_on_a_column_of_another_type(
    server: Server,
    engine: Engine,
    before: str,
    after: str,
    value: str,
    comparison: str,
    than: str,
    kept: bool,
) -> None:
    asked = {"table": "widened", "select[0]": "ID", f"filter[{comparison}V][0]": than}
    description = "/api/company/table_description"
    for kind in (before, after):
        engine.execute("DROP TABLE IF EXISTS widened")
        engine.execute(f"CREATE TABLE widened (id INTEGER, v {kind})")
        if kind == before:
            assert server.form(description, "of-shop", table="widened").status == 200
            assert server.form("/api/company/data", "of-shop", **asked).json == [["ID"]]
    engine.execute(f"INSERT INTO widened VALUES (1, {value})")
    assert server.form("/api/company/data", "of-shop", **asked).json == [["ID"], *[[1]] * kept]
