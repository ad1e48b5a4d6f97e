"""Registering: what is sent, what is found again, and that a second time changes nothing."""

import base64
import json
import socket
import time

import pytest
from click.testing import CliRunner
from werkzeug.wrappers import Response

from app.cli import main
from app.portal import methods
from app.portal.errors import InUse, Nonsense, TryLater
from app.portal.logo import BadLogo, logo_text
from app.portal.methods import Entity
from app.portal.reach import silent
from app.portal.register import Action, register, unregister
from app.portal.tile import BadTile, unreachable
from tests.portal.kit import (
    SOURCE_TOKEN,
    clean_environment,
    listening,
    read_config,
    running_connector,
    write_config,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
CHANGES = ("biconnector.connector.add", "biconnector.connector.update")


def changes(portal):
    return [call for method in CHANGES for call in portal.calls(method)]


def actions(outcomes):
    return [(o.connector, o.action) for o in outcomes]


def run(connector, *arguments, token=None, text=None, **environ):
    """A command against the configuration of ``connector``."""
    variables = clean_environment() | environ
    if token:
        variables["CONNECTOR_ACCESS_TOKEN"] = token
    command = [*arguments, "--config", str(connector.path)]
    return CliRunner(env=variables).invoke(main, command, input=text, catch_exceptions=False)


def test_everything_is_added_and_a_second_time_nothing_is_changed(b24, connector):
    client = b24.client()
    first = register(client, connector.config)
    assert actions(first) == [("company", Action.ADDED), ("archive", Action.ADDED)]
    item = methods.get(client, Entity.CONNECTOR, first[0].number)
    assert item["title"] == "Company databases"
    assert item["description"] == "All that the company knows"
    assert item["urlCheck"] == f"{connector.url}/api/company/check"
    assert item["urlTableList"] == f"{connector.url}/api/company/table_list"
    assert item["urlTableDescription"] == f"{connector.url}/api/company/table_description"
    assert item["urlData"] == f"{connector.url}/api/company/data"
    assert item["settings"] == [{"code": "token", "name": "Token", "type": "STRING"}]
    assert item["sort"] == 300
    assert item["supportMapping"] is True
    assert item["logo"].startswith("data:image/svg+xml;base64,")
    assert methods.get(client, Entity.CONNECTOR, first[1].number)["sourceCode"] == "pgsql"
    sent = len(changes(b24))
    second = register(client, connector.config)
    assert actions(second) == [("company", Action.UNCHANGED), ("archive", Action.UNCHANGED)]
    assert [o.number for o in second] == [o.number for o in first]
    assert len(changes(b24)) == sent


def test_an_old_portal_is_sent_what_it_knows(old_b24, tmp_path):
    with running_connector(tmp_path, old_b24.url) as connector:
        client = old_b24.client()
        register(client, connector.config)
        for call in changes(old_b24):
            assert "supportMapping" not in call["request_body"]
            assert "sourceCode" not in call["request_body"]
        assert register(client, connector.config)[0].action is Action.UNCHANGED


def test_a_portal_that_becomes_new_learns_of_the_mapping(old_b24, tmp_path):
    with running_connector(tmp_path, old_b24.url) as connector:
        client = old_b24.client()
        register(client, connector.config)
        old_b24.control("settings", portal="new")
        outcomes = register(client, connector.config)
    assert [(o.action, list(o.sent)) for o in outcomes] == [
        (Action.UPDATED, ["supportMapping"]),
        (Action.UPDATED, ["supportMapping", "sourceCode"]),
    ]


def test_ours_is_found_again_under_another_title(b24, connector):
    client = b24.client()
    number = register(client, connector.config)[0].number
    methods.update(client, Entity.CONNECTOR, number, {"title": "Renamed by somebody"})
    outcome = register(client, connector.config)[0]
    assert (outcome.action, outcome.number, outcome.sent) == (
        Action.UPDATED,
        number,
        {"title": "Company databases"},
    )


def test_another_service_of_the_same_application_is_left_alone(b24, connector):
    client = b24.client()
    outcome = register(client, connector.config)[0]
    number = outcome.number
    item = methods.get(client, Entity.CONNECTOR, number)
    fields = {key: item[key] for key in outcome.sent}
    other = methods.add(
        client, Entity.CONNECTOR, fields | {"urlCheck": "https://x.example/api/company/check"}
    )
    assert register(client, connector.config)[0].number == number
    assert [o.number for o in unregister(client, connector.config)] == [number, number + 1]
    assert [c["id"] for c in methods.listed(client, Entity.CONNECTOR)] == [other]


def test_a_service_that_has_moved_keeps_its_sources(b24, connector):
    client = b24.client()
    numbers = [outcome.number for outcome in register(client, connector.config)]
    moved = read_config(connector.path, CONNECTOR_SERVER__PUBLIC_URL="https://new.example.com")
    plain = register(client, moved, dry_run=True)
    assert [outcome.action for outcome in plain] == [Action.ADDED, Action.ADDED]
    outcomes = register(client, moved, moved_from=f"{connector.url}/")
    assert [outcome.number for outcome in outcomes] == numbers
    assert set(outcomes[0].sent) == {"urlCheck", "urlData", "urlTableList", "urlTableDescription"}
    item = methods.get(client, Entity.CONNECTOR, numbers[0])
    assert item["urlData"] == "https://new.example.com/api/company/data"
    assert register(client, moved)[0].action is Action.UNCHANGED


def test_a_dry_run_sends_nothing(b24, connector):
    client = b24.client()
    outcomes = register(client, connector.config, dry_run=True)
    assert actions(outcomes) == [("company", Action.ADDED), ("archive", Action.ADDED)]
    assert changes(b24) == []


def test_twins_are_told_and_unregistered_as_well(b24, connector):
    client = b24.client()
    fields = register(client, connector.config)[0].sent
    twin = methods.add(client, Entity.CONNECTOR, fields)
    outcome = register(client, connector.config)[0]
    assert (outcome.action, outcome.twins) == (Action.UNCHANGED, (twin,))
    assert unregister(client, connector.config)[0].twins == (twin,)
    assert methods.listed(client, Entity.CONNECTOR) == []
    assert unregister(client, connector.config)[0].action is Action.MISSING


def test_a_connector_with_sources_stays(b24, connector):
    client = b24.client()
    number = register(client, connector.config)[0].number
    settings = {"token": SOURCE_TOKEN}
    methods.add(client, Entity.SOURCE, {"title": "S", "connectorId": number, "settings": settings})
    with pytest.raises(InUse):
        unregister(client, connector.config)


def test_a_portal_that_goes_down_in_the_middle(b24, connector):
    client = b24.client()
    b24.fault("biconnector.connector.add", skip=1, times=0)
    with pytest.raises(TryLater):
        register(client, connector.config)
    assert len(methods.listed(client, Entity.CONNECTOR)) == 1
    b24.heal()
    assert actions(register(client, connector.config)) == [
        ("company", Action.UNCHANGED),
        ("archive", Action.ADDED),
    ]
    assert len(methods.listed(client, Entity.CONNECTOR)) == 2


def test_an_answer_that_was_lost_is_found_the_next_time(b24, connector):
    """The connector was made, but a proxy broke the answer."""
    client = b24.client()
    with pytest.raises(Nonsense):
        lossy_register(client, connector.config)
    assert actions(register(client, connector.config)) == [
        ("company", Action.UNCHANGED),
        ("archive", Action.ADDED),
    ]


def lossy_register(client, config):
    def lost(method, parameters=None, **more):
        result = type(client).call(client, method, parameters, **more)
        return "" if method.endswith(".add") else result

    return register(Lossy(lost), config)


class Lossy:
    def __init__(self, call):
        self.call = call


def test_a_portal_that_answers_nonsense(b24, connector):
    client = b24.client()
    b24.fault("biconnector.connector.list", kind="nonsense", status=200, times=0)
    with pytest.raises(Nonsense):
        register(client, connector.config)
    assert changes(b24) == []


def test_limits_are_checked_before_anything_is_sent(b24, tmp_path):
    config = read_config(write_config(tmp_path, b24.url, "http://127.0.0.1:9"))
    object.__setattr__(config.server, "public_url", f"http://127.0.0.1:9/{'x' * 2100}")
    with pytest.raises(BadTile, match="urlCheck of company is longer than 2048"):
        register(b24.client(), config)
    object.__setattr__(config.server, "public_url", "")
    with pytest.raises(BadTile, match=r"server\.public_url is not set"):
        register(b24.client(), config)
    assert b24.calls() == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:8000", "private"),
        ("https://10.1.2.3", "private"),
        ("https://[::1]", "private"),
        ("https://localhost", "private"),
        ("https://bi.internal", "private"),
        ("http://bi.example.com", "not https"),
        ("https://bi.example.com", ""),
    ],
)
def test_addresses_that_a_portal_would_not_call(tmp_path, url, words):
    config = read_config(write_config(tmp_path, "", "https://bi.example.com"))
    object.__setattr__(config.server, "public_url", url)
    assert words in unreachable(config)
    assert bool(words) == bool(unreachable(config))


