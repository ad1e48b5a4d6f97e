"""The fixtures of the emulator's tests; a test module names this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import emulator
from tests.portal.emulator_kit import (
    EmulatedPortal,
    PlayedConnector,
    emulated_portal,
    played_connector,
)


@pytest.fixture
def played() -> Iterator[PlayedConnector]:
    with played_connector() as connector:
        yield connector


@pytest.fixture
def portal() -> Iterator[EmulatedPortal]:
    """Run a new portal."""
    limits = emulator.Limits(connect=5, silence=0.4)
    with emulated_portal(emulator.Options(limits=limits)) as running:
        yield running


@pytest.fixture
def old_portal() -> Iterator[EmulatedPortal]:
    """Run an old portal."""
    with emulated_portal(emulator.Options(portal="old")) as running:
        yield running
