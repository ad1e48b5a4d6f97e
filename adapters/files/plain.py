"""Parquet and JSON files, which say themselves what types their columns have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from adapters.errors import QueryFailed
from adapters.files.naming import file, literal


def parquet(raw: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> str:
    """A SELECT from Parquet files; raises QueryFailed unless all have the same columns."""
    first, *others = [_columns(raw, _parquet([path])) for path in paths]
    for path, columns in zip(paths[1:], others, strict=True):
        if columns != first:
            raise QueryFailed(f"{path.name} has other columns than {paths[0].name}")
    return _parquet(paths)


def json(raw: duckdb.DuckDBPyConnection, path: Path) -> str:
    """A SELECT from objects, one a line or all in an array; the whole file says their types."""
    if not path.stat().st_size:
        raise QueryFailed(f"{path.name} is empty")
    objects = f"SELECT * FROM read_json([{file(path)}], hive_partitioning = false"
    found = _columns(raw, f"{objects}, sample_size = -1, dateformat = '%Y-%m-%d')")
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in found)
    return f"{objects}, columns = {{{columns}}})"


def _parquet(paths: Sequence[Path]) -> str:
    files = ", ".join(file(path) for path in paths)
    return f"SELECT * FROM read_parquet([{files}], hive_partitioning = false)"


def _columns(raw: duckdb.DuckDBPyConnection, select: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind, *_ in raw.execute(f"DESCRIBE {select}").fetchall()]