def data_uri(content, kind="image/png"):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF1234WEBPVP8 ", "image/webp"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"<?xml version='1.0'?>\n<!-- a -->\n<svg/>".replace(b"/>", b" />"), "image/svg+xml"),
    ],
)
def test_a_logo_from_a_file_or_a_data_uri(tmp_path, content, kind):
    path = tmp_path / "logo"
    path.write_bytes(content)
    assert logo_text(str(path)) == data_uri(content, kind)
    assert logo_text(data_uri(content, kind)) == data_uri(content, kind)


@pytest.mark.parametrize(
    ("logo", "words"),
    [
        (data_uri(b"<html>"), "not an image"),
        (data_uri(PNG, "image/gif"), "says image/gif"),
        ("data:image/png,abc", "such as data:image/png;base64"),
        ("data:image/png;base64,***", "base64 is broken"),
        ("/nowhere/logo.png", "cannot be read"),
        (data_uri(PNG + b"0" * 300_000), "larger than 256 KiB"),
    ],
)
def test_what_is_no_logo(logo, words):
    with pytest.raises(BadLogo, match=words):
        logo_text(logo)


def test_a_logo_from_an_address():
    with listening(Response(PNG, mimetype="image/png")) as url:
        assert logo_text(f"{url}/logo.png") == f"{url}/logo.png"
    with (
        listening(Response("<h1>Log in</h1>")) as url,
        pytest.raises(BadLogo, match="not an image"),
    ):
        logo_text(url)
    with listening(Response("", 404)) as url, pytest.raises(BadLogo, match="status 404"):
        logo_text(url)
    with pytest.raises(BadLogo, match="cannot be fetched"):
        logo_text(url)


