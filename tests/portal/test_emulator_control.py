"""The emulator's own controls, its memory, and its command line."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error

import pytest

import emulator
from tests.portal.emulator_kit import (
    TOKEN,
    always,
    connector_fields,
    emulated_portal,
    fetch,
    journey,
    played_connector,
)

pytest_plugins = ["tests.portal.emulator_fixtures"]
LIST = "/rest/biconnector.connector.list"


def test_faults_come_as_often_as_asked(portal):
    portal.post("/emulator/faults", {"path": "biconnector.*", "times": 2, "skip": 1})

    def status():
        return portal.post(LIST, {"auth": portal.token}).status

    assert [status() for _ in range(4)] == [200, 503, 503, 200]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({}, 503, "QUERY_LIMIT_EXCEEDED"),
        ({"error": "OVERLOAD_LIMIT"}, 503, "OVERLOAD_LIMIT"),
        ({"status": 401, "error": "user_access_error"}, 401, "user_access_error"),
        ({"status": 500, "error": "INTERNAL_SERVER_ERROR"}, 500, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_errors_of_the_server(portal, fault, status, code):
    portal.post("/emulator/faults", fault)
    answer = portal.post(LIST, {"auth": portal.token})
    assert (answer.status, answer.json["error"]) == (status, code)


def test_nonsense_inner_errors_and_delays(portal):
    for fault in (
        {"kind": "nonsense", "status": 200},
        {"kind": "inner", "error": "ODD", "description": "Odd."},
        {"kind": "delay", "seconds": 0.2},
    ):
        portal.post("/emulator/faults", fault)
    call = {"auth": portal.token}
    nonsense = portal.post(LIST, call)
    assert (nonsense.status, nonsense.text[:6]) == (200, "<html>")
    inner = portal.post(LIST, call).json["result"]
    assert inner == {"error": {"error": "ODD", "error_description": "Odd."}}
    started = time.monotonic()
    assert portal.post(LIST, call).json["result"] == []
    assert time.monotonic() - started >= 0.2


def test_faults_can_be_shown_and_cleared(portal):
    portal.post("/emulator/faults", {"times": 0})
    assert portal.get("/emulator/faults").json[0]["times"] == 0
    portal.post(LIST, {"auth": portal.token})
    assert portal.post(LIST, {"auth": portal.token}).status == 503
    assert fetch("DELETE", f"{portal.url}/emulator/faults").json == []
    assert portal.post(LIST, {"auth": portal.token}).status == 200


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("settings", {"portal": "middle-aged"}),
        ("settings", {"colour": "red"}),
        ("settings", [1]),
        ("faults", {"colour": "red"}),
        ("applications", {"colour": "red"}),
        ("applications/nobody/install", {}),
        ("tokens", {"client_id": "nobody"}),
    ],
)
def test_wrong_commands(portal, path, value):
    answer = portal.post(f"/emulator/{path}", value)
    assert answer.status == 400
    assert answer.json["error"]


def test_settings_and_reset(portal, played):
    journey(portal, played)
    changed = portal.control("settings", portal="old", site_format="fr", language="ru")
    assert changed["site_format"] == "fr"
    portal.control("reset")
    known = portal.get("/emulator/state").json
    assert known["settings"]["portal"] == "new"
    assert (known["connectors"], known["sources"], known["datasets"]) == ([], [], [])
    assert portal.post(LIST, {"auth": portal.token}).json["error"] == "invalid_token"
    assert portal.get("/emulator/health").json == {"status": "ok"}


def test_everything_survives_a_restart(tmp_path, played):
    file = tmp_path / "portal.json"
    options = emulator.Options(state_file=file)
    with emulated_portal(options) as first:
        made = journey(first, played)
        first.control("settings", portal="old", site_format="de")
        before = first.get("/emulator/state").json
        item = first.rest("biconnector.dataset.get", id=made.dataset)
        token = first.token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with emulated_portal(options) as second:
        after = second.get("/emulator/state").json
        assert {k: v for k, v in after.items() if k != "grants"} == {
            k: v for k, v in before.items() if k != "grants"
        }
        assert second.rest("biconnector.dataset.get", id=made.dataset, auth=token) == item
        second.control("settings", portal="new")
        added = second.rest("biconnector.connector.add", fields=connector_fields(), auth=token)
        assert added == {"id": made.connector + 1}
    assert not list(tmp_path.glob("*.part"))


def test_without_a_file_nothing_is_kept(played):
    with emulated_portal(emulator.Options()) as first:
        journey(first, played)
    with emulated_portal(emulator.Options()) as second:
        assert second.get("/emulator/state").json["connectors"] == []


def free_port():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


def registering(played, port):
    """Return a page that registers a connector, as an application's page does."""

    def page(heard, _handler):
        call = {"auth": heard.params["AUTH_ID"], "fields": connector_fields(played)}
        url = f"http://127.0.0.1:{port}/rest/biconnector.connector.add"
        fetch("POST", url, json.dumps(call).encode(), "application/json")
        return 200, {}, b"<script>BX24.installFinish()</script>"

    return page


@contextlib.contextmanager
def command(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},  # noqa: PTH109
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def lines(process, count):
    return [process.stdout.readline().strip() for _ in range(count)]


def test_the_command_sets_the_scene_and_a_second_run_finds_it(tmp_path):
    port = free_port()
    with played_connector() as played:
        played.replace |= {"install": registering(played, port), "events": always(200, b"")}
        arguments = [
            *("--port", str(port), "--state", str(tmp_path / "state.json")),
            *("--application-url", played.url, "--client-secret", "s3cret-of-it"),
            *("--table", "orders", "--setting", f"token={TOKEN}", "--language", "ru"),
        ]
        for _ in range(2):
            with command(*arguments) as process:
                assert lines(process, 3) == [
                    f"Portal: http://127.0.0.1:{port}",
                    "The application is installed.",
                    f"Report: http://127.0.0.1:{port}/datasets/1/report",
                ]
                known = fetch("GET", f"http://127.0.0.1:{port}/emulator/state").json
                assert len(known["connectors"]) == len(known["sources"]) == 1
                assert [d["name"] for d in known["datasets"]] == ["orders"]
            assert process.returncode == 0
        assert len([h for h in played.heard if h.path.startswith("/install?")]) == 1


def test_the_command_says_what_went_wrong():
    with command(
        "--port", "0", "--application-url", "http://127.0.0.1:9", "--wait", "0"
    ) as process:
        output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert "Error: Nothing answers at 127.0.0.1:9" in output


def test_the_command_runs_alone():
    with command("--port", "0") as process:
        address = process.stdout.readline().strip().removeprefix("Portal: ")
        with pytest.raises(urllib.error.URLError):
            fetch("GET", "http://127.0.0.1:9/")
        assert fetch("GET", f"{address}/emulator/health").json == {"status": "ok"}
    assert process.returncode == 0
