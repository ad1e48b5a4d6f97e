"""What holds for every page: words, room, keyboard, and what is said when something is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from emulator.pages.i18n import words
from tests.browser.stage import CLIENT_ID, ROWS, TOKEN, Console, Portal

REPORT = "/datasets/1/report?dimension=TIME_HOUR&grain=month&breakdown=CARRIER&function=count"
PAGES = {
    "/": ".tile",
    "/connectors/1/connect": "#check",
    "/connections/1/tables": "#tables li",
    "/connections/1/dataset?table=flights&title=flights": "#preview td",
    "/datasets/1": "#preview td",
    REPORT: "#numbers td",
    f"/applications/{CLIENT_ID}": "#outcome.good",
}
LONG = "Подключение отдела продаж Северо-Западного округа " + "без_единого_пробела_" * 6
TEXTS = """() => {
    const said = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const owner = walk.currentNode.parentElement;
        if (owner.closest("script, .x-name, .x-body, template")) continue;
        if (!owner.checkVisibility()) continue;
        said.push(walk.currentNode.textContent.trim());
    }
    for (const element of document.querySelectorAll("[aria-label], [placeholder]")) {
        said.push(element.getAttribute("aria-label") ?? element.getAttribute("placeholder"));
    }
    return said.filter(Boolean);
}"""
TOO_WIDE = """() => [...document.querySelectorAll("main *, header *, aside *")].filter(one => {
    const box = one.getBoundingClientRect();
    const room = one.closest("main, header, aside").getBoundingClientRect();
    return box.width && !one.closest(".scroll, svg, .sr, pre") && box.right > room.right + 1;
}).map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def furnished(new_portal: Portal) -> Portal:
    """A portal with a connection and a dataset on the flights."""
    source = {"connectorId": 1, "title": "Flights", "settings": {"token": TOKEN}}
    assert new_portal.ask("POST", "/workspace/sources", source) == {"id": 1}
    path = "/workspace/sources/1/description?table=flights"
    columns = new_portal.ask("GET", path)["columns"]
    dataset = {"externalCode": "flights", "externalName": "flights", "name": "flights"}
    new_portal.ask("POST", "/workspace/datasets", dataset | {"sourceId": 1, "fields": columns})
    return new_portal


def _open(page: Page, portal: Portal, path: str, language: str) -> None:
    page.goto(f"{portal.url}{path}{'&' if '?' in path else '?'}lang={language}")
    expect(page.locator(PAGES[path]).first).to_be_visible()


