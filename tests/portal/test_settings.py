"""The section `[portal]`, and the addresses that it admits."""

import pytest

from app.config import ConfigError
from app.portal.origins import (
    BadAddress,
    WebhookAddress,
    admits,
    origin_of,
    place,
    read_origin,
    refuse_webhook,
)
from app.portal.settings import CLOUD_DOMAINS, OAUTH_SERVERS
from tests.portal.kit import KEY, TOML, read_config


def config(tmp_path, portal="", **environ):
    path = tmp_path / "connector.toml"
    text = TOML.format(directory=tmp_path, token="t", client_id="i", client_secret="s3cret")
    path.write_text(text.partition("[portal]")[0] + f"[portal]\n{portal}")
    return read_config(path, **environ)


def test_the_defaults(tmp_path):
    portal = config(tmp_path).portal
    assert portal.domains == CLOUD_DOMAINS
    assert portal.oauth_servers == OAUTH_SERVERS
    assert portal.database_url == "sqlite:///var/portal.db"
    assert portal.secret_keys == (KEY,)


def test_the_environment_wins(tmp_path):
    portal = config(
        tmp_path,
        'domains = ["acme.bitrix24.eu"]',
        DATABASE_URL="postgresql://u:hunter22@db/tokens",
        CONNECTOR_PORTAL__DOMAINS="http://127.0.0.1:8001, *.acme.example",
        CONNECTOR_SECRET_KEY=f"{KEY},{KEY}2",
    ).portal
    assert portal.domains == ("http://127.0.0.1:8001", "*.acme.example")
    assert portal.secret_keys == (KEY, f"{KEY}2")
    assert portal.database_url == "postgresql://u:hunter22@db/tokens"
    assert "hunter22" in portal.secrets()
    assert "hunter22" not in repr(portal)


def test_a_variable_in_the_database_url_is_one_part_of_it(tmp_path):
    setting = 'database_url = "postgresql://u:${PASSWORD}@db/tokens"'
    portal = config(tmp_path, setting, PASSWORD="a@b/c").portal
    assert portal.database_url == "postgresql://u:a%40b%2Fc@db/tokens"


@pytest.mark.parametrize(
    ("portal", "environ", "words"),
    [
        ('client_id = "x"', {}, "portal.client_secret: is missing"),
        ('client_secret = "x"', {}, "portal.client_id: is missing"),
        ('domains = ["https://*"]', {}, "portal.domains.0: 'https://\\*' is not a host"),
        ('domains = ["a b"]', {}, "is not a host"),
        ('oauth_servers = ["https://a/b"]', {}, "is not a host"),
        ('secret_key = "x"', {}, "portal.secret_key: is not a setting"),
        ('database_url = "nonsense"', {}, "portal.database_url: is not a database's address"),
        ("", {"DATABASE_URL": "nonsense"}, "DATABASE_URL: is not a database's address"),
        ("", {"CONNECTOR_SECRET_KEY": "short"}, "CONNECTOR_SECRET_KEY: is shorter than 32"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, portal, environ, words):
    with pytest.raises(ConfigError, match=words):
        config(tmp_path, portal, **environ)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("acme.bitrix24.com", "https://acme.bitrix24.com"),
        ("HTTPS://Acme.Bitrix24.COM:443", "https://acme.bitrix24.com"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://portal:80/", "http://portal"),
    ],
)
def test_addresses(text, whole):
    assert str(read_origin(text)) == whole
    assert str(origin_of(whole + "/rest/")) == whole


@pytest.mark.parametrize(
    "text",
    [
        *("", "https://", "a b", "a@b", "a/b", "a?b", "a#b", "a:0", "a:70000", "*.a.b", "-a"),
        *("a..b", "a\\b", "a\nb", "ftp://a", "https://[::1]", "javascript:alert(1)"),
        "аcme.bitrix24.com",  # its first letter is Cyrillic
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(BadAddress):
        read_origin(text)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("acme.bitrix24.com", True),
        ("acme.bitrix24.com.br", True),
        ("acme.bitrix24.evil.example", False),
        ("a.b.bitrix24.com", False),
        ("bitrix24.com", False),
        ("evilbitrix24.com", False),
        ("http://acme.bitrix24.com", False),
        ("acme.bitrix24.com:8443", False),
    ],
)
def test_what_the_default_list_admits(address, allowed):
    assert admits(CLOUD_DOMAINS, read_origin(address)) is allowed


def test_plain_http_and_ports_are_admitted_by_name():
    emulator = read_origin("http://127.0.0.1:8001")
    assert admits(("http://127.0.0.1:8001",), emulator)
    assert not admits(("127.0.0.1", "127.0.0.1:8001", "http://127.0.0.1"), emulator)
    assert not admits((), emulator)


@pytest.mark.parametrize(
    "text",
    [
        "https://acme.bitrix24.com/rest/1/abcdef123456/",
        "acme.bitrix24.com/rest/1/abcdef123456/profile.json",
        "https://acme.bitrix24.com/rest/api/17/abcdef/",
    ],
)
def test_webhooks_are_recognised(text):
    with pytest.raises(WebhookAddress) as caught:
        refuse_webhook(text)
    assert "abcdef" not in str(caught.value)
    refuse_webhook("https://acme.bitrix24.com/rest/")


def test_a_place_is_host_and_path():
    assert place("https://bi.example.com/api/x/check") == ("bi.example.com", "/api/x/check")
    assert place("http://BI.example.com:80/api/x/check/") == ("bi.example.com", "/api/x/check")
    assert place("https://bi.example.com:8443/a") == ("bi.example.com:8443", "/a")
