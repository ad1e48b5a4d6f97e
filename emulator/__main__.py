"""Runs the emulated portal: `python -m emulator`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from werkzeug.serving import make_server

from emulator import create_app, demo
from emulator.options import Options


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(prog="python -m emulator", description="A Bitrix24 portal.")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8080)
    made.add_argument("--portal", choices=("old", "new"), default="new")
    made.add_argument("--language", choices=("en", "ru"), default="en")
    made.add_argument("--site-format", choices=("ru", "en", "de", "fr"), default="en")
    made.add_argument("--state", type=Path, metavar="FILE", help="remember everything in this file")
    made.add_argument(
        "--allow-private",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="call private addresses, which a real portal refuses",
    )
    made.add_argument("--public-url", default="", metavar="URL", help="address seen by others")
    made.add_argument("--verbose", action="store_true", help="log every request")
    application = made.add_argument_group("local application")
    application.add_argument("--application-url", default="", metavar="URL")
    application.add_argument("--install-url", metavar="URL", help="default: .../install")
    application.add_argument("--event-url", metavar="URL", help="default: .../events")
    application.add_argument(
        "--script-only", action="store_true", help="no page: install by the event"
    )
    application.add_argument("--client-id", default="local.connector.demo")
    application.add_argument(
        "--client-secret",
        default=os.environ.get("EMULATOR_CLIENT_SECRET", ""),
        help="default: the variable EMULATOR_CLIENT_SECRET, or a random one",
    )
    application.add_argument(
        "--reinstall", action="store_true", help="go through the installation again"
    )
    application.add_argument("--wait", type=float, default=60, help="seconds to wait for it")
    scene = made.add_argument_group("something to look at (made after the installation)")
    scene.add_argument("--table", default="", help="code or title of the table for a dataset")
    scene.add_argument("--connector", default="", help="title of the connector; default: the first")
    scene.add_argument(
        "--setting", action="append", default=[], metavar="CODE=VALUE", help="of the connection"
    )
    scene.add_argument("--connection-title", default="Demo")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the portal, install the application, and serve until interrupted."""
    given = parser().parse_args(arguments)
    if not given.verbose:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
    options = Options(
        portal=given.portal,
        language=given.language,
        site_format=given.site_format,
        allow_private=given.allow_private,
        state_file=given.state,
        public_url=given.public_url,
    )
    server = make_server(given.host, given.port, create_app(options), threaded=True)
    address = given.public_url or f"http://{given.host}:{server.port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _say(f"Portal: {address}")
    try:
        if given.application_url or given.install_url or given.event_url:
            _set_up(given, f"http://{given.host}:{server.port}")
        threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except demo.DemoError as error:
        _say(f"Error: {error}")
        return 1
    finally:
        server.shutdown()
        server.server_close()
    return 0


def _set_up(given: argparse.Namespace, address: str) -> None:
    base = given.application_url.rstrip("/")
    install_url = given.install_url if given.install_url is not None else f"{base}/install"
    application = {
        "client_id": given.client_id,
        "client_secret": given.client_secret,
        "title": "B24 Connector",
        "install_url": "" if given.script_only else install_url,
        "event_url": given.event_url if given.event_url is not None else f"{base}/events",
    }
    demo.install(address, application, wait=given.wait, again=given.reinstall)
    _say("The application is installed.")
    if given.table:
        scene = demo.Scene(
            table=given.table,
            connector=given.connector,
            title=given.connection_title,
            settings=dict(pair.partition("=")[::2] for pair in given.setting),
        )
        dataset = demo.prepare(address, scene)
        _say(f"Report: {address}/datasets/{dataset}/report")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
