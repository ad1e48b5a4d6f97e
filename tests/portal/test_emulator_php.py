"""PHP's encoding, proved against bodies that PHP wrote."""

import json

import pytest

from emulator import php
from tests.portal.emulator_kit import WIRE

CASES = json.loads((WIRE / "cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_encodes_as_php_does(case):
    assert php.build_query(case["params"]) == case["body"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_decoded_encodes_to_the_same_body(case):
    assert php.build_query(php.parse_query(case["body"])) == case["body"]


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"a": None, "b": [], "c": {"d": {}, "e": None}}, ""),
        ({"a": True, "b": False}, "a=1&b=0"),
        ({"a": 1.5, "b": 2.0, "c": -3}, "a=1.5&b=2&c=-3"),
        ({"a b": "c~d-e_f.g*"}, "a+b=c%7Ed-e_f.g%2A"),
        ({"a": {"b c": {"[d]": "ё"}}}, "a%5Bb+c%5D%5B%5Bd%5D%5D=%D1%91"),
        ({"LOGIC": "OR", "0": {"=A": []}}, "LOGIC=OR"),
    ],
)
def test_encodes_the_corners(value, body):
    assert php.build_query(value) == body


def test_decodes_lists_maps_and_appended_values():
    assert php.parse_query("a[]=1&a[]=2&b[x][0]=3&c=&d[1]=4") == {
        "a": ["1", "2"],
        "b": {"x": ["3"]},
        "c": "",
        "d": {"1": "4"},
    }


@pytest.mark.parametrize("value", ["", "0", 0, None, False, [], {}])
def test_empty(value):
    assert php.is_empty(value)


@pytest.mark.parametrize("value", ["00", " ", "false", 1, [0], {"a": None}])
def test_not_empty(value):
    assert not php.is_empty(value)


@pytest.mark.parametrize("value", [1, 1.5, "1", " 1", "-1.5e3", ".5"])
def test_numeric(value):
    assert php.is_numeric(value)


@pytest.mark.parametrize("value", [True, "", "1a", "0x1A", None, [1], "."])
def test_not_numeric(value):
    assert not php.is_numeric(value)
