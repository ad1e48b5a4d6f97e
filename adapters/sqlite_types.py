"""The types of SQLite's columns: declared ones, and for computed columns what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

_SAMPLE_ROWS = 1000
_COLUMNS = sa.text("SELECT name, type FROM pragma_table_xinfo(:table) WHERE hidden != 1")
_IS_VIEW = sa.text("""
    SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = :table AND type = 'view')
        OR EXISTS (SELECT 1 FROM sqlite_temp_master WHERE name = :table AND type = 'view')
""")


def column_types(connection: sa.Connection, table: str) -> list[tuple[str, TypeEngine[Any]]]:
    """Names and types of a table's columns; of a view's computed ones by the first rows."""
    found = connection.execute(_COLUMNS, {"table": table}).all()
    sample: list[Any] = []
    computed = not all(declared for _, declared in found)
    if computed and connection.execute(_IS_VIEW, {"table": table}).scalar():
        every = sa.select(sa.text("*")).select_from(sa.table(table))
        sample = list(connection.execute(every.limit(_SAMPLE_ROWS)))
    return [
        (name, _declared(declared) if declared else _sampled(row[i] for row in sample))
        for i, (name, declared) in enumerate(found)
    ]


def _declared(declared: str) -> TypeEngine[Any]:
    """NullType where every value has the type that it has."""
    name = re.sub(r"\(.*", "", declared).strip().upper()
    for pattern, kind in _DECLARED:
        if re.search(pattern, name):
            return kind
    return sa.types.NullType()


_DECLARED: list[tuple[str, TypeEngine[Any]]] = [
    (r"^DATE$", sa.Date()),
    (r"^(DATETIME|TIMESTAMP)", sa.DateTime()),
    (r"POINT", sa.types.NullType()),
    (r"INT|^BOOL|^YEAR$", sa.Integer()),
    (r"CHAR|CLOB|TEXT", sa.Text()),
    (r"REAL|FLOA|DOUB", sa.Double()),
    (r"^(DEC|DECIMAL|NUM|NUMERIC|NUMBER|MONEY|CURRENCY)$", sa.Numeric()),
]


def _sampled(values: Iterable[Any]) -> TypeEngine[Any]:
    seen = {_class(value) for value in values if value is not None}
    for kinds, found in _SAMPLED:
        if seen and seen <= kinds:
            return found
    return sa.types.NullType()


def _class(value: Any) -> str:
    if isinstance(value, str):
        return "date" if _A_DATE.fullmatch(value) else "time" if _A_TIME.match(value) else "text"
    return type(value).__name__


_A_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_A_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_SAMPLED: list[tuple[set[str], TypeEngine[Any]]] = [
    ({"int"}, sa.Integer()),
    ({"int", "float"}, sa.Numeric()),
    ({"date"}, sa.Date()),
    ({"date", "time"}, sa.DateTime()),
]
