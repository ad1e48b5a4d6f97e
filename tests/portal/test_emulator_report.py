"""Reports through the pages' own requests, and their numbers against the table itself."""

import collections

import pytest

from tests.portal.emulator_kit import always, dataset_fields, journey, orders

pytest_plugins = ["tests.portal.emulator_fixtures"]


@pytest.fixture
def run(portal, played):
    """Return a function that runs a report over the orders."""
    made = journey(portal, played)

    def ask(**question):
        answer = portal.post(f"/workspace/datasets/{made.dataset}/report", question)
        return answer.json if answer.status == 200 else (answer.status, answer.json["error"])

    return ask


def column(name):
    columns, rows = orders()
    place = [column["name"] for column in columns].index(name.lower())
    return [row[place] for row in rows]


def test_what_is_asked_of_the_connector(run, played, portal):
    portal.control("settings", site_format="ru")
    run(
        dimension="ORDER_DATE",
        breakdown="CITY",
        function="sum",
        measure="AMOUNT",
        dateRange={"startDate": "2026-09-01", "endDate": "2026-09-30"},
        dimensionsFilters=[
            [{"fieldName": "PAID", "operator": "EQUALS", "type": "INCLUDE", "values": ["1"]}]
        ],
    )
    codes = [column["name"].upper() for column in orders()[0]]
    params = played.last("data").params
    assert params.pop("connection").keys() == {"token"}
    assert params == {
        "select": ["ORDER_DATE", "CITY", "AMOUNT"],
        "filter": {
            ">=ORDER_DATE": "01.09.2026",
            "<=ORDER_DATE": "30.09.2026 23:59:59",
            "0": {"LOGIC": "OR", "0": {"=PAID": ["1"]}},
        },
        "limit": "0",
        "table": "orders",
        "mapFields": {code: code for code in codes},
    }


def test_an_old_portal_sends_no_mapping(run, played, portal):
    portal.control("settings", portal="old")
    run(dimension="CITY")
    assert "mapFields" not in played.last("data").params


def test_counts_by_group_and_series(run):
    answer = run(dimension="CITY", breakdown="PAID")
    assert answer["rows"] == 24
    expected = collections.Counter(zip(column("city"), column("paid"), strict=True))
    counted = {
        (city, series["name"]): value
        for series in answer["series"]
        for city, value in zip(answer["groups"], series["values"], strict=True)
        if value is not None
    }
    assert counted == expected
    assert answer["groups"][0] == "Rome"
    assert sum(answer["totals"]) == 24


def test_months_in_their_order(run):
    answer = run(dimension="ORDER_DATE", grain="month")
    assert answer["groups"] == ["2024-02", "2025-12", "2026-09", "2026-10", "2026-12", None]
    expected = collections.Counter(day and day[:7] for day in column("order_date"))
    assert dict(zip(answer["groups"], answer["totals"], strict=True)) == expected


@pytest.mark.parametrize("function", ["sum", "avg", "min", "max"])
def test_measures(run, function):
    answer = run(dimension="PAID", function=function, measure="AMOUNT")
    for paid, value in zip(answer["groups"], answer["totals"], strict=True):
        numbers = [
            amount
            for amount, flag in zip(column("amount"), column("paid"), strict=True)
            if flag == paid and amount is not None
        ]
        known = {"sum": sum, "avg": lambda n: sum(n) / len(n), "min": min, "max": max}
        assert value == pytest.approx(known[function](numbers))


def test_series_that_no_chart_can_show_are_put_together(run):
    answer = run(dimension="PAID", breakdown="CITY")
    assert len(answer["series"]) == 9
    assert answer["series"][-1]["name"] == "…"
    assert sum(v or 0 for s in answer["series"] for v in s["values"]) == 24


def test_renamed_fields_travel_under_their_new_names(portal, played):
    fields = dataset_fields(1)["fields"]
    fields[2] = fields[2] | {"name": "TOWN"}
    made = journey(portal, played, fields=fields)
    path = f"/workspace/datasets/{made.dataset}/report"
    answer = portal.post(path, {"dimension": "TOWN"}).json
    params = played.last("data").params
    assert (params["select"], params["mapFields"]["CITY"]) == (["TOWN"], "TOWN")
    assert answer["groups"][0] == "Rome"
    rome = {"fieldName": "TOWN", "operator": "EQUALS", "type": "INCLUDE", "values": ["Rome"]}
    portal.post(path, {"dimension": "ID", "dimensionsFilters": [[rome]]})
    params = played.last("data").params
    assert (params["filter"][0]["0"], params["select"]) == ({"=TOWN": ["Rome"]}, ["ID"])
    assert params["mapFields"]["CITY"] == "TOWN", "or nobody knows what to filter by"


def test_a_header_in_another_order_is_read_by_name(run, played):
    played.replace["data"] = always(200, [["PAID", "CITY"], [1, "Rome"], [0, "Oslo"]])
    answer = run(dimension="CITY", breakdown="PAID")
    assert sorted(answer["groups"]) == ["Oslo", "Rome"]


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ({}, "A report needs a field"),
        ({"dimension": "NOPE"}, "no visible field NOPE"),
        ({"dimension": "CITY", "function": "median"}, "unknown"),
        ({"dimension": "CITY", "function": "sum"}, "needs a field"),
        ({"dimension": "CITY", "dateRange": {"endDate": "x"}}, "'x' is not a date"),
    ],
)
def test_what_a_report_refuses(run, played, question, error):
    calls = len(played.heard)
    status, message = run(**question)
    assert status == 400
    assert error in message
    assert len(played.heard) == calls


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, {}), (200, {"error": "X"}), (200, b'[["CITY"],["Rome"]'), (200, b"")],
)
def test_an_answer_that_cannot_be_believed_gives_no_report(run, played, status, answer):
    played.replace["data"] = always(status, answer)
    assert run(dimension="CITY")[0] == 502


def test_a_header_of_another_width_gives_no_report(run, played):
    played.replace["data"] = always(200, [["CITY", "PAID"], ["Rome", 1]])
    assert run(dimension="CITY")[0] == 400


def test_a_connection_switched_off_is_not_asked(run, portal, played):
    portal.rest("biconnector.source.update", id=1, fields={"active": False})
    calls = len(played.heard)
    assert run(dimension="CITY") == (400, "The connection is switched off.")
    assert len(played.heard) == calls
