"""From an empty portal to a report whose numbers the database confirms, in a real browser."""

from __future__ import annotations

import http.client
import re
import subprocess
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from app.portal.texts import texts
from emulator.pages.i18n import words
from tests.browser.stage import TOKEN, Console, Portal, Stage

MONTHS = {"en": ("Feb", "Mar", "Apr"), "ru": ("фев", "мар", "апр")}


@pytest.fixture
def said(language: str) -> Mapping[str, str]:
    """What the portal's pages say."""
    return words(language)


class Names:
    """What the fields of the dataset are called in reports."""

    def __init__(self, kind: str) -> None:
        renamed = kind == "new"
        self.time = "DEPARTURE" if renamed else "TIME_HOUR"
        self.carrier = "AIRLINE" if renamed else "CARRIER"


def test_from_an_empty_portal_to_a_report_that_the_database_confirms(
    page: Page,
    portal: Portal,
    stage: Stage,
    console: Console,
    kind: str,
    language: str,
    said: Mapping[str, str],
) -> None:
    names = Names(kind)
    _install(page, portal, language, said)
    _connect(page, portal, console, said)
    _choose_table(page, said)
    _make_dataset(page, stage, kind, names, said)
    _report(page, stage, language, names, said)
    _read_the_wire(page, portal, stage, kind, language, said)


def _outcome(page: Page, mood: str, text: str) -> None:
    expect(page.locator("#outcome")).to_have_class(re.compile(rf"\b{mood}\b"))
    expect(page.locator("#outcome")).to_have_text(text)


def _install(page: Page, portal: Portal, language: str, said: Mapping[str, str]) -> None:
    """The administrator opens the application, and its page does the rest."""
    page.goto(portal.url)
    expect(page.get_by_text(said["connectors_none"])).to_be_visible()
    expect(page.get_by_text(said["not_installed"])).to_be_visible()
    page.get_by_role("link", name=said["open"], exact=True).click()
    _outcome(page, "good", said["install_done"])
    ours, inside = texts(language), page.frame_locator("iframe")
    expect(inside.get_by_role("heading", name=ours.done)).to_be_visible()
    expect(inside.get_by_text("Company databases")).to_be_visible()
    for step in ours.steps:
        expect(inside.get_by_text(step)).to_be_visible()
    page.get_by_role("link", name=said["applications"]).click()
    expect(page.get_by_text(said["installed"], exact=True)).to_be_visible()


def _connect(page: Page, portal: Portal, console: Console, said: Mapping[str, str]) -> None:
    page.locator(".tile", has_text="Company databases").click()
    expect(page.get_by_role("heading", name=said["new_connection"])).to_be_visible()
    page.get_by_label(said["connection_name"]).fill("Flights from New York")
    token = page.get_by_label("Token")
    expect(token).to_have_attribute("type", "password")
    token.fill("not-the-token")
    page.get_by_role("button", name=said["check"], exact=True).click()
    _outcome(page, "bad", f"{said['unavailable']}: {said['reason_status']}")
    console.take("502")
    page.get_by_role("button", name=said["save"]).click()
    _outcome(page, "bad", f"{said['unavailable']}: {said['reason_SOURCE_CREATE_CONNECTION_ERROR']}")
    console.take("400")
    assert portal.state()["sources"] == []
    token.fill(TOKEN)
    page.get_by_role("button", name=said["check"], exact=True).click()
    _outcome(page, "good", said["check_ok"])
    page.get_by_role("button", name=said["save"]).click()


def _choose_table(page: Page, said: Mapping[str, str]) -> None:
    """Search as one types, in any letter case and alphabet."""
    found = page.locator("#tables li")
    expect(found).to_have_count(3)
    search = page.get_by_placeholder(said["search"])
    expect(search).to_be_focused()
    for typed, title in (("рейс", "Рейсы по месяцам"), ("АВИА", "Авиакомпании")):
        search.fill("")
        search.press_sequentially(typed)
        expect(found.locator("strong")).to_have_text([title])
    search.fill("nothing like it")
    expect(page.get_by_text(said["tables_none"])).to_be_visible()
    search.fill("")
    search.press_sequentially("flig")
    expect(found).to_have_count(1)
    found.get_by_role("link").click()


