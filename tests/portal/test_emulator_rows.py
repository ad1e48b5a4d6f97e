"""Rows are read while they arrive, and only a complete answer is believed."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.rows import BrokenAnswerError, batches

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet='],[" \\\n{}aЖ🚀', max_size=12),
)


def read(blocks):
    return [row for batch in batches(blocks) for row in batch]


@given(st.lists(st.lists(VALUES, max_size=4), max_size=12), st.data())
def test_any_cut_of_the_answer_gives_the_same_rows(rows, data):
    text = json.dumps(rows, ensure_ascii=data.draw(st.booleans())).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    edges = [0, *cuts, len(text)]
    assert read(text[a:b] for a, b in itertools.pairwise(edges)) == rows


@pytest.mark.parametrize(
    "blocks",
    [
        [b"  \n", b" [", b"\n", b'["A"]', b"  ", b",  ", b"[1]", b" ", b"]", b"\n"],
        [b'[["A"]', b"\t\n", b" ,[1]]"],
    ],
)
def test_white_space_keeps_a_connection_alive(blocks):
    assert read(blocks) == [["A"], [1]]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"  ",
        b"[",
        b'[["A"]',
        b'[["A"],',
        b'[["A"],[1',
        b'[["A"],[1]],',
        b'{"error": "X"}',
        b"[1,2]",
        b'[["A"],{"B":1}]',
        b"null",
        b'[["A"],[1]]]',
    ],
)
def test_anything_else_is_broken(text):
    with pytest.raises(BrokenAnswerError):
        read([text])


def test_rows_come_before_the_answer_is_complete():
    def blocks():
        yield b'[["A"],[1],'
        taken.append("asked on")
        yield b"[2]]"

    taken = []
    arriving = batches(blocks())
    assert next(arriving) == [["A"], [1]]
    assert taken == []
    assert list(arriving) == [[[2]]]
