"""Installation and removal over real HTTP: both handshakes, and everybody who only pretends."""

import contextlib
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.wrappers import Response

from app.portal import methods
from app.portal.install import Application
from app.portal.methods import Entity
from app.portal.store import Store
from tests.portal.kit import (
    CLIENT_ID,
    CLIENT_SECRET,
    KEY,
    QUICK,
    listening,
    post_form,
    read_config,
    running_connector,
    running_portal,
    send,
)

FINISH = "BX24.installFinish"


def stored(connector):
    return Store(connector.config.portal).all()


def registered(portal):
    return [item["title"] for item in portal.state["connectors"]]


@pytest.fixture
def installed(b24, connector):
    """The connector, installed through its page."""
    assert b24.page(connector.url).status == 200
    return connector


def test_the_handshake_with_a_page(b24, connector):
    b24.declare(connector.url)
    answer = b24.install()
    assert answer.status == 200, answer.text
    page = answer.json["answer"]
    (installation,) = stored(connector)
    assert str(installation.origin) == b24.url
    assert registered(b24) == ["Company databases", "Archive"]
    assert page


def test_the_page_says_what_happened_and_what_to_do(b24, connector):
    page = b24.page(connector.url)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for words in ("Company databases", "added", "analyst workspace", "What to do next"):
        assert words in page.text
    assert FINISH in page.text
    assert f'src="{b24.url}/api/v1/"' in page.text
    again = b24.page(connector.url)
    assert again.text.count("was already in place") == 2
    assert registered(b24) == ["Company databases", "Archive"]


def test_the_page_in_russian(b24, connector):
    page = b24.page(connector.url, "ru")
    assert '<html lang="ru">' in page.text
    for words in ("Коннектор установлен", "добавлен", "Что делать дальше"):
        assert words in page.text


@pytest.mark.parametrize("path", ["install", "events"])
def test_the_handshake_without_a_page(b24, connector, path):
    b24.declare(event_url=f"{connector.url}/{path}", install_url="")
    answer = b24.install()
    assert answer.status == 200, answer.text
    assert json.loads(answer.json["answer"]) == {
        "status": "installed",
        "connectors": {"company": "added", "archive": "added"},
    }
    assert len(stored(connector)) == 1
    assert registered(b24) == ["Company databases", "Archive"]


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"kind": "error", "status": 503}, 502, "wait a few minutes"),
        ({"kind": "nonsense", "status": 200}, 502, "changes the answers"),
        ({"kind": "inner", "error": "ACCESS_DENIED"}, 502, "(biconnector)"),
        ({"kind": "inner", "error": "VALIDATION_ODD"}, 502, "VALIDATION_ODD"),
    ],
)
def test_a_registration_that_fails_is_no_installation(b24, connector, fault, status, words):
    b24.fault("biconnector.connector.add", times=0, **fault)
    page = b24.page(connector.url)
    assert page.status == status
    assert "The installation has failed" in page.text
    assert words in page.text
    assert page.headers["X-Request-Id"] in page.text
    assert FINISH not in page.text
    # Nothing is lost: the same again, when the portal is well, goes through.
    b24.heal()
    assert b24.page(connector.url).status == 200
    assert registered(b24) == ["Company databases", "Archive"]


def test_a_failed_event_is_answered_as_a_failure(b24, connector):
    b24.fault("biconnector.connector.add", kind="inner", error="ACCESS_DENIED", times=0)
    answer = b24.event(connector.url, "ONAPPINSTALL")
    assert (answer.status, answer.json["error"]) == (502, "PORTAL_FAILED")
    assert "ACCESS_DENIED" in answer.json["error_description"]


def test_a_failed_page_in_russian(b24, connector):
    b24.fault("biconnector.connector.add", status=503, times=0)
    page = b24.page(connector.url, "ru")
    assert "Установка не удалась" in page.text
    assert "подождите несколько минут" in page.text


def test_opened_by_hand_the_page_explains_itself(connector):
    page = send("GET", f"{connector.url}/install")
    assert (page.status, "This page opens inside Bitrix24" in page.text) == (200, True)
    assert FINISH not in page.text
    page = send("GET", f"{connector.url}/install?LANG=ru")
    assert "Эта страница открывается внутри Битрикс24" in page.text


def test_two_installations_at_once_double_nothing(b24, connector):
    """Two workers with the same database get the same request at the same moment."""
    b24.fault("biconnector.connector.list", kind="delay", seconds=0.3, times=2)
    together = threading.Barrier(2)

    def install(_):
        together.wait()
        return b24.page(connector.url)

    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(install, range(2)))
    assert [page.status for page in pages] == [200, 200]
    assert registered(b24) == ["Company databases", "Archive"]
    assert len(stored(connector)) == 1
    added = sorted(page.text.count('badge added"') for page in pages)
    assert added == [0, 2]


