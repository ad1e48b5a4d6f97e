"""Open logins are few, short-lived, and each for one login only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.direct import Login
from app.direct.pools import Pools
from app.sources import Source
from tests.server import eventually

LOGIN = Login("db", "10.0.0.1", 5432, "shop", "reader", "plant-password")
POOLS = Pools()


class Fake:
    """A source whose adapter says whether it was closed."""

    def __init__(self) -> None:
        self.adapter: Any = self
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def keep(pools: Pools, name: str) -> Fake:
    source = Fake()
    pools.keep(name.encode(), cast(Source, source))
    return source


def test_the_least_recently_used_login_goes_first() -> None:
    pools = Pools(most=2)
    first, second = keep(pools, "first"), keep(pools, "second")
    lease = pools.lease(b"first")
    assert lease
    third = keep(pools, "third")
    assert (first.closed, second.closed, third.closed) == (0, 1, 0)
    assert pools.lease(b"second") is None


def test_what_is_in_use_is_closed_after_its_last_user() -> None:
    pools = Pools(most=1)
    first = keep(pools, "first")
    leases = [pools.lease(b"first"), pools.lease(b"first")]
    keep(pools, "second")
    for lease in leases:
        assert lease
        assert not first.closed
        pools.give_back(lease)
    assert first.closed == 1
    assert pools.lease(b"first") is None


def test_a_login_that_nobody_uses_is_closed() -> None:
    pools = Pools(idle=0.1)
    used, idle = keep(pools, "used"), keep(pools, "idle")
    lease = pools.lease(b"used")
    assert lease
    eventually(lambda: idle.closed)
    assert not used.closed
    pools.give_back(lease)
    eventually(lambda: used.closed == 1)
    later = keep(pools, "later")
    eventually(lambda: later.closed)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"address": "10.0.0.2"},
        {"port": 5433},
        {"database": "shop2"},
        {"username": "reade", "password": "rplant-password"},
        {"username": "readerplant-", "password": "password"},
        {"password": "plant-passwor"},
        {"password": "Plant-password"},
        {"password": ""},
    ],
    ids=str,
)
def test_every_part_of_a_login_counts(change: dict[str, Any]) -> None:
    assert POOLS.digest("c", LOGIN) == POOLS.digest("c", replace(LOGIN))
    assert POOLS.digest("c", LOGIN) != POOLS.digest("c", replace(LOGIN, **change))
    assert POOLS.digest("c", LOGIN) != POOLS.digest("d", LOGIN)


texts = st.text(alphabet="ab:1", max_size=4)


@given(st.tuples(texts, texts, texts), st.tuples(texts, texts, texts))
def test_no_two_logins_have_one_digest(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    digests = {
        POOLS.digest("c", replace(LOGIN, database=d, username=u, password=p))
        for d, u, p in (one, other)
    }
    assert len(digests) == (1 if one == other else 2)


def test_logins_are_not_shown_and_digests_differ_between_processes() -> None:
    assert "plant" not in f"{LOGIN!r}{LOGIN}"
    pools = Pools()
    keep(pools, "plant")
    assert "plant" not in f"{pools!r}{pools}"
    assert pools.digest("c", LOGIN) != POOLS.digest("c", LOGIN)
