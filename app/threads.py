"""Work in threads that may never come back.

A pool of so many threads loses one to whatever hangs, and in the end stands still for everybody;
and a process waits for the threads of its pools before it ends. These are made as they are needed,
used again when they are done, and nothing waits for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Inbox = SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[object, ...]]]
_idle: list[_Inbox] = []


def submit(work: Callable[..., T], *arguments: object) -> Future[T]:
    """Run ``work`` in a thread that does nothing else meanwhile."""
    future: Future[T] = Future()
    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = SimpleQueue()
        threading.Thread(target=_serve, args=[inbox], daemon=True, name="work").start()
    inbox.put((future, work, arguments))
    return future


def _serve(inbox: _Inbox) -> None:
    while True:
        future, work, arguments = inbox.get()
        try:
            found = work(*arguments)
        except BaseException as error:
            _idle.append(inbox)
            future.set_exception(error)
        else:
            _idle.append(inbox)
            future.set_result(found)
            del found
        del future, work, arguments  # kept for nobody while there is nothing to do
