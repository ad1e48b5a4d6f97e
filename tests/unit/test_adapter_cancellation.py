"""The switch that ends a query from another thread."""

from __future__ import annotations

import threading

import pytest

from adapters.base import Cancellation
from adapters.errors import QueryCancelled


def test_a_query_cancelled_before_it_starts_does_not_start() -> None:
    cancellation = Cancellation()
    cancellation.cancel("the client is gone")
    with pytest.raises(QueryCancelled, match="the client is gone"), cancellation.by(pytest.fail):
        pytest.fail("the block ran")


def test_an_action_that_came_too_early_is_repeated() -> None:
    cancellation = Cancellation()
    ended = threading.Event()
    attempts: list[int] = []

    def act() -> None:
        attempts.append(len(attempts))
        if len(attempts) == 2:
            ended.set()

    with cancellation.by(act):
        canceller = threading.Thread(target=cancellation.cancel, args=["late"])
        canceller.start()
        assert ended.wait(10)
    canceller.join(10)
    assert not canceller.is_alive()
    assert attempts == [0, 1]


def test_a_failing_action_is_repeated() -> None:
    cancellation = Cancellation()
    ended = threading.Event()
    attempts: list[int] = []

    def act() -> None:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise ConnectionError
        ended.set()

    with cancellation.by(act):
        canceller = threading.Thread(target=cancellation.cancel, args=["late"])
        canceller.start()
        assert ended.wait(10)
    canceller.join(10)
    assert not canceller.is_alive()


def test_only_the_first_reason_counts_and_nothing_is_done_after_the_end() -> None:
    cancellation = Cancellation()
    with cancellation.by(pytest.fail):
        pass
    cancellation.cancel("first")
    cancellation.cancel("second")
    assert cancellation.reason == "first"
