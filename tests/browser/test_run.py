"""`make run`: a portal that sets its own scene and prints where to look, if its ports are free."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import CLIENT_ID, TOKEN, Stage, portal_process, wait_for_line
from tests.server import free_port


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


def _ended(*command: str) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, timeout=30, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("variable", ["PORT", "PORTAL_PORT"])
def test_a_taken_port_is_named_with_its_variable(variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"PORT": free_port(), "PORTAL_PORT": free_port()}
        ports[variable] = other.getsockname()[1]
        given = [f"{name}={port}" for name, port in ports.items()]
        code, said, complaint = _ended("app.ports", "127.0.0.1", *given)
    assert (code, said) == (1, "")
    assert complaint == f"Port {ports[variable]} is taken: give another one as {variable}.\n"


def test_free_ports_pass_and_two_equal_ones_do_not() -> None:
    port = free_port()
    assert _ended("app.ports", "127.0.0.1", f"PORT={port}") == (0, "", "")
    code, _, complaint = _ended("app.ports", "127.0.0.1", f"PORT={port}", f"PORTAL_PORT={port}")
    assert code == 1
    assert complaint.endswith("give another one as PORTAL_PORT.\n")
