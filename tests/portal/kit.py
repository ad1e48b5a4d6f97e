"""A real portal and a real connector on loopback, for the tests of `app.portal`."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.serving import make_server

import emulator
from app import create_app
from app.config import Config, load_config
from app.portal.oauth import Pair, expiry
from app.portal.origins import read_origin
from app.portal.rest import Client, Patience
from app.portal.sessions import GivenToken
from app.portal.store import Installation

CLIENT_ID = "local.company"
CLIENT_SECRET = "the-secret-of-the-application"
KEY = "a-key-that-is-long-enough-to-be-one"
SOURCE_TOKEN = "sesame-street-42"
# Nobody waits for luck: what a test delays is longer than this, what it does not is much shorter.
QUICK = Patience(connect=2, answer=5, checking=10, attempts=3, pause=0.01, longer=0.01)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def send(method: str, url: str, body: str = "", content_type: str = "") -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {"Content-Type": content_type} if content_type else {}
        connection.request(method, target, body.encode(), headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read().decode())
    finally:
        connection.close()


def post_form(url: str, values: dict[str, Any]) -> Answer:
    return send("POST", url, urlencode(values), "application/x-www-form-urlencoded")


@contextlib.contextmanager
def listening(application: Any) -> Iterator[str]:
    """Serve a WSGI application in a thread and give its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class RunningPortal:
    """An emulated portal and its controls."""

    url: str

    def control(self, path: str, /, **values: Any) -> Any:
        answer = send("POST", f"{self.url}/emulator/{path}", json.dumps(values), "application/json")
        assert answer.status == 200, answer.text
        return answer.json

    def declare(self, connector: str = "", **more: Any) -> dict[str, Any]:
        """Add our application as an administrator does; with a page if the connector has one."""
        urls = {"install_url": f"{connector}/install"} if connector else {}
        values = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **urls, **more}
        return dict(self.control("applications", **values))

    def tokens(self, **more: Any) -> dict[str, Any]:
        """A new pair, as an installation would bring it."""
        return dict(self.control("tokens", client_id=CLIENT_ID, **more))

    def install(self) -> Answer:
        url = f"{self.url}/emulator/applications/{CLIENT_ID}/install"
        return send("POST", url, "{}", "application/json")

    def fault(self, path: str, **more: Any) -> None:
        self.control("faults", path=path, **more)

    def heal(self) -> None:
        """Take all faults back."""
        assert send("DELETE", f"{self.url}/emulator/faults").status == 200

    @property
    def state(self) -> Any:
        return send("GET", f"{self.url}/emulator/state").json

    def calls(self, method: str = "") -> list[dict[str, Any]]:
        """The REST requests that the portal has got, masked."""
        wire = send("GET", f"{self.url}/emulator/wire").json
        ours = [item for item in wire if item["direction"] in ("application", "oauth")]
        return [item for item in ours if not method or item["action"] == method]

    def client(self, token: str = "", patience: Patience = QUICK) -> Client:
        """A client with a token typed in."""
        token = token or self.tokens()["access_token"]
        return Client(GivenToken(read_origin(self.url), token), patience)

    def installation(self, **changes: Any) -> Installation:
        """An installation as it would be stored."""
        told = self.declare()
        pair = self.tokens()
        values = {
            "member_id": told["member_id"],
            "origin": read_origin(self.url),
            "oauth_server": read_origin(self.url),
            "installed_at": 0,
            "application_token": told["application_token"],
            "pair": Pair(pair["access_token"], pair["refresh_token"], expiry(3600)),
        }
        return Installation(**(values | changes))

    def page(self, connector: str, language: str = "en", **changes: str) -> Answer:
        """Open the installation page as the portal does, with some values changed."""
        told, pair = self.declare(connector), self.tokens()
        query = {
            "DOMAIN": self.url.removeprefix("http://"),
            "PROTOCOL": "0",
            "LANG": language,
            "APP_SID": "0" * 32,
        }
        form = {
            "AUTH_ID": pair["access_token"],
            "AUTH_EXPIRES": "3600",
            "REFRESH_ID": pair["refresh_token"],
            "SERVER_ENDPOINT": f"{self.url}/rest/",
            "APPLICATION_TOKEN": told["application_token"],
            "member_id": told["member_id"],
            "status": "L",
            "PLACEMENT": "DEFAULT",
        }
        query |= {key: changes.pop(key) for key in list(changes) if key in query}
        return post_form(f"{connector}/install?{urlencode(query)}", form | changes)

    def event(self, connector: str, event: str, **changes: str) -> Answer:
        """Post an event as the portal does, with some values of its ``auth`` changed."""
        told = self.declare(connector)
        auth = {
            "domain": self.url.removeprefix("http://"),
            "client_endpoint": f"{self.url}/rest/",
            "server_endpoint": f"{self.url}/rest/",
            "member_id": told["member_id"],
            "application_token": told["application_token"],
        }
        if event == "ONAPPINSTALL":
            pair = self.tokens()
            auth |= {key: str(pair[key]) for key in ("access_token", "refresh_token", "expires_in")}
        ts = changes.pop("ts", "9999999999")
        values = {f"auth[{key}]": value for key, value in (auth | changes).items()}
        return post_form(f"{connector}/events", {"event": event, "ts": ts, **values})


