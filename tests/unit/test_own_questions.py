"""What an adapter asks its server for itself, it asks for no other source."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from adapters.base import Cancellation, Options
from adapters.errors import SourceUnavailable
from adapters.registry import open_adapter
from adapters.sql.adapter import SqlAdapter


def fold(adapter: SqlAdapter) -> None:
    """As the first filter on a text does."""
    with pytest.raises(SourceUnavailable):
        adapter.text_rules().folded(sa.column("city"))


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_hangs_keeps_no_other_source(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, let_go = threading.Event(), threading.Event()

    @contextmanager
    def hanging(_: Cancellation) -> Iterator[sa.Connection]:
        asked.set()
        let_go.wait()
        raise SourceUnavailable("it hung")
        yield

    # Nobody listens at port 1.
    first, second = (open_adapter(f"{scheme}://x:y@127.0.0.1:1/x", Options()) for _ in range(2))
    assert isinstance(first, SqlAdapter)
    assert isinstance(second, SqlAdapter)
    monkeypatch.setattr(first, "session", hanging)
    threads = [threading.Thread(target=fold, args=[adapter]) for adapter in (first, second)]
    threads[0].start()
    assert asked.wait(10)
    threads[1].start()
    threads[1].join(10)
    waited = threads[1].is_alive()
    let_go.set()
    for thread in threads:
        thread.join(10)
    assert not waited