def test_two_portals_are_kept_apart(b24, tmp_path):
    with running_portal() as other:
        both = f"{b24.url},{other.url}"
        lists = {"CONNECTOR_PORTAL__DOMAINS": both, "CONNECTOR_PORTAL__OAUTH_SERVERS": both}
        with running_connector(tmp_path, b24.url, **lists) as connector:
            assert b24.page(connector.url).status == 200
            assert other.page(connector.url).status == 200
            assert registered(b24) == registered(other) == ["Company databases", "Archive"]
            assert {str(item.origin) for item in stored(connector)} == {b24.url, other.url}
            # A portal cannot speak for the other one, though both are on the list.
            stolen = other.page(connector.url, member_id=b24.declare()["member_id"])
            assert stolen.status == 403
            led_astray = other.page(connector.url, DOMAIN=b24.url.removeprefix("http://"))
            assert led_astray.status == 403


def test_a_working_installation_is_not_replaced_by_a_replay(b24, installed):
    """The form of the installation comes again, with tokens that are older than ours."""
    first = stored(installed)
    assert b24.page(installed.url).status == 200
    assert b24.event(installed.url, "ONAPPINSTALL").status == 200
    assert stored(installed) == first


def test_one_that_does_not_work_any_more_is(b24, installed):
    (before,) = stored(installed)
    b24.control("tokens/revoke")
    assert b24.page(installed.url).status == 200
    (after,) = stored(installed)
    assert after.pair != before.pair
    assert after.member_id == before.member_id


def test_a_token_that_runs_out_in_the_middle_is_renewed(b24, connector):
    b24.fault("biconnector.connector.add", status=401, error="expired_token", skip=1)
    page = b24.page(connector.url)
    assert (page.status, page.text.count('badge added"')) == (200, 2)
    assert registered(b24) == ["Company databases", "Archive"]
    assert len(b24.calls("refresh")) == 1


def test_a_token_that_is_revoked_in_the_middle_leaves_half_to_be_done_again(b24, connector):
    b24.fault("biconnector.connector.add", status=401, error="invalid_token", skip=1)
    page = b24.page(connector.url)
    assert (page.status, "no longer takes the tokens" in page.text) == (502, True)
    assert FINISH not in page.text
    assert registered(b24) == ["Company databases"]
    again = b24.page(connector.url)
    assert "was already in place" in again.text
    assert registered(b24) == ["Company databases", "Archive"]


FORGED = {
    "member_id": "0" * 32,
    "AUTH_ID": "f" * 70,
    "APPLICATION_TOKEN": "e" * 32,
}


@pytest.mark.parametrize("name", ["member_id", "AUTH_ID"])
def test_a_forged_first_installation_stores_nothing(b24, connector, name):
    page = b24.page(connector.url, **{name: FORGED[name]})
    assert (page.status, "does not prove" in page.text) == (403, True)
    assert FINISH not in page.text
    assert stored(connector) == []
    assert registered(b24) == []


@pytest.mark.parametrize("name", list(FORGED))
def test_a_forged_second_installation_changes_nothing(b24, installed, name):
    before = stored(installed)
    page = b24.page(installed.url, **{name: FORGED[name]})
    assert page.status == 403
    assert stored(installed) == before


def test_the_token_of_another_application_installs_nothing(b24, connector):
    b24.control("applications", client_id="local.other", client_secret="other")
    theirs = b24.control("tokens", client_id="local.other")["access_token"]
    assert b24.page(connector.url, AUTH_ID=theirs).status == 403
    assert stored(connector) == []


HOSTILE = [
    "evil.example",
    "127.0.0.1",
    "127.0.0.1:1",
    "acme.bitrix24.com.evil.example",
    "acme.bitrix24.com@evil.example",
    "acme.bitrix24.com/../@evil.example",
    "evil.example#.bitrix24.com",
    "evil.example?.bitrix24.com",
    "169.254.169.254",
    "[::1]",
    "acme.bitrix24.com:8443",
    "acme.bitrix24.com\r\nHost: evil.example",
    "",
]


