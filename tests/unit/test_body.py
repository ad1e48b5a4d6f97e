"""A JSON body means what the same value means as PHP's form, or is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.errors import ApiError
from app.wire.body import decode_body
from app.wire.form import MAX_DEPTH, MAX_KEYS

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def refusal(body: bytes, media_type: str = JSON) -> str:
    with pytest.raises(ApiError) as caught:
        decode_body(body, media_type)
    assert caught.value.description.endswith(".")
    return caught.value.code


@pytest.mark.parametrize(
    ("value", "tree"),
    [
        ({}, {}),
        ({"limit": 20}, {"limit": "20"}),
        ({"a": True, "b": False, "c": None}, {"a": "1", "b": "0"}),
        ({"select": ["A", "B"]}, {"select": {"0": "A", "1": "B"}}),
        ({"a": [None, "x"]}, {"a": {"1": "x"}}),
        ({"a": [], "b": {}, "c": [[], {}], "d": [None]}, {}),
        ({"a": {"0": {"LOGIC": "OR", "=X": []}}}, {"a": {"0": {"LOGIC": "OR"}}}),
        ({"a": ""}, {"a": ""}),
        ({"a": -7, "b": 10**30}, {"a": "-7", "b": str(10**30)}),
        ({"Ж": "ё"}, {"Ж": "ё"}),
    ],
)
def test_values_arrive_as_php_sends_them(value: Any, tree: Any) -> None:
    assert decode_body(json.dumps(value).encode(), JSON) == tree


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("0.0", "0"),
        ("-0.0", "-0"),
        ("0e5", "0"),
        ("20.0", "20"),
        ("2e1", "20"),
        ("-3.00", "-3"),
        ("1.5", "1.5"),
        ("1.50", "1.5"),
        ("0.1", "0.1"),
        ("0.0001", "0.0001"),
        ("0.00001", "1.0E-5"),
        ("123456789012345.0", "123456789012345"),
        ("1e25", "1.0E+25"),
        ("-1.25E25", "-1.25E+25"),
    ],
)
def test_a_float_is_written_as_php_writes_it(written: str, sent: str) -> None:
    assert decode_body(b'{"a": %s}' % written.encode(), JSON) == {"a": sent}


@pytest.mark.parametrize(
    "written",
    [
        "12345678901234567890.12345678901234567890",
        "0.1000000000000000000001",
        "1e400",
        "1e-400",
        "1e99999999999999999999",
        "1e-99999999999999999999",
    ],
)
def test_a_number_that_no_double_holds_stays_as_it_is_written(written: str) -> None:
    assert decode_body(b'{"a": %s}' % written.encode(), JSON) == {"a": written}


def test_of_repeated_names_the_last_wins() -> None:
    assert decode_body(b'{"a": 1, "a": 2}', JSON) == {"a": "2"}


@pytest.mark.parametrize("media_type", ["", FORM, JSON])
def test_a_brace_makes_json_of_any_body(media_type: str) -> None:
    assert decode_body(b' \n{"a": "b"}', media_type) == {"a": "b"}


@pytest.mark.parametrize("media_type", ["", FORM])
def test_a_form_needs_no_media_type(media_type: str) -> None:
    assert decode_body(b"a=b", media_type) == {"a": "b"}
    assert decode_body(b"", media_type) == {}


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data", "text/json"])
def test_any_other_media_type_is_refused(media_type: str) -> None:
    assert refusal(b"a=b", media_type) == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": }',
        b"[]",
        b'["a"]',
        b'"a"',
        b"1",
        b"null",
        b'{"a": 1} x',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'\xef\xbb\xbf{"a": 1}',
        b"a=b",
    ],
)
def test_what_is_not_a_json_object_is_refused(body: bytes) -> None:
    assert refusal(body) == "MALFORMED_BODY"


@pytest.mark.parametrize(
    "body", [b'{"a": "\xff"}', b'{"a": "\\ud800"}', b'{"\\udfff": 1}', b'{"a": ["\\ud800x"]}']
)
def test_text_that_is_no_unicode_is_refused(body: bytes) -> None:
    assert refusal(body) == "BROKEN_TEXT"


def test_ten_levels_are_taken_and_eleven_refused() -> None:
    def nested(levels: int) -> bytes:
        return b'{"a": ' + b"[" * levels + b"1" + b"]" * levels + b"}"

    assert decode_body(nested(MAX_DEPTH), JSON)
    assert refusal(nested(MAX_DEPTH + 1)) == "TOO_DEEP"
    assert refusal(nested(200_000)) == "TOO_DEEP"


def test_ten_thousand_values_are_taken_and_one_more_refused() -> None:
    values = {"a": [0] * (MAX_KEYS - 1), "b": 1}
    assert decode_body(json.dumps(values).encode(), JSON)
    assert refusal(json.dumps(values | {"c": 1}).encode()) == "TOO_MANY_KEYS"


def test_a_refusal_shows_nothing_of_the_body() -> None:
    for body in (b'{"connection": {"token": "sesame"} x', b'{"connection": sesame}'):
        with pytest.raises(ApiError) as caught:
            decode_body(body, JSON)
        assert "sesame" not in str(caught.value)
