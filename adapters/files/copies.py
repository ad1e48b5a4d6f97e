"""Files that DuckDB does not read, as copies that it does: CSV in UTF-8.

Workbooks are read by calamine, sheet by sheet; the copy is in a directory of this process's own.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO

import python_calamine

from adapters.errors import QueryFailed

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_PIECE = 1 << 20


def encoding_of(path: Path, otherwise: str) -> str | None:
    """The encoding of a text file that is not in UTF-8; None if it is.

    ``otherwise`` is what files without a mark are in if they are not UTF-8; QueryFailed is raised
    if such a file is met and nothing is said of it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _opened(path) as file:
        beginning = file.read(4)
        for mark, encoding in _MARKS.items():
            if beginning.startswith(mark):
                return encoding
        file.seek(0)
        start = 0
        try:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
                start += len(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            if otherwise:
                return otherwise
            raise QueryFailed(
                f"{path.name} is not in UTF-8 (near byte {start + error.start}); say in the url"
                " which encoding it is in, as ?encoding=windows-1251 or whatever it is"
            ) from None
    return None


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise QueryFailed(f"{path.name} cannot be read: {error.strerror}") from None


def recode(path: Path, encoding: str, copy: Path) -> None:
    """Write ``copy`` in UTF-8; raises QueryFailed for what is not in ``encoding``."""
    try:
        with (
            path.open(encoding=encoding, newline="") as file,
            copy.open("w", encoding="utf-8", newline="") as target,
        ):
            while piece := file.read(_PIECE):
                target.write(piece)
    except (UnicodeError, LookupError) as error:
        raise QueryFailed(f"{path.name} is not in {encoding}: {error}") from None


def sheets(path: Path) -> list[str]:
    """The names of the visible sheets; none of a workbook that cannot be read."""
    try:
        with python_calamine.load_workbook(path) as book:
            visible = python_calamine.SheetVisibleEnum.Visible
            worksheets = python_calamine.SheetTypeEnum.WorkSheet
            return [
                sheet.name
                for sheet in book.sheets_metadata
                if (sheet.visible, sheet.typ) == (visible, worksheets)
            ]
    except (python_calamine.CalamineError, OSError):
        return []


def unpack(path: Path, sheet: str | None, copy: Path) -> None:
    """Write the cells of a sheet as CSV; raises QueryFailed if it cannot be read or is empty."""
    try:
        with python_calamine.load_workbook(path) as book:
            name = sheet if sheet is not None else book.sheet_names[0]
            cells = book.get_sheet_by_name(name)
            with copy.open("w", encoding="utf-8", newline="") as target:
                csv.writer(target).writerows(_filled(cells.iter_rows()))
    except (python_calamine.CalamineError, OSError, IndexError) as error:
        raise QueryFailed(f"{path.name} cannot be read as a workbook: {error}") from None


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
