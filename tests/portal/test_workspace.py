"""`b24-connector portal …` with an installed application: from a source to a dataset in step."""

import json
import sqlite3

import pytest

from tests.portal.kit import SOURCE_TOKEN, running_connector, running_portal
from tests.portal.test_register import run


@pytest.fixture(params=["old", "new"])
def scene(request, tmp_path):
    """A portal of each kind in which our application is installed."""
    with (
        running_portal(portal=request.param) as portal,
        running_connector(tmp_path, portal.url) as connector,
    ):
        assert portal.page(connector.url).status == 200
        yield portal, connector


def command(connector, *arguments, **more):
    answer = run(connector, "portal", *arguments, **more)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def add_source(connector):
    asked = run(connector, *"portal add-source company --title Shop".split(), text=SOURCE_TOKEN)
    assert asked.exit_code == 0, asked.output
    assert SOURCE_TOKEN not in asked.output
    return asked.stdout.split(":")[0].removeprefix("source ")


def execute(connector, statement):
    connection = sqlite3.connect(connector.path.parent / "shop.db")
    connection.execute(statement)
    connection.close()


def names(portal):
    (dataset,) = portal.state["datasets"]
    return [field["name"] for field in dataset["fields"]]


def test_the_whole_journey(scene):
    portal, connector = scene
    assert "company" in command(connector, "list")
    source = add_source(connector)
    said = command(connector, "add-dataset", source, "orders")
    assert said == "dataset 1: added as orders, 3 fields\n"
    (dataset,) = portal.state["datasets"]
    fields = [(f["name"], f["external_code"], f["type"]) for f in dataset["fields"]]
    assert fields == [("ID", "ID", "int"), ("CITY", "CITY", "string"), ("DAY", "DAY", "date")]
    listed = command(connector, "list")
    assert f"  source {source}  Shop" in listed
    assert "    dataset 1  orders  of table orders" in listed
    assert json.loads(command(connector, "list", "--json"))["datasets"][0]["name"] == "orders"
    shown = command(connector, "show", "source", source)
    assert json.loads(shown)["settings"][0]["value"] == "***"
    assert SOURCE_TOKEN not in shown + listed
    for kind, number in (("dataset", "1"), ("source", source), ("connector", "1")):
        assert "deleted" in command(connector, "delete", kind, number, "--yes")
    assert portal.state["datasets"] == []


def test_fields_follow_the_table(scene):
    portal, connector = scene
    source = add_source(connector)
    command(connector, "add-dataset", source, "orders", "--field", "id", "--field", "DAY")
    assert names(portal) == ["ID", "DAY"]
    assert command(connector, "sync", "1", "--dry-run").splitlines() == [
        "+ CITY (string)",
        "dataset 1: would be changed",
    ]
    assert names(portal) == ["ID", "DAY"]
    execute(connector, "ALTER TABLE orders ADD COLUMN price REAL")
    execute(connector, "ALTER TABLE orders DROP COLUMN day")
    said = command(connector, "sync", "1")
    assert said.splitlines() == [
        "+ CITY (string)",
        "+ PRICE (double)",
        "- DAY",
        "dataset 1: changed",
    ]
    assert names(portal) == ["ID", "CITY", "PRICE"]
    assert "its fields are those of the table" in command(connector, "sync", "1")


def test_a_type_that_changed_is_told(scene):
    _, connector = scene
    command(connector, "add-dataset", add_source(connector), "orders")
    execute(connector, "ALTER TABLE orders DROP COLUMN city")
    execute(connector, "ALTER TABLE orders ADD COLUMN city INTEGER")
    assert "! CITY: string, now int" in command(connector, "sync", "1")


def test_a_table_of_any_name(scene):
    portal, connector = scene
    source = add_source(connector)
    code = next(
        line.split()[0]
        for line in run(connector, "doctor").output.replace(",", " ").split()
        if line.startswith("kunden_2_x")
    )
    command(connector, "add-dataset", source, code, "--name", "customers")
    (dataset,) = portal.state["datasets"]
    assert (dataset["name"], dataset["external_code"]) == ("customers", code)
    assert dataset["external_name"] == "Kunden 2"


