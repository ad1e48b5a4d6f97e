"""Every method of `biconnector.*`, against both kinds of portal."""

import pytest

from app.portal import methods
from app.portal.errors import NotFound, UnknownMethod
from app.portal.methods import PAGE, Entity
from app.portal.register import register
from tests.portal.kit import SOURCE_TOKEN, running_connector, running_portal

FIELD = {"name": "CITY", "externalCode": "CITY", "type": "string"}


@pytest.fixture(params=["old", "new"])
def scene(request, tmp_path):
    """A client of a portal of each kind, with our connectors registered."""
    with (
        running_portal(portal=request.param) as portal,
        running_connector(tmp_path, portal.url) as connector,
    ):
        client = portal.client()
        outcomes = register(client, connector.config)
        yield client, outcomes[0].number, request.param


def add_source(client, connector, title="Shop"):
    settings = {"token": SOURCE_TOKEN}
    return methods.add(
        client,
        Entity.SOURCE,
        {"title": title, "connectorId": connector, "settings": settings},
    )


def dataset(source, name="orders"):
    return {
        "sourceId": source,
        "name": name,
        "externalCode": "orders",
        "externalName": "Orders",
        "fields": [FIELD],
    }


def test_connectors(scene):
    client, number, kind = scene
    item = methods.get(client, Entity.CONNECTOR, number)
    assert item["title"] == "Company databases"
    methods.update(client, Entity.CONNECTOR, number, {"title": "Ours"})
    assert methods.get(client, Entity.CONNECTOR, number)["title"] == "Ours"
    assert [c["id"] for c in methods.listed(client, Entity.CONNECTOR)] == [number, number + 1]
    methods.delete(client, Entity.CONNECTOR, number)
    with pytest.raises(NotFound):
        methods.get(client, Entity.CONNECTOR, number)
    known = methods.known_fields(client, Entity.CONNECTOR)
    assert ("supportMapping" in known) is (kind == "new")


def test_sources(scene):
    client, connector, _ = scene
    number = add_source(client, connector)
    assert methods.get(client, Entity.SOURCE, number)["connectorId"] == connector
    methods.update(client, Entity.SOURCE, number, {"title": "Store"})
    assert [s["title"] for s in methods.listed(client, Entity.SOURCE)] == ["Store"]
    methods.delete(client, Entity.SOURCE, number)
    assert methods.listed(client, Entity.SOURCE) == []
    assert methods.known_fields(client, Entity.SOURCE)["connectorId"]["isImmutable"] is True


@pytest.mark.parametrize("entity", [Entity.DATASET, Entity.TABLE])
def test_datasets_and_tables(scene, entity):
    client, connector, kind = scene
    source = add_source(client, connector)
    if (kind, entity) == ("old", Entity.TABLE):
        with pytest.raises(UnknownMethod):
            methods.add(client, entity, dataset(source))
        return
    number = methods.add(client, entity, dataset(source))
    methods.update(client, entity, number, {"description": "What was sold"})
    item = methods.get(client, entity, number)
    assert (item["description"], item["externalCode"]) == ("What was sold", "orders")
    city = item["fields"][0]["id"]
    methods.update_fields(
        client,
        entity,
        number,
        add=[{"name": "DAY", "externalCode": "DAY", "type": "date"}],
        update=[{"id": city, "visible": False}],
    )
    fields = methods.get(client, entity, number)["fields"]
    assert [(f["name"], f["visible"]) for f in fields] == [("CITY", False), ("DAY", True)]
    methods.update_fields(client, entity, number, delete=[city])
    assert [f["name"] for f in methods.get(client, entity, number)["fields"]] == ["DAY"]
    assert [d["id"] for d in methods.listed(client, entity, filter={"name": "orders"})] == [number]
    assert "externalCode" in methods.known_fields(client, entity)
    methods.delete(client, entity, number)
    assert methods.listed(client, entity) == []


def test_a_list_is_read_over_all_its_pages(scene):
    client, connector, _ = scene
    source = add_source(client, connector)
    wanted = [
        methods.add(client, Entity.DATASET, dataset(source, f"orders_{number}"))
        for number in range(PAGE + 1)
    ]
    assert [item["id"] for item in methods.listed(client, Entity.DATASET)] == wanted