@pytest.mark.parametrize("domain", HOSTILE)
def test_no_address_of_a_request_is_called_unless_it_is_on_the_list(b24, connector, domain):
    page = b24.page(connector.url, DOMAIN=domain)
    assert page.status in (400, 403)
    server = f"https://{domain}/rest/"
    page = b24.page(connector.url, SERVER_ENDPOINT=server)
    assert page.status in (400, 403)
    event = b24.event(connector.url, "ONAPPINSTALL", client_endpoint=f"https://{domain}/rest/")
    assert event.json["error"] in ("MALFORMED_BODY", "PORTAL_NOT_ALLOWED")
    event = b24.event(connector.url, "ONAPPINSTALL", server_endpoint=server)
    assert event.json["error"] in ("MALFORMED_BODY", "PORTAL_NOT_ALLOWED")
    assert b24.calls() == []


def test_a_stranger_beside_the_portal_is_not_called(b24, connector):
    heard = []

    def stranger(environ, start_response):
        heard.append(environ["PATH_INFO"])
        return Response("{}")(environ, start_response)

    with listening(stranger) as url:
        assert b24.page(connector.url, DOMAIN=url.removeprefix("http://")).status == 403
        assert b24.page(connector.url, SERVER_ENDPOINT=f"{url}/rest/").status == 403
    assert heard == []


@pytest.mark.parametrize("missing", ["AUTH_ID", "REFRESH_ID", "member_id", "APPLICATION_TOKEN"])
def test_a_form_that_lacks_something(b24, connector, missing):
    page = b24.page(connector.url, **{missing: ""})
    assert (page.status, f"no usable {missing}" in page.text) == (400, True)


def test_bodies_that_are_none(connector):
    assert send("POST", f"{connector.url}/install", "%FF=1").status == 400
    assert post_form(f"{connector.url}/install", {}).status == 400
    answer = post_form(f"{connector.url}/events", {"event": "ONAPPINSTALL"})
    assert (answer.status, answer.json["error"]) == (400, "MALFORMED_BODY")
    assert send("POST", f"{connector.url}/events", "x" * 1_200_000).status == 413


def test_markup_in_a_request_stays_text(b24, connector):
    page = b24.page(connector.url, DOMAIN="<script>alert(1)</script>")
    assert page.status == 400
    assert "alert(1)" not in page.text


def test_removal_takes_the_tokens_away(b24, installed):
    url = f"{b24.url}/emulator/applications/local.company/uninstall"
    answer = send("POST", url, "{}", "application/json")
    assert answer.status == 200, answer.text
    assert stored(installed) == []


def test_a_forged_removal_changes_nothing(b24, installed):
    before = stored(installed)
    for changes in (
        {"application_token": "f" * 32},
        {"application_token": ""},
        {"member_id": "f" * 32},
    ):
        answer = b24.event(installed.url, "ONAPPUNINSTALL", **changes)
        assert (answer.status, answer.json["error"]) == (403, "FORGED_REQUEST")
    assert stored(installed) == before


def test_a_removal_that_is_replayed_after_the_next_installation(b24, installed):
    (installation,) = stored(installed)
    late = b24.event(installed.url, "ONAPPUNINSTALL", ts=str(installation.installed_at - 1))
    assert (late.status, late.json["error"]) == (409, "STALE_EVENT")
    assert "clock of this service" in late.json["error_description"]
    assert b24.event(installed.url, "ONAPPUNINSTALL", ts="soon").status == 400
    assert stored(installed) == [installation]
    assert b24.event(installed.url, "ONAPPUNINSTALL").json == {"status": "removed"}
    # And once more, when there is nothing left to compare it with.
    assert b24.event(installed.url, "ONAPPUNINSTALL").status == 403


def test_an_installation_event_that_is_replayed_after_the_removal(b24, connector):
    pair = b24.tokens()
    values = {key: str(pair[key]) for key in ("access_token", "refresh_token")}
    assert b24.event(connector.url, "ONAPPINSTALL", **values).status == 200
    url = f"{b24.url}/emulator/applications/local.company/uninstall"
    assert send("POST", url, "{}", "application/json").status == 200
    assert stored(connector) == []
    answer = b24.event(connector.url, "ONAPPINSTALL", **values)
    assert (answer.status, answer.json["error"]) == (403, "FORGED_REQUEST")
    assert stored(connector) == []


def test_other_events_are_checked_and_ignored(b24, installed):
    assert b24.event(installed.url, "ONAPPUPDATE").json == {"status": "ignored"}
    assert b24.event(installed.url, "ONAPPUPDATE", application_token="x").status == 403


