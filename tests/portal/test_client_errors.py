"""Errors of a portal, whatever shape they come in, as errors that say what to do."""

import json
import socket
import traceback

import pytest
from werkzeug.wrappers import Response

from app.portal import methods
from app.portal.errors import (
    _BY_CODE,
    AccessExpired,
    AccessLost,
    CheckFailed,
    InUse,
    Nonsense,
    NotFound,
    NotPermitted,
    PortalError,
    Refused,
    TryLater,
    UnknownMethod,
)
from app.portal.methods import Entity
from app.portal.origins import read_origin
from app.portal.register import register
from app.portal.rest import Client, Patience
from app.portal.sessions import GivenToken
from tests.portal.kit import QUICK, SOURCE_TOKEN, listening

METHOD = "biconnector.connector.list"


def listed(client):
    return methods.listed(client, Entity.CONNECTOR)


@pytest.mark.parametrize("kind", ["inner", "error"])
@pytest.mark.parametrize("code", sorted(_BY_CODE))
def test_every_code_in_both_shapes(b24, code, kind):
    client = b24.client()
    b24.fault(METHOD, kind=kind, status=200, error=code, description="Because.\n  So.", times=0)
    with pytest.raises(PortalError) as caught:
        listed(client)
    # A given token that has run out cannot be renewed.
    wanted = AccessLost if _BY_CODE[code] is AccessExpired else _BY_CODE[code]
    assert type(caught.value) is wanted
    assert caught.value.code.upper() == code
    if wanted is _BY_CODE[code]:
        assert caught.value.description == "Because. So."
    assert caught.value.advice.endswith((".", ")."))


@pytest.mark.parametrize(
    ("status", "wanted"),
    [(400, Refused), (403, Refused), (500, Refused), (429, TryLater), (503, TryLater)],
)
def test_a_code_that_nobody_knows(b24, status, wanted):
    b24.fault(METHOD, status=status, error="SOMETHING_NEW", times=0)
    with pytest.raises(wanted, match="SOMETHING_NEW"):
        listed(b24.client())


@pytest.mark.parametrize("code", ["QUERY_LIMIT_EXCEEDED", "OVERLOAD_LIMIT"])
def test_an_overloaded_portal_is_asked_again(b24, code):
    client = b24.client()
    b24.fault(METHOD, status=503, error=code, times=QUICK.attempts - 1)
    assert listed(client) == []
    assert [call["status"] for call in b24.calls(METHOD)] == [503, 503, 200]


def test_and_again_no_more_often_than_that(b24):
    client = b24.client()
    b24.fault(METHOD, status=503, times=0)
    with pytest.raises(TryLater, match="QUERY_LIMIT_EXCEEDED"):
        listed(client)
    assert len(b24.calls(METHOD)) == QUICK.attempts


def test_a_portal_that_needs_a_rest_is_asked_once(b24):
    client = b24.client()
    b24.fault(METHOD, status=429, error="OPERATION_TIME_LIMIT", times=0)
    with pytest.raises(TryLater, match="OPERATION_TIME_LIMIT"):
        listed(client)
    assert len(b24.calls(METHOD)) == 1


def test_a_page_of_html_from_a_proxy(b24):
    client = b24.client()
    b24.fault(METHOD, kind="nonsense", status=200)
    with pytest.raises(Nonsense):
        listed(client)
    b24.fault(METHOD, kind="nonsense", status=502)
    with pytest.raises(TryLater, match="HTTP_502"):
        listed(client)


