"""Reads workbooks by calamine, in a process of its own: run as a script, it is that process.

    python workbook.py names FILE              the visible sheets, as JSON
    python workbook.py cells FILE SHEET COPY   the cells of a sheet (or of the first) as CSV

A sheet is unpacked as the rectangle between its outermost cells, and what a few bytes say may take
more memory than there is: the process that answers portals must not be the one that dies of it.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine

_BYTES = 3 << 30
_SECONDS = 300
REFUSED = 3
"""The code that a process ends with that has said why on standard error."""


def names(path: Path) -> list[str]:
    """The names of the visible sheets."""
    with python_calamine.load_workbook(path) as book:
        visible = python_calamine.SheetVisibleEnum.Visible
        worksheets = python_calamine.SheetTypeEnum.WorkSheet
        return [
            sheet.name
            for sheet in book.sheets_metadata
            if (sheet.visible, sheet.typ) == (visible, worksheets)
        ]


def unpack(path: Path, sheet: str, copy: Path) -> None:
    """Write the cells of a sheet as CSV."""
    with python_calamine.load_workbook(path) as book:
        cells = book.get_sheet_by_name(sheet or book.sheet_names[0])
        with copy.open("w", encoding="utf-8", newline="") as target:
            csv.writer(target).writerows(_filled(cells.iter_rows()))


def _filled(rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    """The rows that are not empty."""
    for row in rows:
        texts = [_text(cell) for cell in row]
        if any(texts):
            yield texts


def _text(cell: object) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 2**53:
            return str(int(cell))
        case datetime():
            # A fraction of a day, which is seldom exact.
            near = cell + timedelta(microseconds=500)
            return near.replace(microsecond=near.microsecond // 1000 * 1000).isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case _:
            return str(cell)


def main() -> None:
    """Do what the arguments say, within limits."""
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    what, file, *more = sys.argv[1:]
    try:
        if what == "names":
            sys.stdout.write(json.dumps(names(Path(file))))
        else:
            sheet, copy = more
            unpack(Path(file), sheet, Path(copy))
    except (python_calamine.CalamineError, OSError, IndexError) as error:
        sys.stderr.write(str(error))
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