def test_the_commands_with_a_token(b24, connector):
    token = b24.tokens()["access_token"]
    first = run(connector, "register", "--portal", b24.url, token=token)
    assert (first.exit_code, first.output.count("added")) == (0, 2), first.output
    second = run(connector, "register", "--portal", b24.url, token=token)
    assert "Nothing had to be changed." in second.output
    status = run(connector, "status", "--portal", b24.url, token=token)
    assert (status.exit_code, status.output.count("up to date")) == (0, 2), status.output
    assert status.output.count("its four addresses answer") == 2
    removed = run(connector, "unregister", "--portal", b24.url, token=token)
    assert removed.output.count("removed") == 2
    status = run(connector, "status", "--portal", b24.url, token=token)
    assert (status.exit_code, status.output.count("not registered")) == (1, 2), status.output


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Response("<h1>Bad Gateway</h1>", 502),
            "with status 502, as a proxy does behind which",
        ),
        (Response("", 504), "this service is not running or cannot be reached"),
        (Response("", 302, {"Location": "https://a"}), "redirects, with status 302"),
        (Response("hello"), "something else answers at"),
    ],
)
def test_what_answers_in_our_place_is_said(answer, words):
    with listening(answer) as url:
        reasons = silent({"urlCheck": f"{url}/api/company/check"})
    assert words in reasons["check"]
    assert f"{url}/api/company/check" in reasons["check"]


def test_the_commands_for_machines(b24, connector):
    token = b24.tokens()["access_token"]
    options = ("--portal", b24.url, "--json")
    made = json.loads(run(connector, "register", *options, "--dry-run", token=token).stdout)
    assert [(m["connector"], m["action"], m["id"]) for m in made] == [
        ("company", "added", None),
        ("archive", "added", None),
    ]
    assert made[0]["fields"]["title"] == "Company databases"
    run(connector, "register", *options, token=token)
    status = json.loads(run(connector, "status", *options, token=token).stdout)
    assert [m["silent"] for m in status["connectors"]] == [{}, {}]
    assert status["others"] == []


