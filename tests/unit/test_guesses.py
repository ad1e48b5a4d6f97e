"""Who guesses is slowed down, and nobody else."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from limits.strategies import FixedWindowRateLimiter

from app.endpoints.guesses import Guesses
from app.errors import ApiError
from tests.server import eventually

HERE, THERE = "192.0.2.1", "192.0.2.2"


def wrong(guesses: Guesses, client: str, token: str, code: str = "INVALID_TOKEN") -> str:
    """The code that a request with a wrong token ends with."""
    with pytest.raises(ApiError) as caught, guesses.attempt(client, token[:6], token):
        raise ApiError(code, "It is wrong.")
    return caught.value.code


def right(guesses: Guesses, client: str, token: str) -> str:
    try:
        with guesses.attempt(client, token[:6], token):
            return "in"
    except ApiError as error:
        return error.code


@pytest.fixture
def guesses() -> Guesses:
    return Guesses(3)


def test_different_wrong_ones_are_counted(guesses: Guesses) -> None:
    assert [wrong(guesses, HERE, f"{n}-token") for n in range(3)] == ["INVALID_TOKEN"] * 3
    assert wrong(guesses, HERE, "4-token") == "TOO_MANY_GUESSES"
    assert right(guesses, HERE, "right-token") == "TOO_MANY_GUESSES"


def test_somebody_elses_guesses_slow_down_nobody(guesses: Guesses) -> None:
    for n in range(10):
        wrong(guesses, HERE, f"{n}-token")
    assert right(guesses, THERE, "right-token") == "in"


def test_one_wrong_token_is_one_guess_however_often_it_comes(guesses: Guesses) -> None:
    for _ in range(50):
        assert wrong(guesses, HERE, "replaced-token") == "INVALID_TOKEN"
    assert right(guesses, HERE, "right-token") == "in"


def test_what_counts_each_time_is_counted_until_it_is_right(guesses: Guesses) -> None:
    for _ in range(50):
        with guesses.attempt(HERE, "portal", "right", each=True):
            pass
    for n in range(4):
        with pytest.raises(ApiError) as caught, guesses.attempt(HERE, "x", "x", each=True):
            raise ApiError("FORGED_REQUEST", "It is forged.")
        assert caught.value.code == ("FORGED_REQUEST" if n < 3 else "TOO_MANY_GUESSES")


def test_right_ones_are_not_counted(guesses: Guesses) -> None:
    for n in range(50):
        assert right(guesses, HERE, f"{n}-right") == "in"
    assert wrong(guesses, HERE, "wrong") == "INVALID_TOKEN"


def test_failures_of_another_kind_are_not_counted(guesses: Guesses) -> None:
    for n in range(50):
        assert wrong(guesses, HERE, f"{n}-right", "SOURCE_UNAVAILABLE") == "SOURCE_UNAVAILABLE"
    for n in range(50):
        with pytest.raises(KeyError), guesses.attempt(HERE, "prefix", f"{n}"):
            raise KeyError
    assert right(guesses, HERE, "right-token") == "in"


def test_one_beginning_tried_from_many_addresses(guesses: Guesses) -> None:
    assert right(guesses, THERE, "secret-right") == "in"
    for n in range(3):
        assert wrong(guesses, f"198.51.100.{n}", f"secret-{n}") == "INVALID_TOKEN"
    assert wrong(guesses, "198.51.100.9", "secret-9") == "TOO_MANY_GUESSES"
    assert right(guesses, "198.51.100.9", "secret-right") == "TOO_MANY_GUESSES"
    # Where it has been right before, others cannot spoil it.
    assert right(guesses, THERE, "secret-right") == "in"


def test_guesses_under_way_count(guesses: Guesses) -> None:
    first = guesses.attempt(HERE, "a", "a")
    second = guesses.attempt(HERE, "b", "b")
    third = guesses.attempt(HERE, "c", "c")
    for attempt in (first, second, third):
        attempt.__enter__()
    assert right(guesses, HERE, "right-token") == "TOO_MANY_GUESSES"
    third.__exit__(None, None, None)
    assert right(guesses, HERE, "right-token") == "in"


def test_two_at_once_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    guesses, both = Guesses(1), threading.Barrier(2)
    test = FixedWindowRateLimiter.test

    def together(*arguments: Any) -> bool:
        allowed = test(*arguments)
        with suppress(threading.BrokenBarrierError):
            both.wait(1)  # for as long as they can meet here
        return allowed

    monkeypatch.setattr(FixedWindowRateLimiter, "test", together)
    with ThreadPoolExecutor(2) as threads:
        codes = list(threads.map(partial(wrong, guesses, HERE), ("one", "other")))
    assert sorted(codes) == ["INVALID_TOKEN", "TOO_MANY_GUESSES"]


def test_an_attempt_that_outlives_its_minute_leaves_nothing(
    guesses: Guesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first begins the minute, in which the other is right.
    wrong(guesses, HERE, "wrong-token")
    with guesses.attempt(HERE, "right-", "right-token"):
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 61)
        monkeypatch.setattr(time, "monotonic", partial(lambda now: now() + 61, time.monotonic))
    wrong(guesses, THERE, "another-token")
    memory = guesses._storage.storage
    eventually(lambda: not any(HERE in key for key in memory))


def test_a_clock_that_is_set_back_keeps_nobody_out(
    guesses: Guesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        wrong(guesses, HERE, f"{n}-token")
    assert right(guesses, HERE, "right-token") == "TOO_MANY_GUESSES"
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert right(guesses, HERE, "right-token") == "in"
    # And from there on it counts as before.
    for n in range(3):
        assert wrong(guesses, HERE, f"{n}-token") == "INVALID_TOKEN"
    assert right(guesses, HERE, "right-token") == "TOO_MANY_GUESSES"


def test_no_credentials_are_kept(guesses: Guesses) -> None:
    wrong(guesses, HERE, "plant-wrong")
    right(guesses, HERE, "plant-right")
    kept = f"{vars(guesses)}{vars(guesses._storage)}"
    assert "plant" not in kept
