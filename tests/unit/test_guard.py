"""What an adapter gives goes on only if it is all that there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.base import Adapter, Batch, Cancellation, Field, FieldType, Options, Query, Row, Table
from adapters.errors import QueryCancelled
from app.guard import Guard

QUERY = Query(Table("t"), (Field("a", FieldType.INT),))


class EndsAsIfWhole(Adapter):
    """Takes a cancellation for the end of the rows."""

    def check(self) -> None: ...

    def tables(self) -> list[Table]:
        return [QUERY.table]

    def describe(self, table: Table) -> list[Field]:
        return list(QUERY.fields)

    def rows(self, query: Query, cancellation: Cancellation) -> Iterator[list[Row]]:
        yield [(1,)]
        cancellation.cancel("the time limit has passed")

    def close(self) -> None: ...


def test_rows_that_end_with_a_cancellation_are_not_all_rows() -> None:
    batches = Guard(EndsAsIfWhole("", Options()), Options()).json_rows(QUERY, Cancellation())
    assert next(batches) == Batch(1, b"[1]")
    with pytest.raises(QueryCancelled):
        next(batches)
