"""The 26 methods: what they answer, what they refuse, and in which order they look."""

import pytest

from emulator.rest.methods import METHODS
from tests.portal.emulator_kit import (
    LOGO,
    TOKEN,
    always,
    connector_fields,
    dataset_fields,
    fetch,
    journey,
)

pytest_plugins = ["tests.portal.emulator_fixtures"]

NEW_METHODS = [name for name in METHODS if name.startswith("biconnector.table.")]
WITH_ID = [n for n in METHODS if n.rpartition(".")[2] in ("get", "update", "delete")]


def test_there_are_26_methods():
    assert len(METHODS) == 26
    assert len(NEW_METHODS) == 7


def test_every_method_is_known_to_a_new_portal(portal):
    for method in METHODS:
        answer = portal.post(f"/rest/{method}", {"auth": portal.token})
        assert answer.status == 200, method


def test_an_old_portal_has_no_table_methods(old_portal):
    for method in NEW_METHODS:
        answer = old_portal.post(f"/rest/{method}.json", {"auth": old_portal.token})
        assert (answer.status, answer.json["error"]) == (404, "ERROR_METHOD_NOT_FOUND")


def test_the_shape_of_an_error_depends_on_the_portal(portal):
    pair = {"error": "VALIDATION_ID_NOT_PROVIDED", "error_description": "ID is missing."}
    new = portal.post("/rest/biconnector.connector.get", {"auth": portal.token})
    assert (new.status, new.json["result"]) == (200, {"error": pair})
    portal.control("settings", portal="old")
    old = portal.post("/rest/biconnector.connector.get", {"auth": portal.token})
    assert (old.status, old.json) == (200, pair)


def test_a_success_carries_its_timing(portal):
    time = portal.post("/rest/biconnector.connector.list", {"auth": portal.token}).json["time"]
    assert {"start", "finish", "duration", "processing", "date_start", "date_finish"} <= set(time)


@pytest.mark.parametrize("path", ["", ".json", "/"])
def test_a_method_may_be_addressed_in_three_ways(portal, path):
    answer = portal.post(f"/rest/BIConnector.connector.list{path}", {"auth": portal.token})
    assert answer.json["result"] == []


def test_forms_and_queries_are_understood_like_json(portal):
    body = f"auth={portal.token}&select[]=id&filter[%3E%3Did]=1".encode()
    url = portal.url + "/rest/biconnector.connector.list"
    assert fetch("POST", url, body, "application/x-www-form-urlencoded").json["result"] == []
    assert fetch("GET", f"{url}?auth={portal.token}").json["result"] == []


def test_who_may_call(portal):
    def status(path, **values):
        answer = portal.post(path, values)
        return answer.status, answer.json["error"]

    path = "/rest/biconnector.connector.list"
    assert status(path) == (401, "NO_AUTH_FOUND")
    assert status(path, auth="nonsense") == (401, "invalid_token")
    assert status("/rest/1/nonsense/scope") == (401, "INVALID_CREDENTIALS")
    assert status("/rest/crm.deal.list", auth=portal.token) == (404, "ERROR_METHOD_NOT_FOUND")
    portal.control("tokens/expire")
    assert status(path, auth=portal.token) == (401, "expired_token")


def test_an_application_without_the_scope_is_refused(portal):
    portal.control("applications", client_id="narrow", scope="crm,user")
    token = portal.control("tokens", client_id="narrow")["access_token"]
    answer = portal.post("/rest/biconnector.connector.list", {"auth": token})
    assert (answer.status, answer.json["error"]) == (403, "insufficient_scope")


def test_a_webhook_is_denied_everything_but_the_fields(portal):
    url = portal.control("webhooks")["url"]
    for method in METHODS:
        body = fetch("POST", url + method, b"{}", "application/json").json
        if method.endswith(".fields"):
            assert "fields" in body["result"]
        else:
            assert body["result"]["error"]["error"] == "ACCESS_DENIED"


def test_a_user_without_the_right_is_denied_before_anything_else(portal):
    portal.control("settings", user_has_access=False)
    for method in METHODS:
        assert portal.rest(method) == "ACCESS_DENIED: Access denied."


# The order of the checks


@pytest.mark.parametrize("method", WITH_ID)
def test_the_identifier_is_looked_at_first(portal, method):
    assert portal.code(method, fields={"nope": 1}) == "VALIDATION_ID_NOT_PROVIDED"
    numeric = (1.5, 1.0, "1.5", "1.0", "1e1", " 1", "1" * 20)
    for wrong in (0, -1, "x", "", "0", True, None, [1], *numeric):
        assert portal.code(method, id=wrong) == "VALIDATION_INVALID_ID_FORMAT"


@pytest.mark.parametrize("entity", ["connector", "source", "dataset", "table"])
def test_then_the_fields(portal, entity):
    for missing in ({}, {"fields": {}}, {"fields": "x"}, {"fields": None}):
        assert portal.code(f"biconnector.{entity}.add", missing) == "VALIDATION_FIELDS_NOT_PROVIDED"
        update = portal.code(f"biconnector.{entity}.update", missing, id=1)
        assert update == "VALIDATION_FIELDS_NOT_PROVIDED"


