"""Every row with every value, whatever is selected, in batches that fit into memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.base import Cancellation, FieldType, IsNull
from adapters.encode import encode_rows
from adapters.evaluate import Shown, read_json, value_of
from adapters.testing.conftest import Loaded, Open, values
from adapters.testing.data import ROWS

ALLOWED = (bool, int, float, Decimal, str, bytes, date, datetime)
MOST_IN_A_BATCH = 10_000


def by_id(rows: Sequence[Sequence[Any]], place: int = 0) -> list[Sequence[Any]]:
    return sorted(rows, key=lambda row: int(getattr(row[place], "text", row[place])))


def meant(loaded: Loaded, name: str, cell: Shown) -> Any:
    return None if cell is None else value_of(loaded.fields[name], cell)


def test_every_row_arrives_with_every_value(loaded: Loaded, columns: list[str]) -> None:
    rows = by_id(loaded.read(columns))
    assert len(rows) == len(ROWS), f"{len(ROWS)} rows were to be loaded, {len(rows)} came back"
    for row, expected in zip(rows, ROWS, strict=True):
        for name, cell in zip(columns, row, strict=True):
            got = meant(loaded, name, cell)
            assert got == expected[name], (
                f"row {expected['id']}, column {name}: {expected[name]!r} became {got!r}"
            )


def test_values_are_of_the_types_that_an_adapter_may_give(
    loaded: Loaded, columns: list[str]
) -> None:
    for row in values(loaded.adapter, loaded.query(columns)):
        assert isinstance(row, tuple | list), f"a row is a tuple, not a {type(row).__name__}"
        for name, value in zip(columns, row, strict=True):
            assert value is None or isinstance(value, ALLOWED), (
                f"column {name} holds a {type(value).__name__}; Adapter.rows lists what it may be"
            )


def test_both_ways_of_reading_give_the_same(loaded: Loaded, columns: list[str]) -> None:
    rows = values(loaded.adapter, loaded.query(columns))
    fields = [loaded.fields[name] for name in columns]
    encoded = read_json(b"[%s]" % encode_rows(fields, rows, loaded.adapter.options.timezone))
    assert by_id(loaded.read(columns)) == by_id(encoded), (
        "json_rows() has to give what adapters.encode.encode_rows makes of rows()"
    )


def test_batches_are_lists_neither_empty_nor_large(loaded: Loaded, columns: list[str]) -> None:
    sizes = []
    for batch in loaded.adapter.rows(loaded.query(columns), Cancellation()):
        assert isinstance(batch, list), f"a batch is a list of rows, not a {type(batch).__name__}"
        sizes.append(len(batch))
    assert all(sizes), "a batch is empty: leave it out"
    assert max(sizes) <= MOST_IN_A_BATCH, f"{max(sizes)} rows in one batch: cut it into pieces"
    for json_batch in loaded.adapter.json_rows(loaded.query(columns), Cancellation()):
        assert json_batch.rows == len(read_json(b"[%s]" % json_batch.json)), (
            "Batch.rows has to say how many rows Batch.json holds"
        )


def test_fields_in_any_order_and_number(loaded: Loaded, columns: list[str]) -> None:
    whole = {row[0]: dict(zip(columns, row, strict=True)) for row in loaded.read(columns)}
    wanted = [
        *(["id", name] for name in columns),
        ["id", *reversed(columns)],
        ["id", columns[-1], "id", columns[-1]],
    ]
    for names in wanted:
        rows = loaded.read(names)
        assert len(rows) == len(whole), f"select {names}: {len(rows)} rows instead of {len(whole)}"
        for row in rows:
            expected = [whole[row[0]][name] for name in names]
            assert row == expected, f"select {names}: fields come back in another order or number"
    for name in columns:  # alone, without the key
        alone = sorted(repr(row) for row in loaded.read([name]))
        assert alone == sorted(repr([row[name]]) for row in whole.values()), f"select {name} alone"


@pytest.mark.parametrize("limit", [0, 1, 7, 999, 1000, 1001, len(ROWS), len(ROWS) + 1])
def test_a_limit_is_kept(loaded: Loaded, columns: list[str], limit: int) -> None:
    rows = loaded.read(columns, limit=limit)
    assert len(rows) == min(limit, len(ROWS)), f"limit {limit}: {len(rows)} rows"
    known = {repr(row) for row in loaded.read(columns)}
    assert all(repr(row) in known for row in rows), "with a limit, other rows come than without"
    assert len({repr(row) for row in rows}) == len(rows), "with a limit, rows come twice"


def test_nothing_to_give_is_no_batch_at_all(loaded: Loaded) -> None:
    nobody = IsNull(loaded.fields["id"])
    batches = list(loaded.adapter.rows(loaded.query(["id"], nobody), Cancellation()))
    assert batches == [], "an answer without rows has no batches"


def test_several_threads_at_once_get_the_same(loaded: Loaded, columns: list[str]) -> None:
    expected = by_id(loaded.read(columns))
    found: list[Any] = []

    def read() -> None:
        try:
            found.append(by_id(loaded.read(columns)))
            loaded.adapter.check()
            loaded.adapter.describe(loaded.table)
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in found:
        assert answer == expected, f"methods may be called from several threads at once: {answer!r}"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_times_are_shown_in_the_time_zone_of_the_source(
    opened: Open, columns: list[str], zone: str
) -> None:
    """A source that stores local times shows them as they are; one that stores instants, moved."""
    named = [name for name in columns if name == "created"]
    if not named:
        pytest.skip("the source has no date-times")
    table = opened(zone)
    rows = by_id(table.read(["id", "created"]))
    shown = [meant(table, "created", row[1]) for row in rows]
    stored = [row["created"] for row in ROWS]
    moved = [
        at and at.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for at in stored
    ]
    assert shown in (stored, moved), (
        f"date-times in {zone} are neither as they were loaded nor converted from UTC: "
        "Options.timezone says in which zone they are shown"
    )
    assert table.fields["created"].type is FieldType.DATETIME
