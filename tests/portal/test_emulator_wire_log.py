"""The wire log shows what travelled, and no secret."""

import json
import subprocess

import pytest

from emulator import masking
from emulator.wire_log import BODY_LIMIT, Exchange, WireLog, as_curl, variables
from tests.portal.emulator_kit import TOKEN, always, connector_fields, fetch, journey

pytest_plugins = ["tests.portal.emulator_fixtures"]


@pytest.mark.parametrize(
    ("form", "masked"),
    [
        ("a=1&connection%5Btoken%5D=abc&b=2", "a=1&connection%5Btoken%5D=***&b=2"),
        ("connection[Password]=x&limit=0", "connection[Password]=***&limit=0"),
        (
            "auth%5Brefresh_token%5D=x&auth%5Bdomain%5D=d",
            "auth%5Brefresh_token%5D=***&auth%5Bdomain%5D=d",
        ),
        ("AUTH_ID=x&REFRESH_ID=y&member_id=z", "AUTH_ID=***&REFRESH_ID=***&member_id=z"),
        ("filter%5B0%5D%5B%3DCITY%5D%5B0%5D=Rome", "filter%5B0%5D%5B%3DCITY%5D%5B0%5D=Rome"),
        ("token=", "token="),
    ],
)
def test_forms(form, masked):
    assert masking.mask_form(form) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"auth": "x", "id": 1}', {"auth": "***", "id": 1}),
        ('{"a": [{"client_secret": 5}]}', {"a": [{"client_secret": "***"}]}),
        (
            '[{"code": "password", "value": "x"}, {"code": "host", "value": "h"}]',
            [{"code": "password", "value": "***"}, {"code": "host", "value": "h"}],
        ),
        ('{"token": null, "password": ""}', {"token": None, "password": ""}),
    ],
)
def test_json(text, masked):
    assert json.loads(masking.mask_json(text)) == masked


def test_json_without_secrets_stays_as_sent():
    text = '[["ID"],\n [1.50, "\\u0416"]]'
    assert masking.mask_json(text) == text


def test_json_cut_short():
    assert masking.mask_json('{"a":1,"access_token":"abc') == '{"a":1,"access_token":"***"'


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("http://h/rest/1/abc/scope.json", "http://h/rest/1/***/scope.json"),
        ("http://u:p@h/x?auth=1&a=2", "http://***@h/x?auth=***&a=2"),
    ],
)
def test_addresses(url, masked):
    assert masking.mask_url(url) == masked


def test_headers():
    headers = [("Authorization", "Bearer x"), ("Cookie", "a=b"), ("Accept", "*/*")]
    assert masking.mask_headers(headers) == [
        ("Authorization", "***"),
        ("Cookie", "***"),
        ("Accept", "*/*"),
    ]


def test_a_known_secret_is_hidden_wherever_it_appears():
    log = WireLog(lambda: ["p&ss wörd"])
    exchange = Exchange("portal", "x", "POST", "http://h/p%26ss%20w%C3%B6rd")
    exchange.request_body = "note=p%26ss+w%C3%B6rd"
    exchange.request_headers = [("Content-Type", "application/x-www-form-urlencoded")]
    exchange.response_body = "wrong: p&ss wörd"
    exchange.error = "p&ss wörd"
    log.add(exchange)
    assert "ss w" not in json.dumps(log.after(0), ensure_ascii=False)
    assert "%26ss" not in json.dumps(log.after(0))


def test_long_bodies_are_shortened_after_masking():
    log = WireLog(list)
    exchange = Exchange("portal", "x", "POST", "http://h/", response_body="x" * BODY_LIMIT * 2)
    log.add(exchange)
    assert len(log.after(0)[0]["response_body"]) == BODY_LIMIT


