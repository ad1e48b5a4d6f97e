"""Who tries one application token after the other is not heard for long."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.endpoints.gate import VISITS
from tests.portal.kit import send
from tests.server import eventually

MOST = 20  # guesses_per_minute, as it is shipped


@pytest.fixture
def installed(b24, connector):
    assert connector.config.server.guesses_per_minute == MOST
    assert b24.page(connector.url).status == 200
    return connector


def test_guesses_at_events_are_counted(b24, installed):
    for n in range(MOST):
        forged = b24.event(installed.url, "ONAPPUNINSTALL", application_token=f"{n}-guess")
        assert (forged.status, forged.json["error"]) == (403, "FORGED_REQUEST")
    refused = b24.event(installed.url, "ONAPPUNINSTALL", application_token="another-guess")
    assert (refused.status, refused.json["error"]) == (429, "TOO_MANY_GUESSES")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    # The guesser's address is the portal's here, so that not even the right one is heard from it.
    assert b24.event(installed.url, "ONAPPUNINSTALL").status == 429


@pytest.mark.parametrize("guess", ["{}-guess", "the-same-again"])
def test_guesses_at_the_installation_are_counted_and_call_nobody_any_more(b24, connector, guess):
    for n in range(MOST):
        forged = b24.page(connector.url, AUTH_ID=guess.format(n))
        assert forged.status == 403
    asked = len(b24.calls())
    refused = b24.page(connector.url, AUTH_ID=guess.format("another"))
    assert refused.status == 429
    assert "Too many wrong" in refused.text
    assert len(b24.calls()) == asked


def test_a_portal_that_repeats_itself_is_no_guesser(b24, installed):
    for _ in range(MOST + 5):
        assert b24.page(installed.url).status == 200
        assert b24.event(installed.url, "ONAPPUPDATE").status == 200
        forged = b24.event(installed.url, "ONAPPUPDATE", application_token="an-old-one")
        assert forged.status == 403


def test_no_more_installations_at_once_than_the_gate_lets_in(b24, connector):
    b24.fault("app.info", kind="delay", seconds=4, times=0)
    with ThreadPoolExecutor(VISITS) as portals:
        slow = [portals.submit(b24.page, connector.url, AUTH_ID="forged") for _ in range(VISITS)]
        eventually(lambda: send("GET", f"{b24.url}/emulator/faults").json[0]["hits"] == VISITS)
        refused = b24.page(connector.url)
        assert refused.status == 503
        assert "under way" in refused.text
    assert [page.result().status for page in slow] == [403] * VISITS
    b24.heal()
    assert b24.page(connector.url).status == 200