def test_every_page_speaks_one_language_and_fits_its_room(page: Page, furnished: Portal) -> None:
    english, russian = words("en"), words("ru")
    foreign = {
        "en": {russian[key] for key in russian} - set(english.values()),
        "ru": {english[key] for key in english} - set(russian.values()),
    }
    source = {"connectorId": 1, "title": LONG, "settings": {"token": TOKEN}}
    furnished.ask("POST", "/workspace/sources", source)
    for language, width, height in (("en", 1440, 900), ("ru", 1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        for path in PAGES:
            _open(page, furnished, path, language)
            said = page.evaluate(TEXTS)
            assert sorted(foreign[language] & set(said)) == [], (path, language)
            assert not [text for text in said if "undefined" in text or "NaN" in text], path
            assert page.locator("html").get_attribute("lang") == language
            assert page.evaluate(TOO_WIDE) == [], (path, width)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_page_is_wider_than_a_phone(page: Page, furnished: Portal, language: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        _open(page, furnished, path, language)
        if path == REPORT:
            page.locator("#add-filter").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
        assert page.evaluate("document.querySelector('.split').scrollWidth") == 390, path
        assert page.evaluate(TOO_WIDE) == [], path
        if path == REPORT:
            _fields_have_room(page)


def _fields_have_room(page: Page) -> None:
    """A whole date can be read, and what is typed into a filter can be seen."""
    for field, least in (("[name=from]", 125), ("[name=to]", 125), ("[data-part=values]", 200)):
        box = page.locator(field).bounding_box()
        assert box is not None
        assert box["width"] >= least, field


def test_the_first_screen_of_a_report_has_its_chart_and_numbers(
    page: Page, furnished: Portal
) -> None:
    for width, height in ((1440, 900), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        _open(page, furnished, REPORT, "ru")
        chart, numbers = page.locator("#chart").bounding_box(), page.locator("#numbers td").first
        assert chart is not None
        assert chart["y"] + chart["height"] < height
        expect(numbers).to_be_in_viewport()


def test_the_total_of_a_report_is_never_cut_off(page: Page, furnished: Portal) -> None:
    hidden = page.locator("#numbers.hides")
    for width in (390, 768, 1024, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        _open(page, furnished, REPORT, "ru")
        total = page.locator("#numbers td.total").first.bounding_box()
        room = page.locator("#numbers").bounding_box()
        assert total is not None
        assert room is not None
        assert total["x"] + total["width"] <= room["x"] + room["width"], width
        expect(hidden).to_have_count(1 if width == 390 else 0)
    page.set_viewport_size({"width": 390, "height": 900})
    expect(hidden).to_have_count(1)
    page.locator("#numbers").evaluate("one => { one.scrollLeft = one.scrollWidth; }")
    expect(hidden).to_have_count(0)


def _tab_to(page: Page, reached: str) -> None:
    """Press Tab until what has the focus matches."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", reached):
            return
    pytest.fail(f"the keyboard does not reach {reached}")


def _enter(page: Page, shown: str) -> None:
    """Press Enter and wait for what it brings."""
    page.keyboard.press("Enter")
    expect(page.locator(shown).first).to_be_visible()


def test_the_journey_needs_no_mouse(page: Page, new_portal: Portal) -> None:
    page.goto(new_portal.url)
    _tab_to(page, "a.tile")
    _enter(page, "#connection")
    _tab_to(page, "[name='setting:token']")
    page.keyboard.type(TOKEN)
    _tab_to(page, "#check")
    _enter(page, "#outcome.good")
    expect(page.locator("#check")).to_be_focused()
    _tab_to(page, "button.strong")
    _enter(page, "#tables li")
    page.keyboard.type("flights")
    expect(page.locator("#tables li")).to_have_count(1)
    _tab_to(page, "#tables a")
    _enter(page, "#fields tbody tr")
    _tab_to(page, "#fields input[type=checkbox]")
    page.keyboard.press("Space")
    expect(page.locator("#fields tbody input").first).not_to_be_checked()
    _tab_to(page, "#dataset button.strong")
    _enter(page, "#numbers td")
    _tab_to(page, "#add-filter")
    _enter(page, ".filter")
    page.keyboard.type("UA")
    _tab_to(page, "#report button.strong")
    _enter(page, ".x[open] pre:has-text('[=CARRIER][0] = UA')")
    expect(page.locator("#outcome.good")).to_be_visible()


def test_another_language_asks_the_same_question(page: Page, furnished: Portal) -> None:
    _open(page, furnished, REPORT, "en")
    page.locator("[name=breakdown]").select_option("ORIGIN")
    page.locator("[name=grain]").select_option("")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("columnheader", name="JFK")).to_be_visible()
    page.get_by_role("link", name="RU").click()
    expect(page.get_by_role("heading", name="Отчёт")).to_be_visible()
    expect(page.get_by_role("columnheader", name="JFK")).to_be_visible()
    assert page.locator("[name=breakdown]").input_value() == "ORIGIN"
    assert page.locator("[name=grain]").input_value() == ""
    # 400 groups of many more: what is missing is said.
    groups = page.locator("#numbers tbody tr")
    expect(groups).to_have_count(400)
    cut = page.locator("#cut")
    expect(cut).to_have_text(re.compile(r"^Показано групп: 400 / "))
    (_, all_groups) = re.findall(r"\d+", re.sub(r"(?<=\d)\s(?=\d)", "", cut.inner_text()))
    assert 400 < int(all_groups) <= ROWS


def test_a_refused_question_leaves_no_old_answer_on_the_page(
    page: Page, furnished: Portal, console: Console
) -> None:
    _open(page, furnished, REPORT, "en")
    page.locator("#add-filter").click()
    page.get_by_label("Field").select_option("DISTANCE")
    page.get_by_label("values, separated by commas").fill("far")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#outcome.bad")).to_contain_text("Connection unavailable")
    expect(page.locator("#result")).to_be_hidden()
    # The connector's own words stand in the wire log.
    expect(page.locator(".x[open] pre").last).to_contain_text("INVALID_VALUE")
    console.take("502")
    page.get_by_label("values, separated by commas").fill("-1")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("No rows match.")).to_be_visible()


def test_refusals_are_told_in_the_readers_language(
    page: Page, furnished: Portal, console: Console
) -> None:
    said: Mapping[str, str] = words("ru")
    page.goto(f"{furnished.url}/connections/1/dataset?table=flights&title=flights&lang=ru")
    expect(page.locator("#fields tbody tr")).to_have_count(7)
    page.locator("[name=name]").fill("flights")
    page.locator("#dataset button.strong").click()
    expect(page.get_by_text(said["refused_NAME_EXISTS"])).to_be_visible()
    page.goto(furnished.url)
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_event("dialog", lambda dialog: dialog.type == "alert") as alert:
        page.locator("[data-remove='/workspace/sources/1']").click()
    assert alert.value.message == said["refused_BX_ERROR"]
    console.take("400")


def test_what_is_gone_is_told(page: Page, new_portal: Portal, console: Console) -> None:
    said: Mapping[str, str] = words("en")
    page.goto(f"{new_portal.url}/datasets/7/report")
    expect(page.get_by_role("heading", name=said["not_found"])).to_be_visible()
    page.get_by_role("main").get_by_role("link", name=said["workspace"]).click()
    expect(page.locator(".tile")).to_be_visible()
    console.take("404")