@pytest.mark.parametrize(
    "body",
    [
        *("", "null", "5", '"text"', "[]", "{}", '{"result":', '{"result": {"error": 7}}'),
        *('{"result": 5}', '{"result": [5]}', '{"result": {"0": {}}}', '{"result": null}'),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_answers_that_make_no_sense(body, status):
    with listening(Response(body, status, mimetype="application/json")) as url:
        client = Client(GivenToken(read_origin(url), "t0ken"), QUICK)
        with pytest.raises((Nonsense, Refused)) as caught:
            listed(client)
    assert "t0ken" not in str(caught.value)


@pytest.mark.parametrize("result", [{}, {"id": None}, {"id": True}, {"id": "x"}, {"id": -1}, []])
def test_an_added_thing_has_an_id(result):
    with listening(Response(json.dumps({"result": result}))) as url:
        client = Client(GivenToken(read_origin(url), "t0ken"), QUICK)
        with pytest.raises(Nonsense):
            methods.add(client, Entity.CONNECTOR, {})
        with pytest.raises(Nonsense):
            methods.get(client, Entity.CONNECTOR, 1)
        with pytest.raises(Nonsense):
            methods.known_fields(client, Entity.CONNECTOR)
        with pytest.raises(Nonsense):
            methods.delete(client, Entity.CONNECTOR, 1)


@pytest.mark.parametrize("kind", [int, str])
def test_a_portal_that_repeats_its_first_page_does_not_hold_us_for_ever(kind):
    """Whether it writes its numbers as JSON's or, as PHP often does, as texts."""
    page = [{"id": kind(number)} for number in range(methods.PAGE)]
    with listening(Response(json.dumps({"result": page}))) as url:
        found = listed(Client(GivenToken(read_origin(url), "t0ken"), QUICK))
    assert [item["id"] for item in found] == list(range(methods.PAGE))


def test_a_redirect_is_not_followed():
    heard = []

    def elsewhere(environ, start_response):
        heard.append(environ["PATH_INFO"])
        return Response("{}")(environ, start_response)

    with listening(elsewhere) as there:
        moved = Response("", 302, headers={"Location": f"{there}/stolen"})
        with listening(moved) as url, pytest.raises(Nonsense):
            listed(Client(GivenToken(read_origin(url), "t0ken"), QUICK))
    assert heard == []


def test_a_portal_that_is_down():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        origin = read_origin(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(TryLater, match="UNREACHABLE"):
            listed(Client(GivenToken(origin, "t0ken"), QUICK))


def test_a_portal_that_is_silent(b24):
    client = b24.client(patience=Patience(connect=1, answer=0.2, attempts=1))
    b24.fault(METHOD, kind="delay", seconds=1)
    with pytest.raises(TryLater, match="TIMEOUT"):
        listed(client)


def test_a_source_may_take_as_long_as_our_check_does(b24, connector):
    client = b24.client(patience=Patience(connect=1, answer=0.3, checking=5, attempts=1))
    number = register(b24.client(), connector.config)[0].number
    b24.fault("biconnector.source.add", kind="delay", seconds=0.6)
    fields = {"title": "S", "connectorId": number, "settings": {"token": SOURCE_TOKEN}}
    assert methods.add(client, Entity.SOURCE, fields) > 0


def test_a_token_that_does_not_work_never_shows(b24):
    client = b24.client("an-access-token-of-nobody")
    with pytest.raises(AccessLost) as caught:
        listed(client)
    whole = "".join(traceback.format_exception(caught.value)) + repr(client)
    assert "an-access-token-of-nobody" not in whole


def test_a_portal_that_repeats_the_token_in_its_message(b24):
    client = b24.client("an-access-token-of-nobody")
    said = "What is an-access-token-of-nobody?"
    b24.fault(METHOD, status=400, error="ODD", description=said)
    with pytest.raises(Refused, match=r"What is \*\*\*\?"):
        listed(client)


def test_what_the_portal_itself_refuses(b24, connector):
    client = b24.client()
    number = register(client, connector.config)[0].number
    fields = {"title": "S", "connectorId": number, "settings": {"token": "wrong"}}
    with pytest.raises(CheckFailed):
        methods.add(client, Entity.SOURCE, fields)
    fields["settings"] = {"token": SOURCE_TOKEN}
    source = methods.add(client, Entity.SOURCE, fields)
    with pytest.raises(CheckFailed):
        methods.update(client, Entity.SOURCE, source, {"settings": {"token": "wrong"}})
    with pytest.raises(InUse):
        methods.delete(client, Entity.CONNECTOR, number)
    columns = [{"name": "ID", "externalCode": "ID", "type": "int"}]
    made = {"sourceId": source, "name": "o", "externalCode": "orders", "externalName": "O"}
    dataset = methods.add(client, Entity.DATASET, made | {"fields": columns})
    with pytest.raises(InUse):
        methods.delete(client, Entity.SOURCE, source)
    with pytest.raises(Refused, match="VALIDATION_DATASET_NAME_INVALID"):
        methods.add(client, Entity.DATASET, made | {"name": "Ö", "fields": columns})
    with pytest.raises(Refused, match="VALIDATION_IMMUTABLE_FIELD"):
        methods.update(client, Entity.DATASET, dataset, {"name": "other"})
    for entity in (Entity.CONNECTOR, Entity.SOURCE, Entity.DATASET):
        with pytest.raises(NotFound):
            methods.get(client, entity, 9999)
    with pytest.raises(UnknownMethod):
        client.call("biconnector.connector.paint")


def test_another_application_sees_nothing_of_ours(b24, connector):
    number = register(b24.client(), connector.config)[0].number
    b24.control("applications", client_id="local.other", client_secret="other")
    theirs = b24.control("tokens", client_id="local.other")["access_token"]
    with pytest.raises(NotFound):
        methods.delete(b24.client(theirs), Entity.CONNECTOR, number)


def test_scopes_and_rights(b24):
    b24.control("applications", client_id="local.crm", client_secret="crm", scope="crm")
    theirs = b24.control("tokens", client_id="local.crm")["access_token"]
    with pytest.raises(NotPermitted, match="insufficient_scope"):
        listed(b24.client(theirs))
    client = b24.client()
    b24.control("settings", user_has_access=False)
    with pytest.raises(NotPermitted, match="ACCESS_DENIED"):
        listed(client)


def test_the_same_error_from_an_old_portal(old_b24):
    with pytest.raises(NotFound):
        methods.get(old_b24.client(), Entity.CONNECTOR, 1)
