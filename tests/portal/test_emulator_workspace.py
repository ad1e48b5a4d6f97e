"""What an analyst does on the pages, as requests: connect, choose, preview, make a dataset."""

import pytest

from tests.portal.emulator_kit import TOKEN, always, connector_fields, fetch, journey

pytest_plugins = ["tests.portal.emulator_fixtures"]


@pytest.fixture
def source(portal, played):
    portal.rest("biconnector.connector.add", fields=connector_fields(played, supportMapping=True))
    made = {"connectorId": 1, "title": "Shop", "settings": {"token": TOKEN}}
    return portal.post("/workspace/sources", made).json["id"]


def test_settings_are_tried_before_they_are_saved(portal, played):
    portal.rest("biconnector.connector.add", fields=connector_fields(played))
    good = portal.post("/workspace/check", {"connectorId": 1, "settings": {"token": TOKEN}})
    assert (good.status, good.json) == (200, {"ok": True})
    bad = portal.post("/workspace/check", {"connectorId": 1, "settings": {"token": "x"}})
    assert (bad.status, bad.json["reason"]) == (502, "status")
    assert portal.get("/workspace/sources").json == []


def test_the_application_sees_what_a_user_made(portal, source):
    assert portal.rest("biconnector.source.get", id=source)["item"]["connection"]["title"] == "Shop"


def test_the_connector_does_the_searching(portal, source, played):
    found = portal.get(f"/workspace/sources/{source}/tables?search=peo").json
    assert found == [{"id": "people", "code": "people", "title": "People"}]
    params = played.last("table_list").params
    assert list(params) == ["searchString", "connection"]
    portal.get(f"/workspace/sources/{source}/tables")
    assert "searchString" not in played.last("table_list").params


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ([], 200),
        ([{"code": "a", "title": "A", "id": 7}], 200),
        ([{"code": "a", "title": "A"}, {"code": "b", "title": ""}], 502),
        ([{"code": "0", "title": "A"}], 502),
        ([{"title": "A"}], 502),
        (["a"], 502),
        ("a", 502),
        (b"<html>", 502),
        (b'[{"code": "a", "title": "\\ud83d\\ude00", "rank": 1.5}]', 200),
        (b'[{"code": "a", "title": "A", "rank": NaN}]', 502),
        (b'[{"code": "a", "title": "A", "rank": -Infinity}]', 502),
        (b'\xef\xbb\xbf[{"code": "a", "title": "A"}]', 502),
        (b'[{"code": "a", "title": "\\ud83d"}]', 502),
        (b'[{"code": "a", "title": "\\ude00"}]', 502),
        (b'[{"code": "a", "title": "\xd0"}]', 502),
    ],
)
def test_one_bad_entry_spoils_the_table_list(portal, source, played, answer, status):
    played.replace["table_list"] = always(200, answer)
    assert portal.get(f"/workspace/sources/{source}/tables").status == status


def test_an_identifier_takes_the_place_of_the_code(portal, source, played):
    played.replace["table_list"] = always(200, [{"code": "a", "title": "A", "id": 7}])
    assert portal.get(f"/workspace/sources/{source}/tables").json[0]["id"] == "7"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ([{"code": "A", "name": "a", "type": "int"}], 200),
        ([], 502),
        ([{"code": "A", "name": "a"}], 502),
        ([{"code": "A", "name": "0", "type": "int"}], 502),
        ([None], 502),
        ({"error": "X"}, 502),
    ],
)
def test_descriptions_are_checked(portal, source, played, answer, status):
    played.replace["table_description"] = always(200, answer)
    assert portal.get(f"/workspace/sources/{source}/description?table=t").status == status


def test_types_are_read_generously(portal, source, played):
    answer = [{"code": c, "name": c, "type": t} for c, t in zip("ABC", ("INT", "uuid", "money"))]  # noqa: B905
    played.replace["table_description"] = always(200, answer)

    def types():
        described = portal.get(f"/workspace/sources/{source}/description?table=t").json
        return [column["type"] for column in described["columns"]]

    assert types() == ["int", "string", "money"]
    portal.control("settings", portal="old")
    assert types() == ["int", "string", "string"]


def test_the_preview_sends_only_a_limit_and_pairs_by_code(portal, source, played):
    rows = portal.get(f"/workspace/sources/{source}/preview?table=orders").json
    assert len(rows) == 20
    assert rows[0]["CUSTOMER"] == "Acme Ltd"
    assert played.last("data").body == f"limit=20&connection%5Btoken%5D={TOKEN}&table=orders"


def test_the_preview_reads_values_by_code(portal, source, played):
    played.replace["data"] = always(200, [["NOTE", "city"], ["first", "Rome"]])
    path = f"/workspace/sources/{source}/preview?table=orders&code=CITY&code=NOTE"
    assert portal.get(path).json == [{"CITY": None, "NOTE": "first"}]


@pytest.mark.parametrize(
    "answer",
    [[["A"], [1, 2]], [["A", "B"], [1]], [], [1], {"error": "X"}, b"[["],
)
def test_a_preview_that_does_not_fit_its_header_is_an_error(portal, source, played, answer):
    played.replace["data"] = always(200, answer)
    assert portal.get(f"/workspace/sources/{source}/preview?table=orders").status == 502


