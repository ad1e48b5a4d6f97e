"""A field is found by its dataset's name, by its code, or by its code in any letter case."""

from __future__ import annotations

import pytest

from adapters.base import Field, FieldType
from app.errors import ApiError
from app.wire.names import Names

ID, CITY = Field("id", FieldType.INT), Field("city", FieldType.STRING)
FIELDS = {"ID": ID, "CITY": CITY}


@pytest.mark.parametrize(
    ("mapping", "name", "field"),
    [
        ({}, "ID", ID),
        ({}, "id", ID),
        ({}, "Id", ID),
        ({"ID": "NUMBER"}, "NUMBER", ID),
        ({"id": "NUMBER"}, "NUMBER", ID),
        ({"ID": "NUMBER"}, "ID", ID),
        ({"ID": "NUMBER"}, "CITY", CITY),
        ({"ID": "CITY", "CITY": "ID"}, "ID", CITY),
        ({"ID": "CITY", "CITY": "ID"}, "CITY", ID),
        ({"ID": "CITY"}, "CITY", ID),
        ({"ID": "CITY"}, "city", CITY),
        ({"NO_SUCH": "OTHER"}, "ID", ID),
    ],
)
def test_the_mapping_is_asked_before_the_codes(
    mapping: dict[str, str], name: str, field: Field
) -> None:
    assert Names(FIELDS, mapping).field(name, "select") is field


@pytest.mark.parametrize(
    ("mapping", "name", "culprits"),
    [
        ({}, "NO_SUCH", ["NO_SUCH", "select"]),
        ({}, "", ["select"]),
        ({}, "ID ", ["ID "]),
        ({}, "cıty", ["cıty"]),
        ({"NO_SUCH": "NUMBER"}, "NUMBER", ["NUMBER", "NO_SUCH"]),
        ({"ID": "NUMBER"}, "number", ["number"]),
    ],
)
def test_an_unknown_name_is_refused_and_named(
    mapping: dict[str, str], name: str, culprits: list[str]
) -> None:
    with pytest.raises(ApiError) as caught:
        Names(FIELDS, mapping).field(name, "select")
    assert caught.value.code == "UNKNOWN_FIELD"
    assert all(culprit in caught.value.description for culprit in culprits)


def test_one_name_for_two_fields_is_refused_where_it_is_used() -> None:
    """The mapping is that of all datasets of a table, and each has names of its own."""
    names = Names(FIELDS, {"ID": "X", "CITY": "X"})
    assert (names.field("ID", "select"), names.field("CITY", "filter")) == (ID, CITY)
    with pytest.raises(ApiError, match=r"INVALID_PARAMETER.*X, which filter names.*ID.*CITY"):
        names.field("X", "filter")
