"""Notices that a table is not any more what a query takes it for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from adapters import evaluate
from adapters.base import Field, Query, Table
from adapters.errors import SchemaChanged


def fields_of(query: Query) -> Iterator[Field]:
    """Every field that a query reads or compares."""
    yield from query.fields
    yield from evaluate.fields_of(query.where)


def refuse_outdated(query: Query, describe: Callable[[Table], Sequence[Field]]) -> None:
    """Raise SchemaChanged if a field of ``query`` is gone or has another type by now."""
    now = {field.name: field for field in describe(query.table)}
    for field in fields_of(query):
        present = now.get(field.name)
        if present is None or present.native.declared != field.native.declared:
            raise SchemaChanged(f"column {field.name} is not what it was")
