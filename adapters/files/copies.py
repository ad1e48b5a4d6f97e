"""Files that DuckDB does not read, as copies that it does: CSV in UTF-8.

Copies are in a directory of this process's own, which is locked for as long as it lives.
"""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from adapters.errors import QueryFailed
from adapters.files import workbook

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_PIECE = 1 << 20
_PREFIX = "b24-files-"
# Seconds after which a directory that nobody has locked will not be locked any more.
_SETTLED = 60.0


class Room(tempfile.TemporaryDirectory[str]):
    """A directory for copies; what processes that were killed have left goes when one is made."""

    def __init__(self) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError):  # somebody lives there, or was quicker
                _remove(left)
        super().__init__(prefix=_PREFIX)
        self._locks = ExitStack()
        with suppress(OSError):  # where there are no locks, nobody takes it for left either
            self._locks.callback(os.close, _locked(Path(self.name)))

    def cleanup(self) -> None:
        """Remove it with all that is in it."""
        super().cleanup()
        self._locks.close()


def _remove(left: Path) -> None:
    descriptor = _locked(left)
    try:
        status = os.fstat(descriptor)
        if status.st_uid == os.geteuid() and status.st_mtime < time.time() - _SETTLED:
            shutil.rmtree(left)
    finally:
        os.close(descriptor)


def _locked(directory: Path) -> int:
    """A descriptor that holds the lock; raises OSError if another does."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


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
        found: list[str] = json.loads(_by_calamine(path, "names", str(path)))
    except QueryFailed:
        return []
    return found


def unpack(path: Path, sheet: str | None, copy: Path) -> None:
    """Write the cells of a sheet as CSV; raises QueryFailed if it cannot be read or is empty."""
    _by_calamine(path, "cells", str(path), sheet or "", str(copy))


def _by_calamine(path: Path, *arguments: str) -> str:
    """What the process of :mod:`adapters.files.workbook` says."""
    command = [sys.executable, "-I", workbook.__file__, *arguments]
    done = subprocess.run(  # noqa: S603 - a program of ours
        command, capture_output=True, check=False, encoding="utf-8"
    )
    if done.returncode == 0:
        return done.stdout
    reason = done.stderr if done.returncode == workbook.REFUSED else "it takes too much memory"
    raise QueryFailed(f"{path.name} cannot be read as a workbook: {reason}")
