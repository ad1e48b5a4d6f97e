"""Both ways to install a local application, and its removal."""

from urllib.parse import parse_qs, urlsplit

import pytest

from emulator import php
from tests.portal.emulator_kit import always

pytest_plugins = ["tests.portal.emulator_fixtures"]
FINISHED = b"<script>BX24.init(() => BX24.installFinish());</script>"


@pytest.fixture
def declare(portal, played):
    """Return a function that declares an application at the played connector."""

    def ask(**urls):
        return portal.control("applications", client_id="app", title="App", **urls)

    return ask


def test_an_application_with_a_page(portal, played, declare):
    told = declare(install_url=f"{played.url}/install", event_url=f"{played.url}/events")
    played.replace["install"] = always(200, FINISHED)
    assert portal.control("applications/app/install")["installed"] is True
    heard = played.last("install?" + urlsplit(played.heard[-1].path).query)
    query = parse_qs(urlsplit(heard.path).query)
    assert query["DOMAIN"] == [portal.url.removeprefix("http://")]
    assert query["PROTOCOL"] == ["0"]
    assert query["LANG"] == ["en"]
    assert len(query["APP_SID"][0]) == 32
    form = heard.params
    assert set(form) == {
        "AUTH_ID",
        "AUTH_EXPIRES",
        "REFRESH_ID",
        "SERVER_ENDPOINT",
        "APPLICATION_TOKEN",
        "member_id",
        "status",
        "PLACEMENT",
    }
    assert form["APPLICATION_TOKEN"] == told["application_token"]
    assert form["member_id"] == told["member_id"]
    assert form["AUTH_EXPIRES"] == "3600"
    assert portal.rest("biconnector.connector.list", auth=form["AUTH_ID"]) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (always(200, b"<p>It failed.</p>"), "does not call BX24.installFinish"),
        (always(500, FINISHED), "status 500"),
    ],
)
def test_a_page_that_does_not_finish(portal, played, declare, answer, error):
    declare(install_url=f"{played.url}/install")
    played.replace["install"] = answer
    response = portal.post("/emulator/applications/app/install")
    assert response.status == 502
    assert error in response.json["error"]


def test_an_application_that_is_down(portal, declare):
    declare(install_url="http://127.0.0.1:9/install")
    response = portal.post("/emulator/applications/app/install")
    assert response.status == 502
    assert "127.0.0.1:9" in response.json["error"]


def test_an_application_without_a_page_gets_the_event(portal, played, declare):
    told = declare(event_url=f"{played.url}/events")
    played.replace["events"] = always(200, b"")
    portal.control("applications/app/install")
    heard = played.last("events")
    assert heard.method == "POST"
    assert ("Content-Type", "application/x-www-form-urlencoded") in heard.headers
    assert heard.body == php.build_query(heard.params)
    event = heard.params
    assert event["event"] == "ONAPPINSTALL"
    assert event["data"]["VERSION"] == "1"
    assert int(event["ts"]) > 1_700_000_000
    auth = event["auth"]
    assert auth["application_token"] == told["application_token"]
    assert auth["domain"] == portal.url.removeprefix("http://")
    assert auth["client_endpoint"] == auth["server_endpoint"] == f"{portal.url}/rest/"
    assert auth["scope"] == "biconnector"
    assert portal.rest("biconnector.connector.list", auth=auth["access_token"]) == []


def test_removal_is_announced_without_tokens(portal, played, declare):
    told = declare(event_url=f"{played.url}/events")
    played.replace["events"] = always(200, b"")
    portal.control("applications/app/install")
    token = played.last("events").params["auth"]["access_token"]
    portal.control("applications/app/uninstall")
    event = played.last("events").params
    assert event["event"] == "ONAPPUNINSTALL"
    assert event["auth"]["application_token"] == told["application_token"]
    assert not {"access_token", "refresh_token"} & set(event["auth"])
    assert portal.post("/rest/scope", {"auth": token}).status == 401


def test_a_bound_handler_gets_the_event(portal, played, declare):
    declare(event_url=f"{played.url}/events")
    played.replace |= {"events": always(200, b""), "gone": always(200, b"")}
    portal.control("applications/app/install")
    token = played.last("events").params["auth"]["access_token"]
    bind = {"event": "onAppUninstall", "handler": f"{played.url}/gone"}
    assert portal.rest("event.bind", bind, auth=token) is True
    assert portal.rest("event.get", auth=token)[0]["event"] == "ONAPPUNINSTALL"
    portal.control("applications/app/uninstall")
    assert played.heard[-1].path == "/gone"


def test_an_event_can_be_replayed_or_forged(portal, played, declare):
    declare(event_url=f"{played.url}/events")
    played.replace["events"] = always(403, {"error": "FORBIDDEN"})
    forged = portal.control("applications/app/event", changes={"application_token": "guess"})
    assert forged["status"] == 403
    assert played.last("events").params["auth"]["application_token"] == "guess"


def test_declaring_again_keeps_what_was_given(portal, declare):
    first = declare(event_url="http://127.0.0.1:9/a")
    second = declare(event_url="http://127.0.0.1:9/b")
    assert second["application_token"] == first["application_token"]
    known = portal.get("/emulator/state").json["applications"]
    assert [a["event_url"] for a in known if a["client_id"] == "app"] == ["http://127.0.0.1:9/b"]