def _make_dataset(
    page: Page, stage: Stage, kind: str, names: Names, said: Mapping[str, str]
) -> None:
    def name_of(code: str) -> Locator:
        return page.get_by_label(f"{said['field_name']} {code}", exact=True)

    _preview_is_the_beginning_of_the_table(page, stage)
    expect(page.get_by_label(said["dataset_name"])).to_have_value("flights")
    page.get_by_label(said["dataset_name"]).fill("new_york_flights")
    if kind == "new":
        name_of("TIME_HOUR").fill(names.time)
        name_of("CARRIER").fill(names.carrier)
    else:
        expect(page.get_by_text(said["rename_off"])).to_be_visible()
        expect(name_of("TIME_HOUR")).to_be_disabled()
        expect(name_of("TIME_HOUR")).to_have_value("TIME_HOUR")
    page.get_by_label(f"{said['field_show']} TAILNUM").uncheck()
    page.get_by_role("button", name=said["make_dataset"]).click()
    expect(page.get_by_role("heading", name=said["report"])).to_be_visible()
    # What is hidden cannot be asked for; on the page of the dataset it can be shown again.
    offered = _choice(page, said["group_by"]).locator("option").all_text_contents()
    assert names.time in offered
    assert "TAILNUM" not in offered
    page.get_by_role("link", name="new_york_flights").click()
    expect(page.get_by_label(f"{said['field_show']} TAILNUM")).not_to_be_checked()
    _preview_is_the_beginning_of_the_table(page, stage)
    page.get_by_role("link", name=said["build_report"]).click()


