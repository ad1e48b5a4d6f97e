"""Which files of a folder are tables, and what these are called.

A file is called what stands before its extension, a folder of data files what it is called itself.
Two that would share a name go by their whole names instead, so that no name ever means another file
because one has come or gone. Letter case makes no difference, as in SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import SourceUnavailable

KINDS = {
    **dict.fromkeys([".csv", ".tsv"], "delimited"),
    **dict.fromkeys([".json", ".jsonl", ".ndjson"], "json"),
    ".parquet": "parquet",
    **dict.fromkeys([".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"], "workbook"),
}


@dataclass(frozen=True)
class Source:
    """The files that make one table; ``sheet`` is of a workbook."""

    kind: str
    paths: tuple[Path, ...]
    sheet: str | None = None


def sources(root: Path, sheets: Callable[[Path], list[str]]) -> dict[str, Source]:
    """What makes each table of ``root``, by the table's name; ``sheets`` lists those of a workbook.

    Hidden files are left out, and pipes, of which nobody knows the end, and whatever really lies
    elsewhere: no symbolic link leads out of the folder. Raises SourceUnavailable if the folder
    cannot be read.
    """
    entries = [path for path in _inside(root, root) if _files(root, path)]
    own = _own_names(entries)
    found: dict[str, Source] = {}
    for path in entries:
        files = _files(root, path)
        name = _stem(path) if path in own else path.name
        kind = _kind(files[0])
        names = sheets(path) if kind == "workbook" else []
        if len(names) > 1:
            found |= {f"{name}.{sheet}": Source(kind, files, sheet) for sheet in names}
        else:
            found[name] = Source(kind, files, names[0] if names else None)
    return found


def _own_names(entries: Sequence[Path]) -> set[Path]:
    """The entries whose names without an extension can mean nothing else among these."""
    stems = Counter(_stem(path).casefold() for path in entries)
    whole = {path.name.casefold() for path in entries if not path.is_dir()}
    books = [_stem(path).casefold() for path in entries if _kind(path) == "workbook"]
    # A sheet may have any name, so whatever begins as one of a workbook's may be one.
    like_sheets = {stem for stem in stems for book in books if stem.startswith(f"{book}.")}
    unsure = like_sheets | {book for book in books for s in like_sheets if s.startswith(f"{book}.")}
    return {
        path
        for path in entries
        if stems[stem := _stem(path).casefold()] == 1 and stem not in whole | unsure
    }


def _files(root: Path, path: Path) -> tuple[Path, ...]:
    """The data files of an entry: itself, or those in a folder, of which one kind is a table."""
    if not path.is_dir():
        return (path,) if _kind(path) else ()
    try:
        files = [file for file in _inside(root, path) if not file.is_dir()]
    except SourceUnavailable:
        return ()  # a folder that is not for us, as lost+found, is no table
    kinds = {_kind(file) for file in files} - {""}
    if len(kinds) != 1 or not kinds <= {"delimited", "parquet"}:
        return ()
    return tuple(file for file in files if _kind(file))


def _inside(root: Path, folder: Path) -> Iterator[Path]:
    """The visible entries of a folder that really lie below ``root``, in order."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise SourceUnavailable(f"{folder}: {error.strerror}") from None
    for path in entries:
        hidden = path.name.startswith((".", "_", "~"))
        there = path.is_file() or path.is_dir()
        if not hidden and there and path.resolve().is_relative_to(root):
            yield path


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _kind(path: Path) -> str:
    return KINDS.get(path.suffix.lower(), "")
