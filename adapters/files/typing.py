"""The types of columns that are nothing but texts in the file, decided by every value of them.

A column has a type only if each of its values is written as one of that type and as nothing else:
``00123`` stays the text that it is, and so does ``1,234`` unless other values show that the comma
is a decimal one, and ``01/02/2025`` unless others show which of the numbers is the month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from adapters.files.naming import quoted

_SAMPLE = 2048
_WHOLE = "-?(0|[1-9][0-9]*)"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_THOUSANDS = "-?[1-9][0-9]{0,2}[.,][0-9]{3}"
# How many digits there are before and after the sign.
_BEFORE = "max(length(regexp_extract({v}, '[0-9]+')))"
_AFTER = "max(length(regexp_extract({v}, '[.,]([0-9]+)', 1)))"
_FITS = f"{_BEFORE} + {_AFTER} <= 38"


@dataclass(frozen=True)
class _Kind:
    """``test`` holds for each value of a column of this kind, ``proof`` for all of them together.

    ``read`` is the value with its type. In all of them ``{v}`` stands for the text, null if empty.
    """

    name: str
    test: str
    read: str
    proof: str = "true"


def _matches(pattern: str) -> str:
    return f"regexp_full_match({{v}}, '{pattern}')"


def _written(name: str, pattern: str, read: str, proof: str = "true") -> _Kind:
    # Of a null it is neither true nor false, and bool_and leaves it out.
    test = f"{_matches(pattern)} AND ({{v}} IS NULL OR ({read}) IS NOT NULL)"
    return _Kind(name, test, read, proof)


def _slashed(name: str, form: str, other: str) -> _Kind:
    proof = f"bool_or(try_strptime({{v}}, '{other}') IS NULL)"
    read = f"CAST(try_strptime({{v}}, '{form}') AS DATE)"
    return _written(name, "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}", read, proof)


_DECIMAL = _Kind("decimal", _matches(f"{_WHOLE}([.][0-9]+)?"), "CAST({v} AS {decimal})", _FITS)
_COMMA = _Kind(
    "comma",
    _matches(f"{_WHOLE}(,[0-9]+)?"),
    "CAST(replace({v}, ',', '.') AS {decimal})",
    f"{_FITS} AND bool_or(contains({{v}}, ',') AND NOT {_matches(_THOUSANDS)})",
)
_POINT = _Kind("point", "true", "", f"bool_or(contains({{v}}, '.') AND NOT {_matches(_THOUSANDS)})")
_TEXT = _Kind("text", "true", "")
_KINDS = (
    _Kind("boolean", "lower({v}) IN ('true', 'false')", "TRY_CAST({v} AS BOOLEAN)"),
    _written("whole", _WHOLE, "TRY_CAST({v} AS BIGINT)"),
    _DECIMAL,
    _COMMA,
    _written("double", f"{_WHOLE}([.][0-9]+)?([eE][+-][0-9]+)?", "TRY_CAST({v} AS DOUBLE)"),
    _written("date", _DAY, "TRY_CAST({v} AS DATE)"),
    _written(
        "dotted",
        "[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{4}",
        "CAST(try_strptime({v}, '%d.%m.%Y') AS DATE)",
    ),
    _slashed("dmy", "%d/%m/%Y", "%m/%d/%Y"),
    _slashed("mdy", "%m/%d/%Y", "%d/%m/%Y"),
    _written("moment", f"{_DAY}({_TIME})?", "TRY_CAST({v} AS TIMESTAMP)"),
    _written(
        "instant", f"{_DAY}{_TIME}(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)", "TRY_CAST({v} AS TIMESTAMPTZ)"
    ),
    _written(
        "dotted moment",
        "[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{4} [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?",
        "try_strptime({v}, ['%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M'])",
    ),
)


def typed(raw: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]) -> str:
    """A SELECT from ``relation``, a FROM item of texts, that gives each column its type.

    Reads all of the relation, so it raises what reading raises: duckdb.Error.
    """
    sample = f"(SELECT * FROM {relation} LIMIT {_SAMPLE})"
    likely = _holding(raw, sample, dict.fromkeys(names, _KINDS), proven=False)
    first = {name: kinds[:1] for name, kinds in likely.items()}
    kept = _holding(raw, relation, first, proven=True)
    wrong = {name: kinds[1:] for name, kinds in likely.items() if kinds and not kept[name]}
    kept |= _holding(raw, relation, wrong, proven=True)
    chosen = {name: (kinds or (_TEXT,))[0] for name, kinds in kept.items()}
    if _COMMA in chosen.values():
        # Where commas are decimal, points may part thousands.
        points = {name: (_POINT,) for name, kind in chosen.items() if kind is _DECIMAL}
        parted = _holding(raw, relation, points, proven=True)
        chosen |= {name: _TEXT for name, kinds in parted.items() if not kinds}
    cells = [_read(raw, relation, name, kind) for name, kind in chosen.items()]
    return f"SELECT {', '.join(cells)} FROM {relation}"


def _holding(
    raw: duckdb.DuckDBPyConnection,
    relation: str,
    kinds: Mapping[str, Sequence[_Kind]],
    *,
    proven: bool,
) -> dict[str, tuple[_Kind, ...]]:
    """Of the kinds of each column, those that all values have; none for a column of nulls."""
    asked = [(name, kind) for name, each in kinds.items() for kind in each]
    tests = [
        f"bool_and({kind.test}) AND {kind.proof if proven else 'true'}".replace("{v}", _value(name))
        for name, kind in asked
    ]
    # With nothing to ask, too: what cannot be read is to be noticed now.
    (answers,) = raw.execute(f"SELECT {', '.join([*tests, 'count(*)'])} FROM {relation}").fetchall()
    found: dict[str, tuple[_Kind, ...]] = dict.fromkeys(kinds, ())
    for (name, kind), holds in zip(asked, answers[:-1], strict=True):
        found[name] += (kind,) if holds else ()
    return found


def _read(raw: duckdb.DuckDBPyConnection, relation: str, name: str, kind: _Kind) -> str:
    """A column of the SELECT."""
    if kind is _TEXT:
        return quoted(name)
    read = kind.read.replace("{v}", _value(name))
    if kind in (_DECIMAL, _COMMA):
        sizes = f"SELECT {_BEFORE}, {_AFTER} FROM {relation}".replace("{v}", _value(name))
        ((before, after),) = raw.execute(sizes).fetchall()
        read = read.replace("{decimal}", f"DECIMAL({before + after}, {after})")
    return f"{read} AS {quoted(name)}"


def _value(name: str) -> str:
    return f"nullif({quoted(name)}, '')"