def test_the_installed_application_can_be_used(b24, installed):
    application = Application(installed.config, QUICK)
    (installation,) = stored(installed)
    b24.control("tokens/expire")
    client = application.client(installation)
    assert len(methods.listed(client, Entity.CONNECTOR)) == 2


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"CONNECTOR_SECRET_KEY": ""}, "CONNECTOR_SECRET_KEY is not set"),
        (
            {"CONNECTOR_PORTAL__CLIENT_ID": "", "CONNECTOR_PORTAL__CLIENT_SECRET": ""},
            "portal.client_id",
        ),
        ({"DATABASE_URL": "sqlite:////proc/nowhere/portal.db"}, "database"),
        ({"CONNECTOR_CONNECTORS__COMPANY__LOGO": "/nowhere.png"}, "cannot be read"),
    ],
)
def test_what_the_operator_forgot_is_said(b24, tmp_path, environ, words):
    with running_connector(tmp_path, b24.url, **environ) as connector:
        page = b24.page(connector.url)
        assert (page.status, words in page.text) == (503, True), page.text
        event = b24.event(connector.url, "ONAPPINSTALL")
        assert (event.status, event.json["error"]) == (503, "PORTAL_NOT_CONFIGURED")


@contextlib.contextmanager
def logged(caplog):
    """What we log in the block, down to the last word."""
    ours = logging.getLogger("b24")
    ours.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.DEBUG):
            yield
    finally:
        ours.removeHandler(caplog.handler)


def warning(caplog, page):
    """The one warning of a request, without its beginning."""
    (line,) = (r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)
    caplog.clear()
    return line.removeprefix(f"request {page.headers['X-Request-Id']}: ")


def test_the_log_says_what_a_request_does_not_prove(b24, connector, caplog):
    told = b24.declare(connector.url)
    host = b24.url.removeprefix("http://")
    b24.control("applications", client_id="local.other", client_secret="other")
    theirs = b24.control("tokens", client_id="local.other")["access_token"]
    with logged(caplog):
        page = b24.page(connector.url, AUTH_ID=theirs)
        assert warning(caplog, page) == (
            f"portal {b24.url}: the access token has the client_id 'local.other' "
            f"and not '{CLIENT_ID}'"
        )
        page = b24.page(connector.url, member_id="0" * 32)
        assert warning(caplog, page) == (
            f"portal {b24.url}: the access token has the member_id '{told['member_id']}' "
            f"and not '{'0' * 32}'"
        )
        page = b24.page(connector.url, AUTH_ID="f" * 70)
        line = warning(caplog, page)
        assert "does not take the access token" in line
        assert "f" * 70 not in line
        page = b24.page(connector.url, DOMAIN="evil.example")
        assert warning(caplog, page) == "http://evil.example is not among portal.domains"
        page = b24.page(connector.url, SERVER_ENDPOINT="https://evil.example/rest/")
        assert warning(caplog, page) == "https://evil.example is not among portal.oauth_servers"
        assert b24.page(connector.url).status == 200
        page = b24.page(connector.url, APPLICATION_TOKEN="f" * 32)
        assert warning(caplog, page).endswith("its application token is another one")
        (installation,) = stored(connector)
        late = b24.event(connector.url, "ONAPPUNINSTALL", ts=str(installation.installed_at - 7))
        assert warning(caplog, late) == (
            f"portal {b24.url}: a removal was sent 7 s before the installation; is that an old "
            "one, or does the clock of this machine run ahead?"
        )
    lists = {"CONNECTOR_PORTAL__DOMAINS": "http://other.example"}
    with running_connector(connector.path.parent, b24.url, **lists) as other, logged(caplog):
        page = b24.page(other.url, DOMAIN="other.example")
        line = warning(caplog, page)
    assert line == f"portal http://other.example: the access token has the domain '{host}'"


def test_no_log_line_holds_a_secret(b24, connector, caplog):
    with logged(caplog):
        b24.page(connector.url)
        b24.page(connector.url, APPLICATION_TOKEN="f" * 32)
        b24.control("tokens/expire")
        b24.fault("oauth", status=400, error="invalid_grant", times=0)
        b24.page(connector.url)
        b24.event(connector.url, "ONAPPUNINSTALL", application_token="e" * 32)
    (installation,) = stored(connector)
    # The server that the tests run under logs addresses; gunicorn does not.
    records = [r for r in caplog.records if r.name != "werkzeug"]
    text = "\n".join(f"{r.getMessage()} {r.exc_info}" for r in records)
    assert "path=/install" in text
    pair = installation.pair
    for secret in (pair.access, pair.refresh, installation.application_token, CLIENT_SECRET, KEY):
        assert secret not in text


def test_the_settings_show_no_secret(connector):
    config = read_config(connector.path)
    assert CLIENT_SECRET not in repr(config)
    assert KEY not in repr(config)
    assert {CLIENT_SECRET, KEY} <= set(config.secrets())