def test_then_unknown_parameters_then_each_field_in_the_order_of_the_schema(portal):
    add = "biconnector.connector.add"
    fields = {"nope": 1, "neither": 2, "id": 5, "title": 1}
    assert portal.rest(add, fields=fields) == (
        "VALIDATION_UNKNOWN_PARAMETERS: Unknown parameters: nope, neither"
    )
    assert portal.rest(add, fields={"id": 5, "title": 1}) == (
        'VALIDATION_READ_ONLY_FIELD: Field "id" is read only.'
    )
    assert portal.rest(add, fields={"title": 1}) == (
        'VALIDATION_INVALID_FIELD_TYPE: Field "title" must be of type string.'
    )
    assert portal.rest(add, fields={"title": "A"}) == (
        'VALIDATION_REQUIRED_FIELD_MISSING: Field "logo" is required.'
    )
    assert portal.rest("biconnector.source.update", id=1, fields={"connectorId": "x"}) == (
        'VALIDATION_IMMUTABLE_FIELD: Field "connectorId" is immutable.'
    )


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("sort", "ten", "integer"),
        ("settings", "token", "array"),
        ("supportMapping", "true", "boolean"),
        ("supportMapping", 1, "boolean"),
        ("description", 5, "string"),
    ],
)
def test_types_are_checked(portal, field, value, kind):
    fields = connector_fields(**{field: value})
    assert portal.rest("biconnector.connector.add", fields=fields) == (
        f'VALIDATION_INVALID_FIELD_TYPE: Field "{field}" must be of type {kind}.'
    )


# Connectors


def test_a_connector_can_be_added_read_changed_and_removed(portal):
    fields = connector_fields(supportMapping=True, sourceCode="pgsql", sort="30")
    number = portal.rest("biconnector.connector.add", fields=fields)["id"]
    item = portal.rest("biconnector.connector.get", id=str(number))["item"]
    assert {key: item[key] for key in fields} == fields | {"sort": 30}
    assert item["id"] == number
    assert item["description"] is None
    assert "appId" not in item
    assert portal.rest("biconnector.connector.update", id=number, fields={"title": "B"}) is True
    assert portal.rest("biconnector.connector.list")[0]["title"] == "B"
    assert portal.rest("biconnector.connector.delete", id=number) is True
    assert portal.code("biconnector.connector.get", id=number) == "CONNECTOR_NOT_FOUND"


def test_the_fields_that_only_new_portals_know(old_portal):
    titles = [f["title"] for f in old_portal.rest("biconnector.connector.fields")["fields"]]
    assert "supportMapping" not in titles
    assert "sourceCode" not in titles
    for field in ({"supportMapping": True}, {"sourceCode": "mysql"}):
        code = old_portal.code("biconnector.connector.add", fields=connector_fields(**field))
        assert code == "VALIDATION_UNKNOWN_PARAMETERS"
    old_portal.control("settings", portal="new")
    titles = [f["title"] for f in old_portal.rest("biconnector.connector.fields")["fields"]]
    assert titles[-2:] == ["supportMapping", "sourceCode"]


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ({"code": "a", "name": "A"}, "VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS"),
        ("token", "VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS"),
        ({"code": "a", "name": "A", "type": "string"}, "VALIDATION_SETTINGS_INVALID_TYPE"),
        ({"code": "a", "name": "A" * 513, "type": "STRING"}, "VALIDATION_SETTINGS_NAME_TOO_LONG"),
        ({"code": "a" * 513, "name": "A", "type": "STRING"}, "VALIDATION_SETTINGS_CODE_TOO_LONG"),
    ],
)
def test_settings_are_checked(portal, setting, code):
    fields = connector_fields(settings=[setting])
    assert portal.code("biconnector.connector.add", fields=fields) == code
    number = portal.rest("biconnector.connector.add", fields=connector_fields())["id"]
    update = {"settings": [setting]}
    assert portal.code("biconnector.connector.update", id=number, fields=update) == code


def test_whole_numbers_as_settings_came_with_new_portals(portal):
    fields = connector_fields(settings=[{"code": "port", "name": "Port", "type": "INT"}])
    assert portal.rest("biconnector.connector.add", fields=fields)["id"] == 1
    portal.control("settings", portal="old")
    code = portal.code("biconnector.connector.add", fields=fields)
    assert code == "VALIDATION_SETTINGS_INVALID_TYPE"


@pytest.mark.parametrize(
    ("field", "limit"),
    [("title", 512), ("urlCheck", 2048), ("urlData", 2048), ("sourceCode", 64)],
)
def test_texts_have_limits(portal, field, limit):
    add = "biconnector.connector.add"
    assert "id" in portal.rest(add, fields=connector_fields(**{field: "x" * limit}))
    too_long = connector_fields(**{field: "x" * (limit + 1)})
    assert portal.code(add, fields=too_long) == "BX_INVALID_VALUE"


