"""Datasets and tables: one storage, two sets of methods."""

import pytest

from tests.portal.emulator_kit import dataset_fields, journey

pytest_plugins = ["tests.portal.emulator_fixtures"]

ONE = {"name": "ID", "externalCode": "ID", "type": "int"}


@pytest.fixture
def source(portal, played):
    made = journey(portal, played)
    portal.rest("biconnector.dataset.delete", id=made.dataset)
    return made.source


def code_of(portal, source, **changes):
    return portal.code("biconnector.dataset.add", fields=dataset_fields(source, **changes))


def test_a_dataset_can_be_read_under_both_names(portal, played):
    made = journey(portal, played)
    calls = len(played.heard)
    item = portal.rest("biconnector.dataset.get", id=made.dataset)["item"]
    assert item == portal.rest("biconnector.table.get", id=made.dataset)["item"]
    assert item["fields"][0] == {
        "id": 1,
        "datasetId": made.dataset,
        "type": "int",
        "name": "ID",
        "externalCode": "ID",
        "visible": True,
    }
    assert "fields" not in portal.rest("biconnector.table.list")[0]
    assert len(played.heard) == calls


def test_only_the_description_can_be_changed(portal, played):
    made = journey(portal, played)
    update = "biconnector.dataset.update"
    assert portal.rest(update, id=made.dataset, fields={"description": "All orders"}) is True
    assert portal.rest("biconnector.dataset.list")[0]["description"] == "All orders"
    for field in ("name", "externalName", "externalCode", "sourceId"):
        code = portal.code(update, id=made.dataset, fields={field: "x"})
        assert code == "VALIDATION_IMMUTABLE_FIELD"
    assert portal.code(update, id=made.dataset, fields={"fields": [ONE]}) == "INVALID_METHOD"


@pytest.mark.parametrize("name", ["Orders", "1orders", "orders-2", "заказы", "_orders", ""])
def test_names_of_datasets(portal, source, name):
    assert code_of(portal, source, name=name) == "VALIDATION_DATASET_NAME_INVALID"


def test_the_name_is_looked_at_before_the_source(portal):
    assert code_of(portal, 99, name="Orders") == "VALIDATION_DATASET_NAME_INVALID"
    assert code_of(portal, 99) == "SOURCE_NOT_FOUND"


def test_the_length_of_a_name(portal, source):
    assert code_of(portal, source, name="x" * 231) == "VALIDATION_DATASET_NAME_TOO_LONG"
    fields = dataset_fields(source, name="x" * 230)
    assert "id" in portal.rest("biconnector.dataset.add", fields=fields)


def test_a_taken_name(portal, source):
    portal.rest("biconnector.table.add", fields=dataset_fields(source))
    assert portal.rest("biconnector.dataset.add", fields=dataset_fields(source)) == (
        'NAME_EXISTS: A table named "orders" already exists.'
    )
    portal.control("settings", portal="old")
    assert code_of(portal, source) == "DATASET_ALREADY_EXIST"


def test_repeated_names_and_codes(portal, source):
    same_name = [ONE, ONE | {"externalCode": "OTHER"}]
    same_code = [ONE, ONE | {"name": "OTHER"}]
    assert code_of(portal, source, fields=same_name) == "DUPLICATE_FIELDS"
    assert code_of(portal, source, fields=same_code) == "VALIDATION_DUPLICATE_FIELD_CODE"
    portal.control("settings", portal="old")
    assert code_of(portal, source, fields=same_name) == "VALIDATION_DUPLICATE_FIELD_NAME"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "id"}, "VALIDATION_FIELD_NAME_INVALID_FORMAT"),
        ({"name": "1D"}, "VALIDATION_FIELD_NAME_INVALID_FORMAT"),
        ({"name": "ИД"}, "VALIDATION_FIELD_NAME_INVALID_FORMAT"),
        ({"name": "X" * 33}, "VALIDATION_FIELD_NAME_TOO_LONG"),
        ({"type": "INT"}, "VALIDATION_FIELD_INVALID_TYPE"),
        ({"type": "boolean"}, "VALIDATION_FIELD_INVALID_TYPE"),
    ],
)
def test_columns_are_checked(portal, source, change, code):
    assert code_of(portal, source, fields=[ONE | change]) == code
    number = portal.rest("biconnector.dataset.add", fields=dataset_fields(source))["id"]
    column = {"name": "FRESH", "externalCode": "FRESH", "type": "int"} | change
    assert portal.code("biconnector.dataset.fields.update", id=number, add=[column]) == code


def test_columns_need_three_parameters(portal, source):
    for missing in ("name", "externalCode", "type"):
        column = {key: value for key, value in ONE.items() if key != missing}
        code = code_of(portal, source, fields=[column])
        assert code == "VALIDATION_FIELD_MISSING_REQUIRED_PARAMETERS"
    assert code_of(portal, source, fields=[]) == "FIELDS_EMPTY"


@pytest.mark.parametrize("kind", ["money", "timezone"])
def test_types_that_only_new_portals_know(portal, source, kind):
    fields = dataset_fields(source, fields=[ONE | {"type": kind}])
    assert "id" in portal.rest("biconnector.dataset.add", fields=fields)
    portal.control("settings", portal="old")
    code = code_of(portal, source, name="again", fields=[ONE | {"type": kind}])
    assert code == "VALIDATION_FIELD_INVALID_TYPE"


@pytest.mark.parametrize("entity", ["dataset", "table"])
def test_columns_are_added_hidden_and_removed_at_once(portal, played, entity):
    made = journey(portal, played)
    columns = portal.rest("biconnector.dataset.get", id=made.dataset)["item"]["fields"]
    result = portal.rest(
        f"biconnector.{entity}.fields.update",
        id=made.dataset,
        add=[{"name": "TAX", "externalCode": "TAX", "type": "double"}],
        update=[{"id": columns[1]["id"], "visible": False}],
        delete=[columns[2]["id"]],
    )
    assert result is True
    after = portal.rest("biconnector.dataset.get", id=made.dataset)["item"]["fields"]
    names = [column["name"] for column in after]
    assert names == [c["name"] for n, c in enumerate(columns) if n != 2] + ["TAX"]
    assert [column["visible"] for column in after] == [True, False] + [True] * (len(after) - 2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"add": [{"name": "A", "type": "int"}]}, "VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS"),
        ({"update": [{"id": 1}]}, "VALIDATION_FIELD_UPDATE_MISSING_REQUIRED_FIELDS"),
        ({"delete": ["x"]}, "VALIDATION_FIELD_DELETE_INVALID_ID"),
        ({"delete": [0]}, "VALIDATION_FIELD_DELETE_INVALID_ID"),
        ({"add": [ONE | {"name": "OTHER"}]}, "VALIDATION_DUPLICATE_EXIST_CODE"),
        ({"add": [ONE | {"externalCode": "OTHER"}]}, "VALIDATION_DUPLICATE_EXIST_NAME"),
    ],
)
def test_what_fields_update_refuses(portal, played, change, code):
    made = journey(portal, played)
    assert portal.code("biconnector.dataset.fields.update", change, id=made.dataset) == code


def test_fields_update_looks_at_the_identifier_first(portal):
    method = "biconnector.table.fields.update"
    assert portal.code(method, delete=["x"]) == "VALIDATION_ID_NOT_PROVIDED"
    assert portal.code(method, id="x", delete=["x"]) == "VALIDATION_INVALID_ID_FORMAT"
    assert portal.code(method, id=7, delete=["x"]) == "VALIDATION_FIELD_DELETE_INVALID_ID"
    assert portal.code(method, id=7) == "DATASET_NOT_FOUND"
