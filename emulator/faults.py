"""Faults on demand: what tests ask the portal to do wrong, a given number of times."""

from __future__ import annotations

import fnmatch
import threading
import time
from dataclasses import dataclass

from flask import Response

NONSENSE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Fault:
    """One kind of misbehaviour.

    `path` is a pattern for the REST method, or `oauth` for the OAuth server. `kind` is `error`
    (an error at the root with `status`, `error` and `description`), `nonsense` (a page of HTML
    with `status`), `inner` (an error inside `result` with status 200) or `delay` (`seconds`, then
    the usual answer). After `times` hits the fault is gone; `0` means it stays.
    """

    path: str = "*"
    kind: str = "error"
    status: int = 503
    error: str = "QUERY_LIMIT_EXCEEDED"
    description: str = "Too many requests"
    seconds: float = 0.0
    times: int = 1
    skip: int = 0
    hits: int = 0


class Faults:
    """The faults that are set at the moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Set a fault; earlier ones are tried first."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._faults.clear()

    def all(self) -> list[Fault]:
        """Return the faults that are set, with the number of times each was met."""
        with self._lock:
            return list(self._faults)

    def take(self, path: str) -> Fault | None:
        """Find the fault for a request, counting it; wait here if it is a delay."""
        fault = self._find(path)
        if fault is None or fault.kind != "delay":
            return fault
        time.sleep(fault.seconds)
        return None

    def _find(self, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if not fnmatch.fnmatchcase(path, fault.path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                if fault.times and fault.hits >= fault.times:
                    self._faults.remove(fault)
                return fault
        return None


def nonsense(fault: Fault) -> Response:
    """Return a page where JSON was expected, as a proxy in trouble sends it."""
    return Response(NONSENSE, status=fault.status, content_type="text/html; charset=utf-8")
