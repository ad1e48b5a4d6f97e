"""The whole journey's stage: a database, the connector, two portals and a browser, all real.

The connector is a gunicorn, the portals are processes of the emulator, the browser is the
machine's own Chromium. They meet over HTTP on loopback and nowhere else.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.server import Server, eventually, free_port, start

CLIENT_ID = "local.stage"
CLIENT_SECRET = "secret-of-the-stage-application"
TOKEN = "token-of-the-flights"
KEY = "a-key-for-the-stage-that-is-long-enough"
CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ")
ORIGINS = ("JFK", "EWR", "LGA")
ROWS = 3_000

_CONFIG = """
[connectors.company]
title = "Company databases"
description = "Flights and whatever else the company knows"

[sources.flights]
url = "sqlite:///{database}"
tokens = ["{token}"]

[sources.flights.queries.by_month]
title = "Рейсы по месяцам"
sql = "SELECT date(time_hour, 'start of month') AS month, count(*) AS n FROM flights GROUP BY 1"

[portal]
client_id = "{client_id}"
client_secret = "{client_secret}"
domains = {portals}
oauth_servers = {portals}
database_url = "sqlite:///{directory}/portal.db"
"""

_FLAGS = (
    "--disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium; without one a loud skip, and a failure under CI."""
    path = shutil.which("chromium")
    if path is None:
        message = "chromium is not on this machine: THE PAGES ARE NOT TESTED IN A BROWSER"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    flags = [*_FLAGS.split(), *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Console:
    """What pages complained about; a test takes out what it has provoked."""

    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def take(self, part: str) -> None:
        """Forgive the complaints that hold this text; there has to be one."""
        kept = [text for text in self.complaints if part not in text]
        assert len(kept) < len(self.complaints), (part, self.complaints)
        self.complaints[:] = kept


@dataclass(frozen=True)
class Portal:
    """An emulated portal, as its administrator reaches it."""

    url: str
    process: subprocess.Popen[str]

    def ask(self, method: str, path: str, value: Any = None) -> Any:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        with closing(connection):
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(value or {}), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        assert answer.status == 200, text
        return json.loads(text)

    def control(self, path: str, /, **values: Any) -> Any:
        return self.ask("POST", f"/emulator/{path}", values)

    def state(self) -> Any:
        return self.ask("GET", "/emulator/state")

    def renew(self, language: str, connector: str) -> None:
        """Forget everything, speak ``language``, and know our application, not yet installed."""
        self.control("reset")
        self.control("settings", language=language, site_format=language)
        self.control(
            "applications",
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            title="B24 Connector",
            install_url=f"{connector}/install",
            event_url=f"{connector}/events",
        )

    def install(self) -> None:
        self.control(f"applications/{CLIENT_ID}/install")


@dataclass(frozen=True)
class Stage:
    """Everything that runs while the pages are tested."""

    database: Path
    connector: str
    portals: dict[str, Portal]
    spare_port: int
    """A port on which the connector would accept one more portal."""

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database itself says."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql, values).fetchall()


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Build the database, start everything, and stop what was started."""
    database = directory / "flights.db"
    _build(database)
    ports = {name: free_port() for name in ("old", "new", "spare")}
    with ExitStack() as running:
        portals = {
            kind: running.enter_context(portal_process("--portal", kind, port=ports[kind]))
            for kind in ("old", "new")
        }
        addresses = [f"http://127.0.0.1:{port}" for port in ports.values()]
        config = _CONFIG.format(
            database=database,
            token=TOKEN,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            portals=json.dumps(addresses),
            directory=directory,
        )
        connector = running.enter_context(_connector(directory, config))
        for portal in portals.values():
            wait_for_line(portal.process, "Portal: ")
        yield Stage(database, connector, portals, ports["spare"])


@contextmanager
def portal_process(*arguments: str, port: int) -> Iterator[Portal]:
    """The emulator's own command, which may still be starting."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", "--port", str(port), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"EMULATOR_CLIENT_SECRET": CLIENT_SECRET},
    )
    with process:
        try:
            yield Portal(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()


def wait_for_line(process: subprocess.Popen[str], start_of_line: str) -> str:
    """Read what a process prints until a line begins like this; return the rest of that line."""
    seen = []
    for line in process.stdout or ():
        if line.startswith(start_of_line):
            return line.removeprefix(start_of_line).strip()
        seen.append(line)
    pytest.fail(f"the process ended without {start_of_line!r}: {seen}")


@contextmanager
def _connector(directory: Path, config: str) -> Iterator[str]:
    """The connector, which has to know its own address before it starts."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        "CONNECTOR_SERVER__PUBLIC_URL": address,
        "CONNECTOR_SECRET_KEY": KEY,
        "WEB_CONCURRENCY": "1",
    }
    process, log = start(directory, config, port, **environment)
    server = Server(port, process, log)
    try:
        eventually(lambda: _healthy(server), 30)
        yield address
    finally:
        process.terminate()
        process.wait(40)


def _healthy(server: Server) -> bool:
    assert server.process.poll() is None, server.lines()
    try:
        return server.request("GET", "/healthz").status == 200
    except OSError:
        return False


def _build(path: Path) -> None:
    """A year of flights, the same in every run, and a table that nobody named for a computer."""
    made = random.Random(2013)
    new_year = datetime(2013, 1, 1)
    rows = []
    for number in range(ROWS):
        hour = new_year + timedelta(hours=made.randrange(365 * 24))
        delay = None if made.random() < 0.05 else made.randrange(-10, 120)
        carrier = made.choices(CARRIERS, (30, 25, 20, 12, 8, 5))[0]
        origin = made.choice(ORIGINS)
        rows.append((number, str(hour), carrier, f"N{number:05}", origin, delay, number % 2500))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE flights (flight INTEGER, time_hour DATETIME, carrier TEXT, tailnum TEXT,"
            " origin TEXT, dep_delay INTEGER, distance INTEGER)"
        )
        connection.executemany("INSERT INTO flights VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute('CREATE TABLE "Авиакомпании" ("Код" TEXT, "Название компании" TEXT)')
        connection.execute("""INSERT INTO "Авиакомпании" VALUES ('UA', 'Юнайтед')""")
        connection.commit()
