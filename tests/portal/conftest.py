"""The fixtures of the tests of `app.portal`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal.kit import (
    RunningConnector,
    RunningPortal,
    running_connector,
    running_portal,
)


@pytest.fixture
def b24() -> Iterator[RunningPortal]:
    """A new portal with our application declared and nothing installed."""
    with running_portal() as portal:
        yield portal


@pytest.fixture
def old_b24() -> Iterator[RunningPortal]:
    """A portal from before `supportMapping` and `table.*`."""
    with running_portal(portal="old") as portal:
        yield portal


@pytest.fixture
def connector(b24: RunningPortal, tmp_path: Path) -> Iterator[RunningConnector]:
    """Our service, configured for the new portal."""
    with running_connector(tmp_path, b24.url) as running:
        yield running
