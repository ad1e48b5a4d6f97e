"""The application's own page inside the portal: what it says when all is well and when not."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.portal.texts import texts
from emulator.pages.i18n import words
from tests.browser.stage import CLIENT_ID, CLIENT_SECRET, Console, Portal, Stage
from tests.server import free_port

PAGE = f"/applications/{CLIENT_ID}"


@pytest.fixture
def kind() -> str:
    """The journey covers both kinds of portal; here the page matters."""
    return "new"


def _outcome(page: Page, mood: str, text: str) -> None:
    expect(page.locator("#outcome")).to_have_class(re.compile(rf"\b{mood}\b"))
    expect(page.locator("#outcome")).to_have_text(text)


def test_a_refused_registration_is_told_and_can_be_tried_again(
    page: Page, portal: Portal, console: Console, language: str
) -> None:
    said, ours = words(language), texts(language)
    inside = page.frame_locator("iframe")
    refusal = {"status": 403, "error": "insufficient_scope", "description": "No scope"}
    portal.control("faults", path="biconnector.connector.add", times=0, **refusal)
    page.goto(portal.url + PAGE)
    _outcome(page, "bad", said["install_failed"])
    expect(inside.get_by_role("heading", name=ours.failed)).to_be_visible()
    expect(inside.get_by_role("alert")).to_contain_text("insufficient_scope")
    expect(inside.get_by_text(ours.retry)).to_be_visible()
    expect(inside.locator("code")).not_to_be_empty()
    assert portal.state()["connectors"] == []
    console.take("502")

    portal.ask("DELETE", "/emulator/faults")
    page.reload()
    _outcome(page, "good", said["install_done"])
    expect(inside.get_by_text(ours.actions["added"])).to_be_visible()
    page.reload()
    _outcome(page, "good", said["install_done"])
    expect(inside.get_by_text(ours.actions["unchanged"])).to_be_visible()
    assert len(portal.state()["connectors"]) == 1


def test_an_application_that_nobody_serves_is_told(page: Page, new_portal: Portal) -> None:
    address = f"http://127.0.0.1:{free_port()}/install"
    known = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    new_portal.control("applications", install_url=address, **known)
    page.goto(new_portal.url + PAGE)
    _outcome(page, "bad", words("en")["install_failed"])


def test_the_page_explains_itself_outside_of_a_portal(
    page: Page, stage: Stage, language: str
) -> None:
    ours = texts(language)
    page.goto(f"{stage.connector}/install?LANG={language}")
    expect(page.get_by_role("heading", name=ours.elsewhere)).to_be_visible()
    expect(page.get_by_text(ours.elsewhere_lead)).to_be_visible()
