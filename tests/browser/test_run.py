"""The command of `make run`: a portal that sets its own scene and prints where to look."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.stage import CLIENT_ID, TOKEN, Stage, portal_process, wait_for_line


def test_the_printed_address_shows_a_report_over_the_installed_connector(
    page: Page, stage: Stage, tmp_path: Path
) -> None:
    scene = [
        f"--application-url={stage.connector}",
        f"--client-id={CLIENT_ID}",
        "--connection-title=Flights from New York",
        "--table=flights",
        f"--setting=token={TOKEN}",
        f"--state={tmp_path / 'portal.json'}",
    ]
    for _ in ("made", "found again after a restart"):
        with portal_process(*scene, port=stage.spare_port) as portal:
            report = wait_for_line(portal.process, "Report: ")
            page.goto(portal.url)
            expect(page.locator(".tile")).to_have_count(1)
            expect(page.get_by_text("Flights from New York", exact=True)).to_have_count(1)
            expect(page.get_by_role("link", name="Report")).to_have_count(1)
            page.goto(report)
            expect(page.locator("#numbers tbody tr")).to_have_count(12)
            cells = page.locator("#numbers tbody td:last-child").all_text_contents()
    months = stage.query(
        "SELECT count(*) FROM flights GROUP BY strftime('%m', time_hour) ORDER BY 1"
    )
    assert sorted(int(re.sub(r"\D", "", cell)) for cell in cells) == [n for (n,) in months]