def test_nothing_secret_is_logged_in_a_whole_journey(portal, played):
    made = journey(portal, played)
    played.replace["check"] = always(401, {"error": f"unknown token {TOKEN}"})
    portal.rest("biconnector.source.get", id=made.source)
    portal.rest("biconnector.source.update", id=made.source, fields={"settings": {"token": TOKEN}})
    portal.post(f"/workspace/datasets/{made.dataset}/report", {"dimension": "CITY"})
    told = portal.control("applications", client_id="app", event_url=f"{played.url}/events")
    played.replace["events"] = always(200, b"")
    portal.control("applications/app/install")
    auth = played.last("events").params["auth"]
    query = f"client_id=app&client_secret={told['client_secret']}"
    fresh = fetch(
        "GET",
        f"{portal.url}/oauth/token/?grant_type=refresh_token&{query}"
        f"&refresh_token={auth['refresh_token']}",
    ).json
    webhook = portal.control("webhooks")["url"]
    fetch("POST", webhook + "scope", b"{}", "application/json")
    fetch("GET", f"{portal.url}/rest/scope?auth=never-issued")
    shown = json.dumps(portal.wire(), ensure_ascii=False)
    assert "never-issued" not in shown
    secrets = [TOKEN, portal.token, told["client_secret"], told["application_token"]]
    secrets += [auth["access_token"], auth["refresh_token"]]
    secrets += [fresh["access_token"], fresh["refresh_token"], webhook.split("/")[-2]]
    for secret in secrets:
        assert secret not in shown
    assert {entry["direction"] for entry in portal.wire()} == {
        "portal",
        "application",
        "oauth",
        "event",
    }
    stored = portal.get("/emulator/state").text
    assert not [secret for secret in secrets if secret in stored]


def test_an_exchange_tells_everything_else(portal, played):
    portal.rest("biconnector.connector.add", fields=connector_fields(played))
    before = portal.wire()[-1]["id"]
    portal.post("/workspace/check", {"connectorId": 1, "settings": {"token": TOKEN}})
    entry = fetch("GET", f"{portal.url}/emulator/wire?after={before}").json[0]
    assert entry["action"] == "check"
    assert entry["url"] == played.endpoint("check")
    assert entry["request_body"] == "connection%5Btoken%5D=***"
    assert entry["status"] == 200
    assert json.loads(entry["response_body"]) == {"status": "ok"}
    assert entry["duration_ms"] >= entry["first_byte_ms"] > 0
    assert entry["curl_variables"] == ["TOKEN"]
    words = in_a_shell(entry["curl"], TOKEN="a token's value").stdout.split("\0")[:-1]
    assert words[:4] == ["-i", "-X", "POST", played.endpoint("check")]
    assert words[-2:] == ["--data-urlencode", "connection%5Btoken%5D=a token's value"]


def in_a_shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a shell hands to curl, each argument followed by a zero byte."""
    stand_in = "curl() { printf '%s\\0' \"$@\"; }\n"
    return subprocess.run(
        ["/bin/sh", "-c", stand_in + command],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


FORM = [("Content-Type", "application/x-www-form-urlencoded")]


def test_a_command_keeps_the_order_and_the_encoding_of_a_form():
    body = "a%5B0%5D=it%27s+%24HOME&connection%5Btoken%5D=***&table=fl%26ghts&b="
    exchange = Exchange("portal", "data", "POST", "http://h/p?client_secret=***&a=%2B")
    exchange.request_headers, exchange.request_body = FORM, body
    given = {"TOKEN": "a+b&c", "CLIENT_SECRET": "s"}
    assert in_a_shell(as_curl(exchange), **given).stdout.split("\0")[:-1] == [
        *("-i", "-X", "POST", "http://h/p?client_secret=s&a=%2B"),
        *("-H", "Content-Type: application/x-www-form-urlencoded"),
        *("--data-raw", "a%5B0%5D=it%27s+%24HOME"),
        *("--data-urlencode", "connection%5Btoken%5D=a+b&c"),
        *("--data-raw", "table=fl%26ghts&b="),
    ]


def test_a_command_does_not_run_before_its_secrets_are_filled_in():
    exchange = Exchange("portal", "check", "POST", "http://h/")
    exchange.request_headers, exchange.request_body = FORM, "connection%5Btoken%5D=***"
    refused = in_a_shell(as_curl(exchange))
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert "TOKEN: set it to what the wire log hides" in refused.stderr


@pytest.mark.parametrize(
    ("url", "body", "names"),
    [
        ("http://h/rest/1/***/scope.json", '{"a": 1}', ["SECRET"]),
        ("http://h/", '{"auth": "***", "settings": {"api-key": "***"}}', ["AUTH", "KEY"]),
        ("http://h/?pwd=***&path=***", "", ["SECRET"]),
        ("http://h/", "nothing to hide", []),
    ],
)
def test_variables_are_named_by_what_they_fill_and_take_nothing_of_the_shells(url, body, names):
    assert variables(Exchange("portal", "x", "POST", url, request_body=body)) == names


def test_the_log_can_be_emptied_and_counts_on(portal):
    portal.rest("biconnector.connector.list")
    last = portal.wire()[-1]["id"]
    assert fetch("DELETE", f"{portal.url}/emulator/wire").json == []
    portal.rest("biconnector.connector.list")
    assert portal.wire()[0]["id"] == last + 1
