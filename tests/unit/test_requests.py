"""Every endpoint takes what portals send it, and names what it cannot take."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import ApiError
from app.wire.requests import (
    MAX_LIMIT,
    DataRequest,
    TableListRequest,
    TableRequest,
    read_request,
)


def data(**parameters: Any) -> DataRequest:
    return read_request(DataRequest, {"table": "t", **parameters})


@pytest.mark.parametrize(
    ("tree", "search"),
    [({}, ""), ({"searchString": ""}, ""), ({"searchString": "Ж "}, "Ж "), ({"other": "x"}, "")],
)
def test_a_table_list_may_be_searched(tree: Any, search: str) -> None:
    assert read_request(TableListRequest, tree) == TableListRequest(search)


@pytest.mark.parametrize("kind", [TableRequest, DataRequest])
@pytest.mark.parametrize(
    ("tree", "table"),
    [
        ({"table": "t"}, "t"),
        ({"name": "t"}, "t"),
        ({"table": "t", "name": "other"}, "t"),
        ({"table": "", "name": "t"}, "t"),
        ({"table": "0"}, "0"),
    ],
)
def test_the_table_may_also_be_called_name(kind: Any, tree: Any, table: str) -> None:
    assert read_request(kind, tree).table == table


@pytest.mark.parametrize("kind", [TableRequest, DataRequest])
@pytest.mark.parametrize("tree", [{}, {"table": ""}, {"name": ""}, {"table": {"0": "t"}}])
def test_a_missing_table_is_named(kind: Any, tree: Any) -> None:
    with pytest.raises(ApiError, match="MISSING_TABLE: table ") as caught:
        read_request(kind, tree)
    assert caught.value.description.endswith(".")


def test_a_request_without_parameters_asks_for_everything() -> None:
    assert data() == DataRequest("t", None, {}, None, {})
    assert data(select="", filter="", mapFields="") == data()


@pytest.mark.parametrize(
    ("limit", "rows"),
    [("0", None), ("00", None), ("1", 1), (" 20 ", 20), (str(MAX_LIMIT), MAX_LIMIT)],
)
def test_a_limit_is_a_number_of_rows_and_zero_means_all(limit: str, rows: int | None) -> None:
    assert data(limit=limit).limit == rows


@pytest.mark.parametrize(
    "limit",
    ["", "-1", "+1", "1.0", "1e3", "ten", "0x10", "٣", "²", str(MAX_LIMIT + 1), "9" * 5000],
)
def test_a_bad_limit_is_refused(limit: str) -> None:
    with pytest.raises(ApiError, match="INVALID_LIMIT: limit "):
        data(limit=limit)


def test_a_list_of_limits_is_refused() -> None:
    with pytest.raises(ApiError, match="INVALID_LIMIT: limit "):
        data(limit={"0": "1"})


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ({"0": "B", "1": "A"}, ("B", "A")),
        ({"5": "B", "x": "A"}, ("B", "A")),
        ({"0": "A", "1": "A"}, ("A", "A")),
        ("A", ("A",)),
    ],
)
def test_a_selection_keeps_its_order(select: Any, names: tuple[str, ...]) -> None:
    assert data(select=select).select == names


@pytest.mark.parametrize(
    ("parameters", "code", "culprit"),
    [
        ({"select": {"0": {"0": "A"}}}, "INVALID_PARAMETER", "select"),
        ({"mapFields": "x"}, "INVALID_PARAMETER", "mapFields"),
        ({"mapFields": {"A": {"0": "B"}}}, "INVALID_PARAMETER", "mapFields"),
        ({"filter": "x"}, "INVALID_FILTER", "filter"),
        ({"filter": "0"}, "INVALID_FILTER", "filter"),
        ({"filter_>=DAY": "1"}, "INVALID_PARAMETER", "filter_>=DAY"),
        ({"select_0": "A"}, "INVALID_PARAMETER", "select_0"),
        ({"mapFields_A": "B"}, "INVALID_PARAMETER", "mapFields_A"),
        ({"filter[=CITY]": "Rome"}, "INVALID_PARAMETER", "filter[=CITY]"),
        ({"select[0]": "A"}, "INVALID_PARAMETER", "select[0]"),
    ],
)
def test_what_would_be_lost_is_refused_by_name(parameters: Any, code: str, culprit: str) -> None:
    with pytest.raises(ApiError) as caught:
        data(**parameters)
    assert caught.value.code == code
    assert culprit in caught.value.description
    assert caught.value.description.endswith(".")


def test_parameters_of_tomorrow_are_left_alone() -> None:
    assert data(order={"0": "ID"}, filters="x") == data()
