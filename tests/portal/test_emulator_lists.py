"""Lists: select, filter with prefixes, order, pages of 50."""

import pytest

from tests.portal.emulator_kit import connector_fields

pytest_plugins = ["tests.portal.emulator_fixtures"]
LIST = "biconnector.connector.list"


@pytest.fixture
def titles(portal):
    """Return a function that lists the titles of five connectors under a filter."""
    rows = [("Alpha", None, 10), ("beta", "two", 20), ("Gamma", "", 20), ("alpha 2", "x", 30)]
    for title, description, sort in rows:
        fields = connector_fields(title=title, sort=sort)
        if description is not None:
            fields["description"] = description
        portal.rest("biconnector.connector.add", fields=fields)
    return lambda condition: [row["title"] for row in portal.rest(LIST, filter=condition)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"title": "Alpha"}, ["Alpha"]),
        ({"=title": "ALPHA"}, ["Alpha"]),
        ({"!title": "Alpha"}, ["beta", "Gamma", "alpha 2"]),
        ({"!=title": "Alpha"}, ["beta", "Gamma", "alpha 2"]),
        ({"%title": "ALP"}, ["Alpha", "alpha 2"]),
        ({"!%title": "alp"}, ["beta", "Gamma"]),
        ({"=%title": "a%"}, ["Alpha", "alpha 2"]),
        ({"%=title": "%a"}, ["Alpha", "beta", "Gamma"]),
        ({"@id": [1, 3]}, ["Alpha", "Gamma"]),
        ({"!@id": [1, 3]}, ["beta", "alpha 2"]),
        ({">id": 2}, ["Gamma", "alpha 2"]),
        ({">=id": "2", "<id": 4}, ["beta", "Gamma"]),
        ({"<=sort": 10}, ["Alpha"]),
        ({"><id": [2, 3]}, ["beta", "Gamma"]),
        ({"!description": ""}, ["beta", "alpha 2"]),
        ({"logic": "OR", "id": 1, "title": "beta"}, ["Alpha", "beta"]),
        ({"0": {"logic": "or", "id": 1, "title": "beta"}, "sort": 20}, ["beta"]),
        ({}, ["Alpha", "beta", "Gamma", "alpha 2"]),
    ],
)
def test_filters(titles, condition, expected):
    assert titles(condition) == expected


def test_order(portal, titles):
    order = {"sort": "DESC", "title": "asc"}
    names = [row["title"] for row in portal.rest(LIST, order=order)]
    assert names == ["alpha 2", "beta", "Gamma", "Alpha"]


def test_select(portal, titles):
    assert portal.rest(LIST, select=["title"], filter={"id": 1}) == [{"title": "Alpha"}]
    assert "urlCheck" in portal.rest(LIST, select=["*"])[0]


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"select": "id"}, 'VALIDATION_SELECT_TYPE: Parameter "select" must be array.'),
        ({"filter": "id"}, 'VALIDATION_FILTER_TYPE: Parameter "filter" must be array.'),
        ({"order": "id"}, 'VALIDATION_ORDER_TYPE: Parameter "order" must be array.'),
        (
            {"select": ["nope"]},
            'VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT: Field "nope" is not allowed in the "select".',
        ),
        (
            {"filter": {"!=nope": 1}},
            'VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER: Field "nope" is not allowed in the "filter".',
        ),
        (
            {"filter": {"0": {"nope": 1}}},
            'VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER: Field "nope" is not allowed in the "filter".',
        ),
        (
            {"filter": {"@title": ["a", "b"]}},
            'VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER: Field "0" is not allowed in the "filter".',
        ),
        (
            {"order": {"nope": "ASC"}},
            'VALIDATION_FIELD_NOT_ALLOWED_IN_ORDER: Field "nope" is not allowed in the "order".',
        ),
        (
            {"filter": {"logic": "XOR"}},
            'VALIDATION_INVALID_FILTER_LOGIC: Field "logic" must be either "AND" or "OR".',
        ),
    ],
)
def test_what_a_list_refuses(portal, parameters, error):
    for entity in ("connector", "source", "dataset", "table"):
        assert portal.rest(f"biconnector.{entity}.list", parameters) == error


def test_pages_of_50_without_a_total(portal):
    for number in range(120):
        portal.rest("biconnector.connector.add", fields=connector_fields(title=f"T{number:03}"))

    def page(number):
        answer = portal.post(f"/rest/{LIST}", {"auth": portal.token, "page": number}).json
        assert not {"total", "next"} & set(answer)
        return [row["id"] for row in answer["result"]]

    assert page(1) == page(0) == page("x") == page(None) == list(range(1, 51))
    assert page(2) == page("2") == list(range(51, 101))
    assert page(3) == list(range(101, 121))
    assert page(4) == []