def _preview_is_the_beginning_of_the_table(page: Page, stage: Stage) -> None:
    expect(page.locator("#preview tbody tr")).to_have_count(20)
    shown = page.locator("#preview table").evaluate(
        "table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    rows = stage.query("SELECT * FROM flights LIMIT 20")
    assert shown[0] == "FLIGHT TIME_HOUR CARRIER TAILNUM ORIGIN DEP_DELAY DISTANCE".split()
    assert shown[1:] == [["null" if v is None else str(v) for v in row] for row in rows]


def _choice(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=name, exact=True)


def _report(page: Page, stage: Stage, language: str, names: Names, said: Mapping[str, str]) -> None:
    _choice(page, said["group_by"]).select_option(names.time)
    _choice(page, said["grain"]).select_option("month")
    _choice(page, said["breakdown"]).select_option(names.carrier)
    page.get_by_label(said["period_from"]).fill("2013-02-01")
    page.get_by_label(said["period_to"]).fill("2013-04-30")
    page.get_by_role("button", name=said["add_filter"]).click()
    _choice(page, said["filter_field"]).select_option("ORIGIN")
    page.get_by_label(said["values_hint"]).fill("JFK, EWR")
    page.get_by_role("button", name=said["run"], exact=True).click()
    expected = _direct(stage, "count(*)")
    _numbers_are(page, expected, language)
    _choice(page, said["measure"]).select_option("sum")
    _choice(page, said["of"]).select_option("DISTANCE")
    page.get_by_role("button", name=said["run"], exact=True).click()
    _numbers_are(page, _direct(stage, "sum(distance)"), language)
    expect(page.locator("#outcome")).to_have_class(re.compile(r"\bgood\b"))


def _direct(stage: Stage, measure: str) -> dict[tuple[int, str], int]:
    """The same question, asked of the database itself."""
    rows = stage.query(
        f"SELECT CAST(strftime('%m', time_hour) AS INTEGER), carrier, {measure} FROM flights"
        " WHERE origin IN ('JFK', 'EWR') AND time_hour >= '2013-02-01'"
        " AND time_hour < '2013-05-01' GROUP BY 1, 2"
    )
    return {(month, carrier): number for month, carrier, number in rows}


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _numbers_are(page: Page, expected: dict[tuple[int, str], int], language: str) -> None:
    """Table and chart, once the table shows the sum that is due."""
    total = sum(expected.values())
    cells = page.locator("#numbers tbody tr td:last-child")
    page.wait_for_function(
        """total => [...document.querySelectorAll("#numbers tbody td:last-child")]
            .map(cell => Number(cell.textContent.replace(/\\D/g, "")))
            .reduce((sum, one) => sum + one, 0) === total""",
        arg=total,
    )
    expect(cells).to_have_count(3)
    head, *rows = page.locator("#numbers table").evaluate(
        "table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    for month, (row, name) in enumerate(zip(rows, MONTHS[language], strict=True), start=2):
        assert row[0].startswith(name)
        shown = {
            carrier: _number(text) for carrier, text in zip(head[1:-1], row[1:-1], strict=True)
        }
        assert shown == {c: n for (m, c), n in expected.items() if m == month}
        assert _number(row[-1]) == sum(shown.values())
    bars = page.locator("#chart .bar").evaluate_all("bars => bars.map(bar => bar.dataset.tip)")
    assert sorted(_number(tip.rpartition(":")[2]) for tip in bars) == sorted(expected.values())


def _read_the_wire(
    page: Page,
    portal: Portal,
    stage: Stage,
    kind: str,
    language: str,
    said: Mapping[str, str],
) -> None:
    call = page.locator(".x[open]")
    expect(call.locator(".x-name")).to_have_text("data")
    sent = call.locator("pre").first
    expect(sent).to_contain_text("connection[token] = ***")
    day = {"en": "02/01/2013", "ru": "01.02.2013"}[language]
    expect(sent).to_contain_text(day)
    if kind == "new":
        expect(sent).to_contain_text("mapFields[TIME_HOUR] = DEPARTURE")
    else:
        expect(sent).not_to_contain_text("mapFields")
    expect(call.locator(".x-fill")).to_contain_text(f"{said['curl_fill']} TOKEN=")
    call.get_by_role("button", name=said["copy_curl"]).click()
    expect(call.get_by_role("button", name=said["copied"])).to_be_visible()
    status, answer = _as_typed(page.evaluate("navigator.clipboard.readText()"))
    assert status == 200
    (matching,) = stage.query(
        "SELECT count(*) FROM flights WHERE origin IN ('JFK', 'EWR')"
        " AND time_hour >= '2013-02-01' AND time_hour < '2013-05-01'"
    )[0]
    assert answer.count(b"2013-") == matching
    # Nowhere on the page, and nowhere in what the page could ask for.
    assert TOKEN not in page.content()
    assert TOKEN not in str(portal.ask("GET", "/emulator/wire"))
    _choice(page, said["wire_only"]).select_option("application")
    expect(page.locator(".x.application").first).to_be_visible()
    expect(page.locator(".x.portal").first).to_be_hidden()


def _as_typed(command: str) -> tuple[int, bytes]:
    """What a shell and curl would make of the command, with the token in its variable."""
    shown = subprocess.run(
        ["/bin/sh", "-c", "curl() { printf '%s\\0' \"$@\"; }\n" + command],
        env={"TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    arguments = shown.stdout.split("\0")[:-1]
    assert arguments[:3] == ["-i", "-X", "POST"]
    address, given = arguments[3], arguments[4:]
    pairs = list(zip(given[::2], given[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in pairs if option == "-H")
    assert {option for option, _ in pairs} == {"-H", "--data-raw", "--data-urlencode"}
    # The token needs no encoding.
    body = "&".join(value for option, value in pairs if option != "-H")
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request("POST", parts.path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
