"""One browser and one stage for all tests of the pages; a new window for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.stage import Console, Portal, Stage, chromium, stage


@pytest.fixture(scope="package", name="browser")
def _browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="package", name="stage")
def _stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """After the browser: without one, nothing needs to be started."""
    with stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.fixture(params=["en", "ru"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["new", "old"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def console() -> Iterator[Console]:
    """No page may complain about anything that its test has not provoked."""
    heard = Console()
    yield heard
    assert heard.complaints == []


@pytest.fixture
def page(browser: Browser, console: Console) -> Iterator[Page]:
    """A window as wide as a projector's."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-US", reduced_motion="reduce"
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(10_000)
    opened = context.new_page()
    console.watch(opened)
    yield opened
    context.close()


@pytest.fixture
def portal(stage: Stage, kind: str, language: str) -> Portal:
    """An empty portal of each kind in each language, which knows our application."""
    chosen = stage.portals[kind]
    chosen.renew(language, stage.connector)
    return chosen


@pytest.fixture
def new_portal(stage: Stage) -> Portal:
    """An empty new portal in English with the application installed."""
    chosen = stage.portals["new"]
    chosen.renew("en", stage.connector)
    chosen.install()
    return chosen
