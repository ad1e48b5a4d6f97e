"""Work in threads that may never come back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def submit(work: Callable[..., T], *arguments: object) -> Future[T]:
    """Run ``work`` in a thread of its own, for which nothing waits, nor the end of the process.

    A pool would lose a thread to whatever hangs, and in the end stand still for everybody.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            found = work(*arguments)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(found)

    threading.Thread(target=run, daemon=True, name=getattr(work, "__name__", None)).start()
    return future
