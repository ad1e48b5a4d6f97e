"""Queries end when they are told to, errors have the right names, and nothing is left behind."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters import errors
from adapters.base import Adapter, Cancellation, Capability, Options, Query
from adapters.errors import AdapterError, QueryCancelled, SourceUnavailable
from adapters.registry import open_adapter
from adapters.testing.conftest import Loaded, load
from adapters.testing.data import ROWS
from adapters.testing.test_schema import GONE

# Within these a query has to end; a page that is on its way may still arrive.
SECONDS = 10
DESCRIPTORS = Path("/dev/fd")


def close(rows: Any) -> None:
    """End a query, if it is not a generator there is nothing to end."""
    getattr(rows, "close", lambda: None)()


@pytest.fixture
def cancellable(loaded: Loaded) -> Loaded:
    if reason := loaded.adapter.lacks.get(Capability.CANCEL):
        pytest.skip(f"the adapter says that it cannot cancel: {reason}")
    return loaded


def test_closing_early_ends_the_query(loaded: Loaded, columns: list[str]) -> None:
    """More often than any pool has connections."""
    for _ in range(40):
        rows = loaded.adapter.rows(loaded.query(columns), Cancellation())
        assert next(rows)
        started = time.monotonic()
        close(rows)
        assert time.monotonic() - started < SECONDS, "closing the iterator waits for the source"
    assert len(loaded.read(columns)) == len(ROWS), "after queries that were closed early"


def test_a_query_that_is_cancelled_before_it_starts(loaded: Loaded, columns: list[str]) -> None:
    cancellation = Cancellation()
    cancellation.cancel("nobody waits for it")
    with pytest.raises(QueryCancelled):
        list(loaded.adapter.rows(loaded.query(columns), cancellation))


def test_cancelling_between_batches(cancellable: Loaded, columns: list[str]) -> None:
    cancellation = Cancellation()
    rows = cancellable.adapter.rows(cancellable.query(columns), cancellation)
    count = len(next(rows))
    canceller = threading.Thread(target=cancellation.cancel, args=["enough"])
    canceller.start()
    started = time.monotonic()
    with suppress(QueryCancelled):
        count += sum(len(batch) for batch in rows)
        assert count == len(ROWS), (
            f"a cancelled query ended after {count} rows as if these were all: raise QueryCancelled"
        )
    close(rows)
    canceller.join(SECONDS)
    assert not canceller.is_alive(), "Cancellation.cancel() does not come back"
    assert time.monotonic() - started < SECONDS, "a cancelled query ran on"
    assert len(cancellable.read(columns)) == len(ROWS), "after a query that was cancelled"


def test_cancelling_at_any_moment(cancellable: Loaded, columns: list[str]) -> None:
    """Whenever it comes, the answer is whole or it is QueryCancelled."""
    for delay in (0, 0.001, 0.005, 0.02, 0.1):
        cancellation = Cancellation()
        outcome: list[Any] = []

        def read(cancellation: Cancellation = cancellation, outcome: list[Any] = outcome) -> None:
            try:
                query = cancellable.query(columns)
                batches = cancellable.adapter.json_rows(query, cancellation)
                outcome.append(sum(batch.rows for batch in batches))
            except Exception as error:
                outcome.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(delay)
        cancellation.cancel("enough")
        reader.join(SECONDS)
        assert not reader.is_alive(), f"cancelled after {delay} s, the query ran on"
        (ended,) = outcome
        assert ended == len(ROWS) or isinstance(ended, QueryCancelled), (
            f"cancelled after {delay} s: {ended!r} instead of QueryCancelled"
        )


def test_what_was_opened_is_given_back(
    url: str, columns: list[str], pytestconfig: pytest.Config
) -> None:
    if not DESCRIPTORS.is_dir():
        pytest.skip("this system does not say which files are open")
    use(url, columns, pytestconfig)  # whatever is opened once and kept by libraries
    before = len(list(DESCRIPTORS.iterdir()))
    for _ in range(3):
        use(url, columns, pytestconfig)
    after = len(list(DESCRIPTORS.iterdir()))
    assert after <= before + 1, f"close() leaves {after - before} connections or files open"


def use(url: str, columns: list[str], config: pytest.Config) -> None:
    adapter = open_adapter(url, Options(timeout=timedelta(seconds=60)))
    loaded = load(adapter, columns, config)
    for _ in range(5):
        rows = adapter.rows(loaded.query(columns), Cancellation())
        next(rows)
        close(rows)
    loaded.read(columns)
    adapter.close()


def test_closing_twice_does_no_harm(url: str) -> None:
    adapter = open_adapter(url, Options())
    adapter.check()
    adapter.close()
    adapter.close()


def test_opening_contacts_nobody(pytestconfig: pytest.Config) -> None:
    for wrong in pytestconfig.getoption("adapter_wrong_url"):
        open_adapter(wrong, Options()).close()


def test_a_source_that_does_not_answer(pytestconfig: pytest.Config, columns: list[str]) -> None:
    wrong_urls = pytestconfig.getoption("adapter_wrong_url")
    if not wrong_urls:
        pytest.skip("say where no source is, or one that refuses us: --adapter-wrong-url")
    for wrong in wrong_urls:
        adapter = open_adapter(wrong, Options(timeout=timedelta(seconds=5)))
        started = time.monotonic()
        for call in (adapter.check, adapter.tables, lambda a=adapter: a.describe(GONE)):
            with pytest.raises(SourceUnavailable):
                call()
        assert time.monotonic() - started < 3 * SECONDS, "it takes too long to give up"
        adapter.close()


def failures(adapter: Adapter, loaded: Loaded) -> list[AdapterError]:
    """Errors of every kind that can be provoked from here."""
    cancelled = Cancellation()
    cancelled.cancel("enough")
    query = Query(GONE, (loaded.fields["id"],))
    found: list[AdapterError] = []
    for call in (
        lambda: adapter.describe(GONE),
        lambda: list(adapter.rows(query, Cancellation())),
        lambda: list(adapter.rows(loaded.query(["id"]), cancelled)),
    ):
        try:
            call()
        except AdapterError as error:
            found.append(error)
    return found


def test_errors_are_ours_and_hold_no_secret(loaded: Loaded, secrets: list[str]) -> None:
    found = failures(loaded.adapter, loaded)
    assert len(found) == 3, "a failure was not reported"
    kinds = {error for error in vars(errors).values() if isinstance(error, type)}
    for error in found:
        assert type(error) in kinds, f"raise the classes of adapters.errors, not {error!r}"
        for secret in secrets:
            assert secret not in f"{error} {error!r}", "an error shows the secret of the url"
    for secret in secrets:
        assert secret not in repr(loaded.adapter), "repr(adapter) shows the secret of the url"