@contextlib.contextmanager
def running_portal(**options: Any) -> Iterator[RunningPortal]:
    limits = emulator.Limits(connect=5, silence=5)
    app = emulator.create_app(emulator.Options(limits=limits, **options))
    with listening(app) as url:
        portal = RunningPortal(url)
        portal.declare()
        yield portal


TOML = """
[connectors.company]
title = "Company databases"
description = "All that the company knows"
sort = 300

[connectors.archive]
title = "Archive"
source_code = "pgsql"

[sources.shop]
url = "sqlite:///{directory}/shop.db"
tokens = ["{token}"]
schema_ttl = 0

[portal]
client_id = "{client_id}"
client_secret = "{client_secret}"
database_url = "sqlite:///{directory}/portal.db"
"""


def write_config(directory: Path, portal: str, public_url: str, more: str = "") -> Path:
    """A configuration for one portal and one address, and the database that it publishes."""
    with contextlib.closing(sqlite3.connect(directory / "shop.db")) as shop:
        shop.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER, city TEXT, day DATE)")
        shop.execute('CREATE TABLE IF NOT EXISTS "Kunden 2" (name TEXT)')
    path = directory / "connector.toml"
    text = TOML.format(
        directory=directory, token=SOURCE_TOKEN, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    )
    lists = f'domains = ["{portal}"]\noauth_servers = ["{portal}"]\n' if portal else ""
    path.write_text(f'{text}{lists}\n[server]\npublic_url = "{public_url}"\n{more}')
    return path


def read_config(path: Path, **environ: str) -> Config:
    return load_config(path, {"CONNECTOR_SECRET_KEY": KEY, **environ})


@dataclass
class RunningConnector:
    """A connector that answers at ``url``, and the file that it was configured with."""

    url: str
    config: Config
    path: Path


class _Late:
    """A WSGI application that is known only after its address is."""

    application: Any = None

    def __call__(self, *arguments: Any) -> Any:
        return self.application(*arguments)


@contextlib.contextmanager
def running_connector(
    directory: Path, portal: str, more: str = "", **environ: str
) -> Iterator[RunningConnector]:
    late = _Late()
    with listening(late) as url:
        path = write_config(directory, portal, url, more)
        config = read_config(path, **environ)
        late.application = create_app(config)
        late.application.extensions["b24_portal"].patience = QUICK
        yield RunningConnector(url, config, path)


def clean_environment() -> dict[str, str | None]:
    """For a command: nothing of the environment of the tests, but a key."""
    ours = {name: None for name in os.environ if name.startswith(("CONNECTOR_", "DATABASE_"))}
    return {**ours, "CONNECTOR_SECRET_KEY": KEY}
