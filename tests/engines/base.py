"""What every engine of the tests gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Engine:
    """A database for one test module, empty but for what the module puts in.

    ``url`` is what a connector's configuration says; ``execute`` runs statements as the owner, with
    ``placeholder`` where a value of ``rows`` stands. ``order_types`` says what the wire cases'
    ``string``, ``double`` and ``datetime`` are called.
    """

    name: str
    url: str
    execute: Callable[..., list[tuple[Any, ...]]]
    order_types: Mapping[str, str]
    placeholder: str = "%s"
