"""A source may name several hosts of one PostgreSQL, of which the first that answers serves."""

from __future__ import annotations

from contextlib import closing

import pytest
import sqlalchemy as sa

from adapters.base import Options
from adapters.errors import SourceUnavailable
from adapters.registry import open_adapter
from tests.server import free_port


@pytest.mark.parametrize("wanted", ["any", "prefer-standby"])
def test_a_host_that_is_away_is_passed_over(servers: dict[str, str], wanted: str) -> None:
    alive = sa.make_url(servers["postgresql"]).query["host"]
    away = f"127.0.0.1:{free_port()}"
    url = f"postgresql://postgres@/postgres?host={away}&host={alive}&target_session_attrs={wanted}"
    with closing(open_adapter(url, Options())) as adapter:
        adapter.check()


def test_no_host_is_there() -> None:
    hosts = "&".join(f"host=127.0.0.1:{free_port()}" for _ in range(2))
    with (
        closing(open_adapter(f"postgresql://postgres@/postgres?{hosts}", Options())) as adapter,
        pytest.raises(SourceUnavailable),
    ):
        adapter.check()
