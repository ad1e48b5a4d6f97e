"""From a date range and dimension filters to the filter that the portal sends."""

import json
from datetime import datetime

import pytest

from emulator import php
from emulator.bi import OPERATORS, ReportError, Shape, build_filter, site_date
from tests.portal.emulator_kit import WIRE, orders

CASES = {c["name"]: c for c in json.loads((WIRE / "cases.json").read_text(encoding="utf-8"))}
TYPES = {column["name"].upper(): column["type"] for column in orders()[0]}


def member(field, operator, values=None, kind="INCLUDE"):
    given = {"fieldName": field, "operator": operator, "type": kind}
    return given if values is None else given | {"values": values}


def group(*arguments):
    return [[member(*arguments)]]


def body(tree, select=("ID",)):
    return php.build_query({"select": list(select), "filter": tree})


@pytest.mark.parametrize(
    ("case", "site", "column", "start", "end"),
    [
        ("date-range-ru", "ru", "ORDER_DATE", "2026-09-01", "2026-09-30"),
        ("date-range-ru", "de", "ORDER_DATE", "2026-09-01", "2026-09-30"),
        ("date-range-ru-datetime", "ru", "CREATED_AT", "2026-09-15", "2026-09-30"),
        ("date-range-en", "en", "CREATED_AT", "2026-09-15", "2026-09-30"),
        ("date-range-fr", "fr", "CREATED_AT", "2026-09-15", "2026-09-30"),
    ],
)
def test_date_ranges_in_the_formats_of_the_sites(case, site, column, start, end):
    tree = build_filter(Shape(TYPES, site), {"startDate": start, "endDate": end}, column)
    assert body(tree) == CASES[case]["body"]


@pytest.mark.parametrize(
    ("case", "groups"),
    [
        ("equals", group("CITY", "EQUALS", ["Rome"])),
        ("in-list", group("QTY", "IN_LIST", ["1", "2", "6"])),
        ("not-in-string-keeps-null", group("CITY", "IN_LIST", ["Rome", "Oslo"], "EXCLUDE")),
        ("is-null-number", group("QTY", "IS_NULL")),
        ("is-not-null-string", group("NOTE", "IS_NULL", None, "EXCLUDE")),
        ("contains", group("CUSTOMER", "CONTAINS", ["acme"])),
        ("not-contains", group("NOTE", "CONTAINS", ["a"], "EXCLUDE")),
        ("between", group("AMOUNT", "BETWEEN", ["10", "42.42"])),
        ("not-between", group("QTY", "BETWEEN", ["0", "10"], "EXCLUDE")),
        ("between-dates", group("ORDER_DATE", "BETWEEN", ["2026-09-15", "2026-09-20"])),
        ("greater", group("QTY", "NUMERIC_GREATER_THAN", ["9"])),
        ("not-greater", group("QTY", "NUMERIC_GREATER_THAN", ["2"], "EXCLUDE")),
        (
            "or-group",
            [
                [
                    member("CITY", "EQUALS", ["Paris"]),
                    member("AMOUNT", "NUMERIC_GREATER_THAN", ["1000"]),
                ]
            ],
        ),
    ],
)
def test_dimension_filters(case, groups):
    tree = build_filter(Shape(TYPES, "ru"), dimensions_filters=groups)
    assert body(tree) == CASES[case]["body"]


def test_groups_are_numbered_after_the_date_range():
    tree = build_filter(
        Shape(TYPES, "ru"),
        {"startDate": "2026-09-01"},
        "ORDER_DATE",
        [
            [member("CITY", "EQUALS", ["Rome"]), member("CITY", "EQUALS", ["Oslo"])],
            [member("PAID", "EQUALS", ["1"])],
        ],
    )
    assert body(tree) == CASES["and-of-groups"]["body"]


def test_older_portals_put_the_key_into_the_group():
    groups = [[member("CITY", "EQUALS", ["Rome"])], [member("PAID", "EQUALS", ["1"])]]
    tree = build_filter(Shape(TYPES, "ru", old=True), dimensions_filters=groups)
    assert body(tree) == CASES["old-portal-group"]["body"]
    both = [[member("CITY", "EQUALS", ["Rome"]), member("QTY", "NUMERIC_LESS_THAN", ["3"])]]
    tree = build_filter(Shape(TYPES, "ru", old=True), dimensions_filters=both)
    assert tree == {"0": {"LOGIC": "OR", "=CITY": ["Rome"], "<QTY": ["3"]}}


@pytest.mark.parametrize("operator", [name for name in OPERATORS if name.startswith("NUMERIC")])
def test_comparisons(operator):
    tree = build_filter(Shape(TYPES), dimensions_filters=group("QTY", operator, ["5"]))
    assert tree == {"0": {"LOGIC": "OR", "0": {f"{OPERATORS[operator]}QTY": ["5"]}}}


def test_moments_take_the_time_of_day_and_days_do_not():
    for field, value in (("CREATED_AT", "09/15/2026 01:05:00 pm"), ("ORDER_DATE", "09/15/2026")):
        tree = build_filter(
            Shape(TYPES), dimensions_filters=group(field, "EQUALS", ["2026-09-15T13:05:00"])
        )
        assert tree["0"]["0"] == {f"={field}": [value]}


@pytest.mark.parametrize(
    ("site", "short", "full"),
    [
        ("ru", "01.09.2026", "01.09.2026 00:30:00"),
        ("de", "01.09.2026", "01.09.2026 00:30:00"),
        ("fr", "01/09/2026", "01/09/2026 00:30:00"),
        ("en", "09/01/2026", "09/01/2026 12:30:00 am"),
    ],
)
def test_formats_of_the_sites(site, short, full):
    moment = datetime(2026, 9, 1, 0, 30)
    assert site_date(moment, site, full=False) == short
    assert site_date(moment, site, full=True) == full


def test_the_date_range_falls_on_the_first_date_unless_told_otherwise():
    dates = {"startDate": "2026-09-01"}
    assert list(build_filter(Shape(TYPES), dates)) == [">=ORDER_DATE"]
    assert list(build_filter(Shape(TYPES), dates, "CREATED_AT")) == [">=CREATED_AT"]
    assert list(build_filter(Shape(TYPES), dates, "CITY")) == [">=ORDER_DATE"]
    assert build_filter(Shape({"CITY": "string"}), dates) == {}


def test_unknown_fields_are_passed_over():
    assert build_filter(Shape(TYPES), dimensions_filters=group("NOPE", "EQUALS", ["1"])) == {}


@pytest.mark.parametrize(
    ("dates", "groups", "error"),
    [
        ({"startDate": "soon"}, [], "soon"),
        ({}, group("QTY", "REGEXP_EXACT_MATCH", ["1"]), "REGEXP_EXACT_MATCH"),
        ({}, group("ORDER_DATE", "EQUALS", ["soon"]), "soon"),
    ],
)
def test_what_cannot_be_sent(dates, groups, error):
    with pytest.raises(ReportError, match=error):
        build_filter(Shape(TYPES), dates, "", groups)
