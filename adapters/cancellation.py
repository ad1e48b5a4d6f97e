"""How a query is ended from another thread than the one that it runs in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from adapters.errors import QueryCancelled

# Seconds after each attempt to end a query.
_PATIENCE = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


class Cancellation:
    """A switch by which another thread ends a running query.

    The adapter says how for as long as the query runs; whoever throws the switch says why.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._action: Callable[[], object] | None = None
        self._last_resort: Callable[[], object] | None = None
        self.reason: str | None = None
        self.begun = False
        """Whether there was ever anything to end."""

    @contextmanager
    def by(
        self, action: Callable[[], object], last_resort: Callable[[], object] | None = None
    ) -> Iterator[None]:
        """Run the block with ``action`` as the way to end it.

        ``last_resort`` is for a database that cannot be reached, or takes no notice. Raises
        :class:`~adapters.errors.QueryCancelled` if it is already too late.
        """
        with self._changed:
            if self.reason is not None:
                raise QueryCancelled(self.reason)
            self._action, self._last_resort = action, last_resort
            self.begun = True
        try:
            yield
        finally:
            with self._changed:
                self._action = None
                self._changed.notify_all()

    def cancel(self, reason: str) -> None:
        """End the query, now or as soon as it starts; later calls change nothing.

        Returns when the query has ended, or has taken no notice for several seconds: an action
        that comes just before the database begins to work is lost, so it is repeated.
        """
        with self._changed:
            if self.reason is not None:
                return
            self.reason = reason
            for patience in _PATIENCE:
                if self._action is None:
                    return
                try:
                    self._action()
                except Exception:
                    if self._last_resort is not None:
                        break
                self._changed.wait_for(lambda: self._action is None, patience)
            if self._action is not None and self._last_resort is not None:
                with suppress(Exception):
                    self._last_resort()
                self._changed.wait_for(lambda: self._action is None, _PATIENCE[-1])