def test_a_dataset_with_renamed_and_hidden_fields(portal, source, played):
    described = portal.get(f"/workspace/sources/{source}/description?table=orders").json
    assert described["name"] == "orders"
    assert described["canRename"] is True
    columns = described["columns"]
    columns[1]["name"] = "CLIENT"
    columns[8]["visible"] = False
    made = {
        "sourceId": source,
        "externalCode": "orders",
        "externalName": "Orders",
        "name": "orders",
        "fields": columns,
    }
    number = portal.post("/workspace/datasets", made).json["id"]
    fields = portal.rest("biconnector.dataset.get", id=number)["item"]["fields"]
    assert [f["name"] for f in fields if f["externalCode"] == "CUSTOMER"] == ["CLIENT"]
    assert [f["name"] for f in fields if not f["visible"]] == ["NOTE"]
    again = portal.post("/workspace/datasets", made)
    assert (again.status, again.json["reason"]) == (400, "NAME_EXISTS")
    proposed = portal.get(f"/workspace/sources/{source}/description?table=orders").json["name"]
    assert proposed == "orders_2"
    hide = {"fields": [{"id": fields[0]["id"], "visible": False}]}
    portal.post(f"/workspace/datasets/{number}/fields", hide)
    report = portal.post(f"/workspace/datasets/{number}/report", {"dimension": "ID"})
    assert report.status == 400


def test_the_connection_is_tried_before_a_table_of_it_is_added(portal, source, played):
    made = {"sourceId": source, "externalCode": "orders", "externalName": "Orders", "name": "a"}
    made["fields"] = [{"name": "ID", "externalCode": "ID", "type": "int"}]
    played.replace["check"] = always(503, {"error": "DOWN"})
    refused = portal.post("/workspace/datasets", made)
    assert (refused.status, refused.json["reason"]) == (502, "status")
    assert portal.get("/workspace/datasets").json == []
    del played.replace["check"]
    assert portal.post("/workspace/datasets", made).status == 200
    assert played.last("check").params == {"connection": {"token": TOKEN}}
    assert portal.post("/workspace/datasets", made | {"sourceId": 9}).status == 400


def test_names_stay_codes_where_mapping_is_unknown(portal, source):
    portal.control("settings", portal="old")
    described = portal.get(f"/workspace/sources/{source}/description?table=orders").json
    assert described["canRename"] is False


def test_removal_obeys_the_rules(portal, played):
    made = journey(portal, played)
    refused = fetch("DELETE", f"{portal.url}/workspace/sources/{made.source}")
    assert (refused.status, refused.json["reason"]) == (400, "BX_ERROR")
    assert fetch("DELETE", f"{portal.url}/workspace/datasets/{made.dataset}").status == 200
    assert fetch("DELETE", f"{portal.url}/workspace/sources/{made.source}").status == 200


@pytest.mark.parametrize("path", ["sources/9/tables", "sources/9/preview", "sources/9/description"])
def test_what_is_not_there(portal, path):
    assert portal.get(f"/workspace/{path}").status == 400


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", ["new", "old"])
def test_every_page_in_both_languages_on_both_portals(portal, played, language, kind):
    made = journey(portal, played)
    portal.control("settings", portal=kind, language=language)
    portal.control(
        "applications", client_id="app", title="App", install_url=f"{played.url}/install"
    )
    pages = [
        "/",
        f"/connectors/{made.connector}/connect",
        f"/connections/{made.source}/tables",
        f"/connections/{made.source}/dataset?table=orders&title=Orders",
        f"/datasets/{made.dataset}",
        f"/datasets/{made.dataset}/report",
        "/applications/app",
    ]
    word = {"en": "Analyst workspace", "ru": "Рабочее место аналитика"}[language]
    for page in pages:
        answer = portal.get(page)
        assert answer.status == 200, page
        assert word in answer.text
        assert "built-in method" not in answer.text
        assert TOKEN not in answer.text
    other = {"en": "ru", "ru": "en"}[language]
    assert word not in portal.get(f"/?lang={other}").text


@pytest.mark.parametrize(
    "path",
    ["/connectors/9/connect", "/connections/9/tables", "/datasets/9", "/nowhere", "/a/b"],
)
def test_pages_of_what_is_not_there_lead_home(portal, path):
    answer = portal.get(path)
    assert answer.status == 404
    assert '<a class="button" href="/">' in answer.text


def test_pages_need_nothing_from_elsewhere(portal):
    page = portal.get("/").text
    assert "https://" not in page
    for name in ("base.css", "parts.css", "wire.css", "common.js", "wire.js", "bx24.js"):
        answer = portal.get(f"/static/{name}")
        assert answer.status == 200
        foreign = answer.text.replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in foreign
        assert "https:" not in foreign
        assert "url(" not in foreign
    assert portal.get("/api/v1/").headers["Location"].endswith("/static/bx24.js")
