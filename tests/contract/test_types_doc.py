"""docs/types.md lists the types that are tested, and says of them what the tests say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.types import CASES

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "types.md"
HEADINGS = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL and MariaDB",
    "clickhouse": "ClickHouse",
    "duckdb": "DuckDB",
}


def documented(engine: str) -> list[list[str]]:
    """The cells of the engine's table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {HEADINGS[engine]}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    rows = re.findall(r"^\| (`.*) \|$", section, re.M)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows]


@pytest.mark.parametrize("engine", HEADINGS)
def test_the_document_lists_the_tested_types(engine: str) -> None:
    assert [row[0].strip("`") for row in documented(engine)] == [c.title for c in CASES[engine]]


@pytest.mark.parametrize("engine", HEADINGS)
def test_the_document_says_what_is_tested(engine: str) -> None:
    for (_, kind, example, shown, nulls), case in zip(
        documented(engine), CASES[engine], strict=True
    ):
        assert kind == case.type, case.title
        assert case.values.get(example.strip("`")) == shown.strip("`"), case.title
        expected = [literal for literal, value in case.values.items() if value == "null"]
        assert re.findall(r"`([^`]*)`", nulls) == expected, case.title
