"""CSV files: where their columns are parted, and whether their first line names them.

A file is read by RFC 4180 and by nothing laxer: a line that has more or fewer columns, a quote that
does not end or a character that is no UTF-8 is an error that says where.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from adapters.errors import QueryFailed
from adapters.files.naming import file, literal
from adapters.files.typing import typed

# Of delimiters that would do equally well, the first one is taken.
_DELIMITERS = "\t;|,"
_HEAD = 256 * 1024
_LINES = 200
# What stands among data, and hardly in a headline; years do, above the columns of a pivot table.
_DATUM = re.compile(
    r"[-+]?\d+([.,]\d+)*|\d{4}-\d\d-\d\d.*|\d{1,2}[./]\d{1,2}[./]\d{4}.*|true|false", re.I
)
_YEAR = re.compile(r"(19|20)\d\d")


@dataclass(frozen=True)
class Shape:
    """How a file is parted; without a ``header`` its columns are called column1, column2, …."""

    delimiter: str
    header: bool
    names: tuple[str, ...]


def shape(path: Path, named: Path) -> Shape:
    """What the beginning of a file in UTF-8 shows; raises QueryFailed if there is nothing in it."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    # The last line may be cut off.
    whole = head if len(head) < _HEAD else head[: head.rfind(b"\n") + 1] or head
    text = whole.decode("utf-8-sig", "replace")
    tried = [_DELIMITERS[0]] if named.suffix.lower() == ".tsv" else list(_DELIMITERS)
    parted = {delimiter: _records(text, delimiter) for delimiter in tried}
    delimiter = max(tried, key=lambda each: _evidence(parted[each]))
    if not parted[delimiter]:
        raise QueryFailed(f"{named.name} is empty")
    if _evidence(parted[delimiter])[1] == 0:
        delimiter = "," if "," in tried else tried[0]
    first = parted[delimiter][0]
    header = not any(_DATUM.fullmatch(c) and not _YEAR.fullmatch(c) for c in map(str.strip, first))
    return Shape(delimiter, header, _names(first if header else [""] * len(first)))


def select(raw: duckdb.DuckDBPyConnection, named: Sequence[Path], paths: Sequence[Path]) -> str:
    """A SELECT from files in UTF-8, ``named`` being what they are copies of, if they are.

    Raises QueryFailed unless all are parted alike, and duckdb.Error for what is wrong in a line.
    """
    shapes = [shape(path, original) for path, original in zip(paths, named, strict=True)]
    for original, found in zip(named, shapes, strict=True):
        if found != shapes[0]:
            raise QueryFailed(f"{original.name} has other columns than {named[0].name}")
    return typed(raw, _relation(paths, shapes[0]), shapes[0].names)


def _relation(paths: Sequence[Path], found: Shape) -> str:
    """A FROM item: the files as texts."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in found.names)
    files = ", ".join(file(path) for path in paths)
    return (
        f"read_csv([{files}], auto_detect = false, delim = {literal(found.delimiter)},"
        f" quote = '\"', escape = '\"', header = {found.header}, columns = {{{columns}}},"
        " strict_mode = true, null_padding = false, nullstr = '', allow_quoted_nulls = false,"
        " hive_partitioning = false)"
    )


def _records(text: str, delimiter: str) -> list[list[str]]:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
        return [row for row in islice(rows, _LINES) if row]
    except csv.Error:
        return []


def _evidence(records: list[list[str]]) -> tuple[bool, int]:
    """Lines that all have as many columns count first, then how many there are in the first."""
    if not records:
        return False, 0
    width = len(records[0])
    return width > 1 and all(len(row) == width for row in records), width - 1


def _names(written: Sequence[str]) -> tuple[str, ...]:
    """Names that differ in more than letter case; one that is missing is made of its place."""
    names: list[str] = []
    for number, text in enumerate(written, start=1):
        wanted = text.strip() or f"column{number}"
        name, copy = wanted, 1
        while name.casefold() in (taken.casefold() for taken in names):
            copy += 1
            name = f"{wanted}_{copy}"
        names.append(name)
    return tuple(names)
