"""Slows down whoever tries one token or password after the other.

Different wrong ones count, by client address and by what they begin with: a connection whose token
was replaced and that goes on asking with the old one is one guess, and shuts nobody out. Forged
installations count one by one. All of it is in the memory of one process.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.errors import ApiError
from app.ops.metrics import GUESSES

WRONG = frozenset({"CANNOT_CONNECT", "FORGED_REQUEST", "INVALID_TOKEN"})

_REMEMBERED = 10_000
# Seconds by which a clock is set back, rather than slowed down.
_STEP = 1.0


class Guesses:
    """The wrong credentials of the last minute."""

    def __init__(self, per_minute: int) -> None:
        """``per_minute`` is how many an address may send, and how many may begin alike."""
        self._most = RateLimitItemPerMinute(per_minute)
        self._once = RateLimitItemPerMinute(1)
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()
        self._memory: MemoryStorage | None = None
        self._ahead = 0.0  # how far the machine's clock is before the one that nobody sets

    @contextmanager
    def attempt(
        self, client: str, prefix: str, credentials: str, *, each: bool = False
    ) -> Iterator[None]:
        """Whether ``credentials`` are right is found out inside the block.

        With ``each`` the same wrong ones count again: finding out costs somebody else something.

        Raises ApiError TOO_MANY_GUESSES instead of entering it if too many were wrong: from
        ``client``, or from anywhere with this ``prefix``, the latter only if these credentials
        have not been right from there before.
        """
        whole = self._digest(client, credentials)
        keys = [("client", client)]
        known = whole in self._right
        if not known:
            keys.append(("prefix", self._digest(prefix)))
        # Counted before the outcome is known, and in one go, or many at once would count too late.
        with self._lock:
            for key in keys:
                if not self._limiter.test(self._most, *key):
                    raise self._refusal(self._most, key)
            counted = not known and (each or self._limiter.hit(self._once, "same", whole))
            for key in keys if counted else ():
                self._limiter.hit(self._most, *key)
        try:
            yield
        except ApiError as error:
            if error.code not in WRONG:
                self._take_back(keys if counted else [], whole)
            elif counted:
                GUESSES.inc()
            elif known:
                with self._lock:
                    self._right.pop(whole, None)
            raise
        except BaseException:
            self._take_back(keys if counted else [], whole)
            raise
        self._take_back(keys if counted else [], whole)
        self._remember(whole)

    def _take_back(self, keys: list[tuple[str, str]], whole: str) -> None:
        with self._lock:
            for key in keys:
                name = self._most.key_for(*key)
                if self._storage.get(name):  # or it would remain, and nothing would ever end it
                    self._storage.decr(name)
            if keys:
                self._storage.clear(self._once.key_for("same", whole))

    def _remember(self, whole: str) -> None:
        with self._lock:
            self._right[whole] = None
            self._right.move_to_end(whole)
            while len(self._right) > _REMEMBERED:
                self._right.popitem(last=False)

    def _refusal(self, item: RateLimitItem, key: tuple[str, str]) -> ApiError:
        reset = self._limiter.get_window_stats(item, *key).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        return ApiError(
            "TOO_MANY_GUESSES",
            f"Too many wrong tokens, passwords or installations were sent; try again in {seconds} "
            "seconds.",
            retry_after=seconds,
        )

    def _digest(self, *texts: str) -> str:
        joined = "\0".join(texts).encode(errors="surrogatepass")
        return hashlib.blake2b(joined, key=self._key).hexdigest()

    @property
    def _storage(self) -> MemoryStorage:
        ahead = time.time() - time.monotonic()
        with self._lock:
            # Made late, for it starts a thread, which would not survive a fork; and made anew when
            # the machine's clock, by which it forgets, is set back: it would forget too late.
            if self._memory is None or ahead < self._ahead - _STEP:
                self._memory = MemoryStorage()
            self._ahead = ahead
            return self._memory

    @property
    def _limiter(self) -> FixedWindowRateLimiter:
        return FixedWindowRateLimiter(self._storage)
