"""Tells a file that is whole from one that somebody is still writing.

Nothing in a CSV file says that it has ended. On Linux the kernel tells whether any process has a
file open for writing, if the file is ours; failing that, a file counts as whole when nobody has
written to it for some seconds. Whatever is read is compared with the file once more after reading.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from adapters.errors import AdapterError, QueryFailed, SchemaChanged, SourceUnavailable

# Seconds without a change after which a file is taken for whole: when the kernel says nothing of
# writers, and when it says that there may be one, as it also does of all files on some networks.
_QUIET = 3.0
_QUIET_BUT_OPEN = 60.0
# Seconds for which one waits for that.
_PATIENCE = 10.0


class Signature(NamedTuple):
    """What changes when a file does."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def signatures(paths: Iterable[Path]) -> dict[Path, Signature]:
    """Raises SchemaChanged for a file that is gone."""
    found = {}
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            raise SchemaChanged(f"{path.name} does not exist any more") from None
        except OSError as error:
            raise SourceUnavailable(f"{path.name}: {error.strerror}") from None
        found[path] = Signature(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )
    return found


def whole(paths: Iterable[Path]) -> dict[Path, Signature]:
    """The files' signatures once all are whole; raises SourceUnavailable if they are not soon."""
    give_up = time.monotonic() + _PATIENCE
    while True:
        found = signatures(paths)
        now = time.time()
        ages = {path: now - each.modified / 1e9 for path, each in found.items()}
        young = [path for path, age in ages.items() if _is_young(path, age)]
        if not young:
            return found
        if time.monotonic() > give_up:
            raise SourceUnavailable(f"{young[0].name} is being written")
        time.sleep(0.2)


def are_past(before: dict[Path, Signature]) -> bool:
    """Whether a file is gone, or another by now than when its signature was taken."""
    try:
        return signatures(before) != before
    except AdapterError:
        return True


def unchanged(before: dict[Path, Signature]) -> None:
    """Raise QueryFailed if a file is another by now than when its signature was taken."""
    now = signatures(before)
    for path, signature in before.items():
        if now[path] != signature:
            raise QueryFailed(f"{path.name} was changed while it was read")


def _is_young(path: Path, age: float) -> bool:
    quiet = _quiet(path, age)
    # By a clock that runs ahead of ours nothing can be told; the kernel may still know.
    return age < quiet if age >= 0 else quiet == _QUIET_BUT_OPEN


def _quiet(path: Path, age: float) -> float:
    """For how many seconds a file must have been as it is, by what the kernel says of writers."""
    if age > _QUIET_BUT_OPEN:
        return 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return _QUIET
    try:
        # Whoever opens it for writing meanwhile has us told: by this signal, which nobody heeds.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return 0
    except BlockingIOError:
        return _QUIET_BUT_OPEN
    except OSError:
        return _QUIET
    finally:
        os.close(descriptor)
