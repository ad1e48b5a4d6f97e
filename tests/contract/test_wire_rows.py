"""Every adapter gives the rows of the wire cases, and the same bytes whichever way they come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.base import Adapter, Cancellation, Options, Query
from adapters.registry import open_adapter
from tests.engines import ORDERS, Engine, load_orders


@pytest.fixture(scope="module")
def adapter(engine: Engine) -> Iterator[Adapter]:
    load_orders(engine)
    opened = open_adapter(engine.url, Options())
    yield opened
    opened.close()


def orders(adapter: Adapter) -> Query:
    (table,) = (t for t in adapter.tables() if t.name == "orders" and t.default)
    return Query(table, tuple(adapter.describe(table)))


def test_describes_names_and_types(adapter: Adapter) -> None:
    described = [{"name": f.name, "type": f.type} for f in orders(adapter).fields]
    assert described == ORDERS["columns"]


def test_gives_every_row(adapter: Adapter) -> None:
    batches = list(adapter.rows(orders(adapter), Cancellation()))
    rows = [
        [
            float(v) if f["type"] == "double" and v is not None else v
            for f, v in zip(ORDERS["columns"], row, strict=True)
        ]
        for batch in batches
        for row in batch
    ]
    assert sorted(rows) == sorted(ORDERS["rows"])
