"""The OAuth server: expiry, the exchange of a pair, and what it refuses."""

import threading

import pytest

from tests.portal.emulator_kit import fetch

pytest_plugins = ["tests.portal.emulator_fixtures"]
CLIENT = {"client_id": "local.company", "client_secret": "s3cret-of-it"}


@pytest.fixture
def refresh(portal):
    """Return a function that asks for a new pair."""

    def ask(token, **changes):
        query = {"grant_type": "refresh_token", **CLIENT, "refresh_token": token} | changes
        text = "&".join(f"{key}={value}" for key, value in query.items())
        return fetch("GET", f"{portal.url}/oauth/token/?{text}")

    return ask


def test_an_expired_token_is_exchanged_for_a_new_pair(portal, refresh):
    pair = portal.control("tokens", client_id="local.company", expires_in=-1)
    call = {"auth": pair["access_token"]}
    answer = portal.post("/rest/biconnector.connector.list", call)
    assert answer.status == 401
    assert answer.json == {
        "error": "expired_token",
        "error_description": "The access token provided has expired.",
    }
    fresh = refresh(pair["refresh_token"]).json
    assert fresh["expires_in"] == 3600
    assert fresh["client_endpoint"] == f"{portal.url}/rest/"
    assert fresh["member_id"] == pair["member_id"]
    assert fresh["access_token"] != pair["access_token"]
    assert fresh["refresh_token"] != pair["refresh_token"]
    assert portal.rest("biconnector.connector.list", auth=fresh["access_token"]) == []


def test_a_refresh_token_is_good_for_one_use(portal, refresh):
    pair = portal.control("tokens", client_id="local.company")
    assert refresh(pair["refresh_token"]).status == 200
    again = refresh(pair["refresh_token"])
    assert (again.status, again.json["error"]) == (400, "invalid_grant")


def test_of_two_at_the_same_moment_one_gets_a_pair(portal, refresh):
    pair = portal.control("tokens", client_id="local.company")
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(refresh(pair["refresh_token"]).status))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [400] * 5


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"refresh_token": "nonsense"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "invalid_request"),
    ],
)
def test_what_is_refused(portal, refresh, change, status, code):
    pair = portal.control("tokens", client_id="local.company")
    answer = refresh(pair["refresh_token"], **change)
    assert (answer.status, answer.json["error"]) == (status, code)
    assert refresh(pair["refresh_token"]).status == 200


def test_the_token_of_one_application_is_useless_to_another(portal, refresh):
    portal.application("stranger")
    pair = portal.control("tokens", client_id="local.company")
    assert refresh(pair["refresh_token"], client_id="stranger").json["error"] == "invalid_grant"


def test_revoked_tokens_cannot_be_exchanged(portal, refresh):
    pair = portal.control("tokens", client_id="local.company")
    portal.control("tokens/revoke", client_id="local.company")
    assert portal.post("/rest/scope", {"auth": pair["access_token"]}).status == 401
    assert refresh(pair["refresh_token"]).json["error"] == "invalid_grant"


def test_the_server_says_whose_a_token_is(portal):
    info = fetch("GET", f"{portal.url}/rest/app.info/?auth={portal.token}").json["result"]
    assert info["client_id"] == "local.company"
    assert info["install"]["installed"] is True
    assert info["install"]["client_endpoint"] == f"{portal.url}/rest/"


def test_faults_of_the_server(portal, refresh):
    pair = portal.control("tokens", client_id="local.company")
    portal.control("faults", path="oauth", kind="nonsense", status=502)
    portal.control("faults", path="oauth", status=503, error="OVERLOAD_LIMIT")
    assert refresh(pair["refresh_token"]).text.startswith("<html>")
    assert refresh(pair["refresh_token"]).json["error"] == "OVERLOAD_LIMIT"
    assert refresh(pair["refresh_token"]).status == 200
