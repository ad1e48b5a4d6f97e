"""Threads read one after the other, and wait for none that does not come back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from adapters.sql.turns import Turns


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(), 0, 0

    def read(_: int) -> None:
        nonlocal inside, most
        with turns.taken():
            inside += 1
            most = max(most, inside)
            inside -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(read, range(2000)))
    assert most == 1


def test_who_thinks_is_overtaken_and_the_rest_take_turns_again() -> None:
    turns, done = Turns(), threading.Event()

    def think() -> None:
        with turns.taken():
            done.wait(60)

    thinker = threading.Thread(target=think)
    thinker.start()
    for _ in range(100):
        with turns.taken():
            pass
    assert thinker.is_alive()
    done.set()
    thinker.join()
