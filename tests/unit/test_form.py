"""A form body means what PHP makes of it, and nothing in it can hurt."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ApiError
from app.wire.body import MAX_BYTES, decode_body
from app.wire.form import MAX_DEPTH, MAX_KEYS, decode_form
from tests.unit.php_vectors import VECTORS


@pytest.mark.parametrize(("body", "tree"), VECTORS, ids=[repr(body) for body, _ in VECTORS])
def test_a_body_means_what_php_makes_of_it(body: str, tree: Any) -> None:
    decoded = decode_form(body.encode())
    assert decoded == tree
    assert json.dumps(decoded) == json.dumps(tree), "the order of keys differs"


def refusal(body: bytes) -> str:
    with pytest.raises(ApiError) as caught:
        decode_form(body)
    assert caught.value.status == 400
    return caught.value.code


@pytest.mark.parametrize("body", [b"a=%FF", b"%FF=1", b"a[%C3]=1", b"a=\xff", b"a=%ED%A0%80"])
def test_broken_utf8_is_refused(body: bytes) -> None:
    assert refusal(body) == "BROKEN_TEXT"


def test_ten_levels_of_brackets_are_taken_and_eleven_refused() -> None:
    assert decode_form(b"a" + b"[b]" * MAX_DEPTH + b"=1")
    assert refusal(b"a" + b"[b]" * (MAX_DEPTH + 1) + b"=1") == "TOO_DEEP"
    assert refusal(b"a" + b"[b]" * 100_000 + b"=1") == "TOO_DEEP"


def test_ten_thousand_keys_are_taken_and_one_more_refused() -> None:
    body = b"&".join(b"a[]=%d" % i for i in range(MAX_KEYS))
    assert len(decode_form(body)["a"]) == MAX_KEYS
    assert refusal(body + b"&b=1") == "TOO_MANY_KEYS"


def test_a_body_of_one_megabyte_is_taken_and_one_byte_more_refused() -> None:
    body = b"a=" + b"x" * (MAX_BYTES - 2)
    assert len(decode_body(body, "")["a"]) == MAX_BYTES - 2
    with pytest.raises(ApiError) as caught:
        decode_body(body + b"x", "")
    assert (caught.value.code, caught.value.status) == ("BODY_TOO_LARGE", 413)


def http_build_query(value: dict[str, Any]) -> str:
    """As PHP does it: false is 0, true is 1, nulls and empty arrays leave no trace."""

    def pairs(prefix: str, item: Any) -> list[str]:
        match item:
            case None:
                return []
            case dict() | list():
                items = item.items() if isinstance(item, dict) else enumerate(item)
                return [
                    p for k, v in items for p in pairs(f"{prefix}%5B{quote_plus(str(k))}%5D", v)
                ]
            case bool():
                return [f"{prefix}={int(item)}"]
            case _:
                return [f"{prefix}={quote_plus(str(item))}"]

    return "&".join(p for key, item in value.items() for p in pairs(quote_plus(key), item))


# Names that PHP itself keeps as they are: no brackets, no null, and not the blank of ``a[]``.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="[]\0"), min_size=1
).filter(lambda key: key not in " \t\n\r\v\f")
NAMES = KEYS.map(lambda key: key.replace(" ", "_").replace(".", "_"))
LEAVES = st.none() | st.booleans() | st.integers() | TEXT
VALUES: st.SearchStrategy[Any] = LEAVES
for _ in range(4):
    VALUES = LEAVES | st.lists(VALUES, max_size=3) | st.dictionaries(KEYS, VALUES, max_size=3)


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_a_value_means_the_same_as_a_form_and_as_json(value: dict[str, Any]) -> None:
    as_json = decode_body(json.dumps(value).encode(), "application/json")
    as_form = decode_form(http_build_query(value).encode())
    assert as_form == as_json
    assert json.dumps(as_form) == json.dumps(as_json), "the order of keys differs"