def test_a_required_text_must_not_be_empty(portal):
    code = portal.code("biconnector.connector.add", fields=connector_fields(title=""))
    assert code == "BX_EMPTY_REQUIRED"


def test_a_connector_in_use_stays(portal, played):
    made = journey(portal, played)
    code = portal.code("biconnector.connector.delete", id=made.connector)
    assert code == "CONNECTOR_DELETE_RESTRICTED"


# Sources


def test_adding_a_source_calls_check_with_the_settings_given(portal, played):
    connector = portal.rest("biconnector.connector.add", fields=connector_fields(played))["id"]
    settings = {"token": f"{TOKEN}", "extra": "kept out"}
    fields = {"title": "Shop", "connectorId": connector, "settings": settings}
    number = portal.rest("biconnector.source.add", fields=fields)["id"]
    assert played.last("check").params == {"connection": settings}
    item = portal.rest("biconnector.source.get", id=number)["item"]
    assert item["connectorId"] == connector
    assert item["connection"]["code"] == f"rest_{connector}"
    assert item["connection"]["active"] is True
    assert item["settings"] == [
        {"name": "Token", "code": "token", "type": "STRING", "value": TOKEN}
    ]


def test_a_source_that_does_not_answer_is_not_made(portal, played):
    connector = portal.rest("biconnector.connector.add", fields=connector_fields(played))["id"]
    fields = {"title": "Shop", "connectorId": connector, "settings": {"token": "wrong"}}
    assert portal.rest("biconnector.source.add", fields=fields) == (
        "SOURCE_CREATE_CONNECTION_ERROR: Cannot create connection."
    )
    assert portal.rest("biconnector.source.list") == []


def test_the_connector_of_a_new_source_must_exist(portal):
    fields = {"title": "Shop", "connectorId": 77, "settings": {"token": "x"}}
    assert portal.code("biconnector.source.add", fields=fields) == "CONNECTOR_NOT_FOUND"


def test_updating_a_source_checks_the_merged_settings(portal, played):
    two = [{"code": code, "name": code, "type": "STRING"} for code in ("token", "schema")]
    connector = portal.rest(
        "biconnector.connector.add", fields=connector_fields(played, settings=two)
    )["id"]
    fields = {
        "title": "Shop",
        "connectorId": connector,
        "settings": {"token": TOKEN, "schema": "a"},
    }
    number = portal.rest("biconnector.source.add", fields=fields)["id"]
    change = {"settings": {"schema": " b "}, "active": False}
    assert portal.rest("biconnector.source.update", id=number, fields=change) is True
    assert played.last("check").params == {"connection": {"token": TOKEN, "schema": " b "}}
    item = portal.rest("biconnector.source.get", id=number)["item"]
    assert [setting["value"] for setting in item["settings"]] == [TOKEN, "b"]
    assert item["connection"]["active"] is False
    played.replace["check"] = always(500, {"error": "DOWN"})
    assert portal.rest("biconnector.source.update", id=number, fields={"title": "New"}) == (
        "SOURCE_UPDATE_CONNECTION_ERROR: Cannot update connection."
    )
    assert portal.rest("biconnector.source.get", id=number)["item"]["connection"]["title"] == "Shop"


def test_a_source_in_use_stays(portal, played):
    made = journey(portal, played)
    assert portal.rest("biconnector.source.delete", id=made.source) == (
        "BX_ERROR: Cannot delete source. Delete all related datasets first."
    )
    assert portal.rest("biconnector.dataset.delete", id=made.dataset) is True
    assert portal.rest("biconnector.source.delete", id=made.source) is True
    assert portal.rest("biconnector.connector.delete", id=made.connector) is True


# Ownership


def test_what_another_application_made_does_not_exist(portal, played):
    made = journey(portal, played)
    stranger = portal.application("stranger")
    for entity, number in vars(made).items():
        assert portal.rest(f"biconnector.{entity}.list", auth=stranger) == []
        assert len(portal.rest(f"biconnector.{entity}.list")) == 1
        for verb, more in (
            ("get", {}),
            ("update", {"fields": {"description": "x"}}),
            ("delete", {}),
        ):
            code = portal.code(f"biconnector.{entity}.{verb}", more, id=number, auth=stranger)
            assert code == f"{entity.upper()}_NOT_FOUND"
    code = portal.code("biconnector.dataset.fields.update", id=made.dataset, auth=stranger)
    assert code == "DATASET_NOT_FOUND"
    fields = {"title": "S", "connectorId": made.connector, "settings": {"token": TOKEN}}
    code = portal.code("biconnector.source.add", fields=fields, auth=stranger)
    assert code == "CONNECTOR_NOT_FOUND"
    fields = dataset_fields(made.source, name="other")
    code = portal.code("biconnector.dataset.add", fields=fields, auth=stranger)
    assert code == "SOURCE_NOT_FOUND"


def test_the_logo_is_kept_as_it_came(portal):
    number = portal.rest("biconnector.connector.add", fields=connector_fields())["id"]
    assert portal.rest("biconnector.connector.get", id=number)["item"]["logo"] == LOGO
