"""Random filters over a table's fields, drawn near the values that the table shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st

from adapters.base import (
    And,
    Compare,
    Expression,
    Field,
    FieldType,
    In,
    IsNull,
    Like,
    Or,
    Value,
    Wildcard,
)
from adapters.evaluate import Shown, text_of, value_of

# Letters whose case every engine folds alike; docs/types.md names some that are not.
LETTERS = "aAbBzZ éÉßЯяїЇжЖİΣσς%_!\\'\"😀.-:019eE"
_INTEGERS = [0, 1, -1, 26, 70, 2026, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**300]
_NUMBERS = [
    "0.1",
    "0.3",
    "0.10000000149011612",
    "1.100000023841858",
    "1.10000002",
    "0.30000000000000004",
    "1e-300",
    "9.9e307",
    "-9.9e307",
    "16777217",
]


def expressions(
    fields: Sequence[Field], shown: Mapping[str, Sequence[Shown]], *, no_like: Sequence[str] = ()
) -> st.SearchStrategy[Expression]:
    """Trees of conditions; ``no_like`` names fields of which the text is another in SQL."""
    conditions = st.one_of(
        [_conditions(f, [s for s in shown[f.name] if s is not None], no_like) for f in fields]
    )
    tree: st.SearchStrategy[Expression] = conditions
    for _ in range(2):
        items = st.lists(tree, max_size=3).map(tuple)
        tree = conditions | st.builds(And, items) | st.builds(Or, items)
    return tree


def _conditions(
    field: Field, shown: Sequence[Shown], no_like: Sequence[str]
) -> st.SearchStrategy[Expression]:
    texts = [text_of(s) for s in shown if s is not None]
    known = [value_of(field, s) for s in shown if s is not None]
    values = _values(field.type, known)
    found: list[st.SearchStrategy[Expression]] = [
        st.builds(IsNull, st.just(field), st.booleans()),
        st.builds(Compare, st.just(field), st.sampled_from(_comparisons(field.type)), values),
    ]
    if field.type is not FieldType.DATETIME:
        several = st.lists(values, max_size=3, unique=True).map(tuple)
        found.append(st.builds(In, st.just(field), several, st.booleans()))
    if field.name not in no_like:
        found.append(st.builds(Like, st.just(field), _patterns(texts), st.booleans()))
    return st.one_of(found)


def _comparisons(kind: FieldType) -> list[str]:
    return ["<", ">="] if kind is FieldType.DATETIME else ["<", "<=", ">", ">="]


def _values(kind: FieldType, known: Sequence[Value]) -> st.SearchStrategy[Value]:
    seen = st.sampled_from(sorted(set(known), key=str)) if known else st.nothing()
    match kind:
        case FieldType.STRING:
            return seen | seen.flatmap(_variants) | st.text(LETTERS, max_size=3)
        case FieldType.INT:
            whole = st.integers(-(10**30), 10**30) | st.sampled_from(_INTEGERS)
            return seen | _moved(seen, [Decimal(1), Decimal(-1)]) | whole.map(Decimal)
        case FieldType.DOUBLE:
            some = st.sampled_from(_NUMBERS).map(Decimal) | st.integers(-100, 100).map(Decimal)
            tiny = [Decimal("1e-20"), Decimal("-1e-20"), Decimal("0.01"), Decimal("-1e-7")]
            return seen | _moved(seen, tiny) | some | st.decimals(-1000, 1000, places=3)
        case FieldType.DATE:
            return seen | _moved(seen, [timedelta(1), timedelta(-1)]) | st.dates()
        case FieldType.DATETIME:
            steps = [timedelta(seconds=s) for s in (1, -1, 600, -600, 1800, 3600, -3600, 86400)]
            random = st.datetimes().map(lambda moment: moment.replace(microsecond=0))
            return seen | _moved(seen, steps) | random


def _moved(
    seen: st.SearchStrategy[Value], steps: Sequence[Decimal] | Sequence[timedelta]
) -> st.SearchStrategy[Value]:
    def move(value: Value, step: Decimal | timedelta) -> Value:
        try:
            return value + step  # type: ignore[operator]
        except OverflowError:
            return value

    return st.builds(move, seen, st.sampled_from(steps))


def _variants(text: Value) -> st.SearchStrategy[Value]:
    assert isinstance(text, str)
    changed = [
        text.upper(),
        text.lower(),
        text + " ",
        text.rstrip(),
        text[:-1],
        text + "a",
        " " + text,
    ]
    return st.sampled_from(changed)


def _patterns(texts: Sequence[str]) -> st.SearchStrategy[tuple[str | Wildcard, ...]]:
    def cut(text: str, start: int, length: int, *, swap: bool) -> str:
        piece = text[start : start + length]
        return piece.swapcase() if swap and set(piece) <= set(LETTERS) else piece

    pieces = st.sampled_from(sorted(set(texts)) or [""])
    piece = st.builds(cut, pieces, st.integers(0, 4), st.integers(1, 9), swap=st.booleans())
    part = st.sampled_from(list(Wildcard)) | piece | st.text(LETTERS, max_size=2)
    contains = piece.map(lambda text: (Wildcard.ANY, text, Wildcard.ANY))
    return contains | st.lists(part, max_size=4).map(tuple)