def test_the_commands_of_an_installed_application(b24, connector):
    assert b24.page(connector.url).status == 200
    b24.control("tokens/expire")
    again = run(connector, "register")
    assert (again.exit_code, "Nothing had to be changed." in again.output) == (0, True), again
    shown = run(connector, "register", "--dry-run", "--moved-from", "https://old.example.com")
    assert shown.output.count("unchanged") == 2
    assert run(connector, "status").exit_code == 0
    assert run(connector, "unregister", "--dry-run").output.count("would be removed") == 2
    assert len(b24.state["connectors"]) == 2
    removed = json.loads(run(connector, "unregister", "--json").stdout)
    assert [item["action"] for item in removed] == ["removed", "removed"]
    assert b24.state["connectors"] == []


def test_a_token_is_asked_for_and_not_shown(b24, connector):
    token = b24.tokens()["access_token"]
    asked = run(connector, "register", "--portal", b24.url, "--ask-token", text=f"{token}\n")
    assert asked.exit_code == 0, asked.output
    assert token not in asked.output


def test_status_names_what_is_amiss(b24, connector, tmp_path):
    token = b24.tokens()["access_token"]
    client = b24.client(token)
    number = register(client, connector.config)[0].number
    methods.update(client, Entity.CONNECTOR, number, {"title": "Renamed"})
    status = run(connector, "status", "--portal", b24.url, token=token)
    assert (status.exit_code, "differs in title" in status.output) == (1, True), status.output
    with listening(Response("Not here", 404)) as elsewhere:
        moved = run(
            connector,
            *("status", "--portal", b24.url),
            token=token,
            CONNECTOR_SERVER__PUBLIC_URL=elsewhere,
        )
    assert moved.exit_code == 1
    assert moved.output.count("something else answers") == 8
    assert f"Connector {number} (Renamed) is not in the configuration" in moved.output


@pytest.mark.parametrize("option", ["--portal", "token", "prompt"])
def test_a_webhook_is_refused_with_the_reason(b24, connector, option):
    webhook = b24.control("webhooks")["url"]
    match option:
        case "--portal":
            refused = run(connector, "register", "--portal", webhook)
        case "token":
            refused = run(connector, "register", "--portal", b24.url, token=webhook)
        case _:
            prompt = ("register", "--portal", b24.url, "--ask-token")
            refused = run(connector, *prompt, text=f"{webhook}\n")
    assert refused.exit_code == 1
    assert "ACCESS_DENIED to webhooks" in refused.output
    assert "local application" in refused.output
    assert webhook.split("/")[-2] not in refused.output
    assert b24.calls() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Say with --portal whose access token"),
        (("--portal", "https://evil.example"), "not among portal.domains"),
        (("--portal", "acme.bitrix24.com/x y"), "not among portal.domains"),
        (("--portal", "no address"), "is not the address of a portal"),
    ],
)
def test_a_token_goes_to_no_stranger(b24, connector, arguments, words):
    refused = run(connector, "register", *arguments, token=b24.tokens()["access_token"])
    assert (refused.exit_code, words in refused.output) == (1, True), refused.output


def test_without_a_token_or_an_installation(b24, connector):
    refused = run(connector, "register")
    assert refused.exit_code == 1
    assert "The application is not installed" in refused.output
    refused = run(connector, "register", CONNECTOR_SECRET_KEY="")
    assert "CONNECTOR_SECRET_KEY" in refused.output


def test_a_failure_is_one_sentence_and_a_way_out(b24, connector):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
        started = time.monotonic()
        failed = run(
            connector,
            *("register", "--portal", dead),
            token="an-access-token",
            CONNECTOR_PORTAL__DOMAINS=dead,
        )
    assert time.monotonic() - started < 20
    assert failed.exit_code == 1
    assert f"The portal {dead} cannot be reached (UNREACHABLE). Try again" in failed.output
    assert "Traceback" not in failed.output
    assert "an-access-token" not in failed.output
