"""How the portal calls a connector: headers, redirects, patience, and which answers count."""

import gzip
import time

import pytest

from emulator import outgoing
from emulator.options import Limits
from emulator.outgoing import Caller, UnavailableError
from emulator.wire_log import WireLog
from tests.portal.emulator_kit import always, connector_fields

pytest_plugins = ["tests.portal.emulator_fixtures"]
PARAMS = {"limit": 20, "connection": {"token": "t"}, "filter": {"0": {"=A": False}}, "x": None}


@pytest.fixture
def log():
    return WireLog(list)


@pytest.fixture
def call(played, log):
    """Return a function that calls an endpoint of the played connector."""

    def ask(name="data", *, allow_private=True, url="", silence=0.4):
        caller = Caller(Limits(connect=5, silence=silence), allow_private, log)
        return outgoing.call(caller, name, url or played.endpoint(name), PARAMS)

    return ask


def refused(call, reason, **how):
    with pytest.raises(UnavailableError) as caught:
        call(**how)
    assert caught.value.reason == reason
    return str(caught.value)


def test_the_request_as_sent(played, call):
    played.replace["data"] = always(200, [])
    assert call() == b"[]"
    heard = played.last("data")
    assert heard.method == "POST"
    assert heard.headers == [
        ("Host", played.url.removeprefix("http://")),
        ("Connection", "close"),
        ("Accept", "*/*"),
        ("Accept-Language", "en"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Length", str(len(heard.body))),
    ]
    assert heard.body == "limit=20&connection%5Btoken%5D=t&filter%5B0%5D%5B%3DA%5D=0"


@pytest.mark.parametrize("status", [201, 204, 400, 401, 404, 500, 503])
def test_only_status_200_counts(played, call, log, status):
    body = b"" if status == 204 else b'{"error": "X"}'
    played.replace["data"] = always(status, body)
    assert str(status) in refused(call, "status")
    entry = log.after(0)[-1]
    assert (entry["status"], entry["response_body"]) == (status, body.decode())


@pytest.mark.parametrize("body", [b"", b"0"])
def test_what_php_takes_for_nothing_does_not_count(played, call, body):
    played.replace["data"] = always(200, body)
    refused(call, "empty")


@pytest.mark.parametrize("body", [b"00", b" ", b"false", b"[]"])
def test_what_php_takes_for_something_counts(played, call, body):
    played.replace["data"] = always(200, body)
    assert call() == body


@pytest.mark.parametrize(
    ("status", "method"),
    [(301, "POST"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")],
)
def test_redirects_are_followed(played, call, status, method):
    played.replace["data"] = always(status, b"moved", {"Location": "../other/target"})
    played.replace["target"] = always(200, b"[1]")
    assert call() == b"[1]"
    heard = played.heard[-1]
    assert (heard.method, heard.path) == (method, "/api/other/target")
    assert bool(heard.body) == (method == "POST")


def test_five_redirects_are_the_most(played, call):
    def hop(heard, _handler):
        number = int(heard.path.rpartition("=")[2]) if "=" in heard.path else 0
        if number == limit:
            return 200, {}, b"[]"
        return 307, {"Location": f"{played.endpoint('data')}?hop={number + 1}"}, b""

    played.replace["data"] = hop
    limit = 5
    assert call() == b"[]"
    limit = 6
    refused(call, "redirects")


def test_silence_before_the_first_byte_ends_the_call(played, call):
    def silent(_heard, handler):
        time.sleep(0.6)
        return 200, {}, b"[]"

    played.replace["data"] = silent
    assert "0.3 s" in refused(call, "silence", silence=0.3)


def test_bytes_reset_the_silence(played, call):
    def slowly(_heard, handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(5):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.2)
        handler.wfile.write(b"[]")

    played.replace["data"] = slowly
    started = time.monotonic()
    assert call(silence=0.5).strip() == b"[]"
    assert time.monotonic() - started > 0.5


def test_silence_in_the_middle_ends_the_call(played, call):
    def stalls(_heard, handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"[[1],")
        handler.wfile.flush()
        time.sleep(0.6)

    played.replace["data"] = stalls
    refused(call, "silence", silence=0.3)


def test_an_answer_cut_short_does_not_count(played, call):
    played.replace["data"] = always(200, b"[[1],", {"Content-Length": "400"})
    refused(call, "cut")


def test_gzip_is_understood_though_not_asked_for(played, call, log):
    packed = gzip.compress(b"[[1]]")
    played.replace["data"] = always(200, packed, {"Content-Encoding": "gzip"})
    assert call() == b"[[1]]"
    assert log.after(0)[-1]["response_body"] == "[[1]]"
    played.replace["data"] = always(200, packed[:-9], {"Content-Encoding": "gzip"})
    refused(call, "cut")


def test_private_addresses_are_refused_before_anything_is_sent(played, call):
    for host in ("127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.1.1", "0.0.0.0"):
        refused(call, "private_address", allow_private=False, url=f"http://{host}:9/x")
    assert played.heard == []


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("192.168.1.1", True),
        ("172.16.0.1", True),
        ("100.64.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("fe80::1%eth0", True),
    ],
)
def test_which_addresses_are_private(address, private):
    assert outgoing.is_private(address) is private


def test_a_redirect_to_a_private_address_is_refused_too(played, log, monkeypatch):
    monkeypatch.setattr(outgoing, "is_private", lambda address: address != "127.0.0.1")
    played.replace["data"] = always(307, b"", {"Location": "http://127.0.0.2:9/x"})
    caller = Caller(Limits(connect=5, silence=1), allow_private=False, log=log)
    with pytest.raises(UnavailableError) as caught:
        outgoing.call(caller, "data", played.endpoint("data"), PARAMS)
    assert caught.value.reason == "private_address"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "http://", "nonsense", ""])
def test_addresses_that_cannot_be_called(call, log, url):
    caller = Caller(Limits(), allow_private=True, log=log)
    with pytest.raises(UnavailableError) as caught:
        outgoing.call(caller, "data", url, PARAMS)
    assert caught.value.reason == "address"


def test_nobody_there(call):
    assert "127.0.0.1:9" in refused(call, "connect", url="http://127.0.0.1:9/x")


def test_the_portal_refuses_private_addresses_when_told_to(portal, played):
    connector = portal.rest("biconnector.connector.add", fields=connector_fields(played))["id"]
    portal.control("settings", allow_private=False)
    fields = {"title": "Shop", "connectorId": connector, "settings": {"token": "x"}}
    code = portal.code("biconnector.source.add", fields=fields)
    assert code == "SOURCE_CREATE_CONNECTION_ERROR"
    assert played.heard == []
    assert "private" in portal.wire()[-2]["error"]