def test_a_table_of_one_of_several_sources(tmp_path):
    """The portal sends back the code that it was given, and without the source it names both."""
    more = f"""
        [sources.store]
        url = "sqlite:///{tmp_path}/shop.db"
        tokens = ["{SOURCE_TOKEN}"]
    """
    with running_portal() as portal, running_connector(tmp_path, portal.url, more) as connector:
        assert portal.page(connector.url).status == 200
        source = add_source(connector)
        for code in ("shop___orders", "store___orders"):
            command(connector, "add-dataset", source, code)
        datasets = portal.state["datasets"]
        assert [d["external_code"] for d in datasets] == ["shop___orders", "store___orders"]


def test_tables_only_where_the_portal_has_them(scene):
    portal, connector = scene
    source = add_source(connector)
    answer = run(connector, "portal", "add-table", source, "orders")
    if portal.state["settings"]["portal"] == "new":
        assert answer.stdout == "table 1: added as orders, 3 fields\n"
    else:
        assert (answer.exit_code, "too old" in answer.output) == (1, True), answer.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("add-dataset 1 nothing", "There is no table nothing"),
        ("add-dataset 1 orders --field NOPE", "has no field NOPE: ID, CITY, DAY"),
        (f"add-dataset 1 orders --name {'x' * 231}", "VALIDATION_DATASET_NAME_TOO_LONG"),
        ("add-dataset 99 orders", "SOURCE_NOT_FOUND"),
        ("add-source nobody --title X", "There is no connector nobody"),
        ("show dataset 7", "DATASET_NOT_FOUND"),
        ("delete connector 1 --yes", "CONNECTOR_DELETE_RESTRICTED"),
        ("forget elsewhere.bitrix24.com", "not installed in https://elsewhere.bitrix24.com"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(scene, arguments, words):
    _, connector = scene
    add_source(connector)
    answer = run(connector, "portal", *arguments.split())
    assert (answer.exit_code, words in answer.output) == (1, True), answer.output


def test_a_wrong_token_makes_no_source(scene):
    portal, connector = scene
    answer = run(connector, *"portal add-source company --title S".split(), text="wrong\n")
    assert answer.exit_code == 1
    assert "Is the token right" in answer.output
    assert portal.state["sources"] == []


def test_settings_from_a_file(scene, tmp_path):
    _, connector = scene
    path = tmp_path / "settings.json"
    arguments = ["portal", "add-source", "company", "--title", "S", "--settings-from", str(path)]
    for text, words in [("nonsense", "a JSON object"), ("{}", "lack token"), ("[1]", "object")]:
        path.write_text(text)
        answer = run(connector, *arguments)
        assert (answer.exit_code, words in answer.output) == (1, True), answer.output
    path.write_text(json.dumps({"token": SOURCE_TOKEN}))
    assert run(connector, *arguments).exit_code == 0


def test_deleting_asks_first(scene):
    portal, connector = scene
    answer = run(connector, *"portal delete connector 1".split(), text="n\n")
    assert (answer.exit_code, len(portal.state["connectors"])) == (1, 2)


def test_installations_are_listed_and_forgotten(scene):
    portal, connector = scene
    listed = command(connector, "installations")
    assert listed.startswith(portal.url)
    assert json.loads(command(connector, "installations", "--json"))[0]["portal"] == portal.url
    assert command(connector, "forget", portal.url) == f"{portal.url}: forgotten\n"
    assert "not installed anywhere" in command(connector, "installations")


def test_an_installation_under_a_lost_key_is_forgotten_and_made_anew(scene):
    portal, connector = scene
    other = {"CONNECTOR_SECRET_KEY": "another-key-that-is-long-enough-too"}
    refused = run(connector, "portal", "list", **other)
    assert (refused.exit_code, "portal forget" in refused.output) == (1, True), refused.output
    command(connector, "forget", portal.url, **other)
    assert portal.page(connector.url).status == 200
    assert "company" in command(connector, "list")
