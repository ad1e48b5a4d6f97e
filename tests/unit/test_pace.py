"""A batch is about as large whatever its rows hold."""

from __future__ import annotations

import pytest

from adapters.sql.pace import FIRST_ROWS, Pace


def test_of_the_first_rows_nothing_is_known() -> None:
    assert Pace().rows == FIRST_ROWS


@pytest.mark.parametrize(
    ("rows", "size", "expected"),
    [
        pytest.param(100, 13_107, 1000, id="usual"),
        pytest.param(100, 10_000_000, 1, id="as wide as a batch"),
        pytest.param(1, 300_000_000, 1, id="wider than any batch"),
        pytest.param(100, 300, 2000, id="of one digit"),
        pytest.param(1, 131_072, 1, id="exactly a batch"),
    ],
)
def test_the_next_are_as_many_as_fit(rows: int, size: int, expected: int) -> None:
    pace = Pace()
    pace.batch(rows, bytes(size))
    assert pace.rows == expected


def test_it_learns_from_the_last_rows_only() -> None:
    pace = Pace()
    pace.batch(1, bytes(10_000_000))
    assert pace.rows == 1
    pace.batch(1, bytes(131))
    assert pace.rows == 1000
