"""A connector of the configuration in the words of the portal, within the portal's limits."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from app.config import Config, Connector
from app.portal.logo import BadLogo, is_address, logo_text

ENDPOINTS = {
    "urlCheck": "check",
    "urlTableList": "table_list",
    "urlTableDescription": "table_description",
    "urlData": "data",
}
# Bitrix24 REST: biconnector.connector.add.
_LONGEST_TEXT = 512
_LONGEST_URL = 2048


class BadTile(ValueError):
    """A connector cannot be registered as it is configured; the message says what to change."""


class Setting(NamedTuple):
    """What the users of a tile type in.

    ``type`` is STRING: old portals know no other, and a number can be typed into it.
    """

    code: str
    name: str
    type: str = "STRING"


# By the kind of access: the settings of a connection, which come back to us in every request.
SETTINGS: Mapping[str, tuple[Setting, ...]] = {
    "token": (Setting("token", "Token"),),
    "direct": (
        Setting("host", "Host"),
        Setting("port", "Port"),
        Setting("database", "Database"),
        Setting("username", "User name"),
        Setting("password", "Password"),
    ),
}


def tile(config: Config, connector: Connector) -> dict[str, Any]:
    """All fields of the connector; raises :class:`BadTile`."""
    fields: dict[str, Any] = {
        "title": connector.title,
        "logo": _logo(connector),
        "description": connector.description,
        **addresses(config, connector),
        "settings": [setting._asdict() for setting in SETTINGS[connector.access]],
        "supportMapping": True,
    }
    if connector.sort is not None:
        fields["sort"] = connector.sort
    if connector.source_code:
        fields["sourceCode"] = connector.source_code
    _check(connector.name, fields)
    return fields


def addresses(config: Config, connector: Connector) -> dict[str, str]:
    """The four URLs of a connector; raises :class:`BadTile` if nobody knows where we are."""
    base = config.server.public_url
    if not base:
        raise BadTile(
            "server.public_url is not set: say there under which address the portal reaches this "
            "service, as https://bi.example.com."
        )
    return {field: endpoint(base, connector.name, field) for field in ENDPOINTS}


def endpoint(base: str, connector: str, field: str) -> str:
    """The address that ``field`` of a connector holds for a service at ``base``."""
    return f"{base.rstrip('/')}/api/{connector}/{ENDPOINTS[field]}"


def unreachable(config: Config) -> str:
    """Why a portal in the cloud would not call ``public_url``, or nothing.

    Bitrix24: private, loopback and link-local addresses are refused.
    """
    url = urlsplit(config.server.public_url)
    host = url.hostname or ""
    try:
        private = not ipaddress.ip_address(host).is_global
    except ValueError:
        private = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    if private:
        return f"{host} is a private address, which a portal does not call unless told to."
    if url.scheme != "https":
        return f"{config.server.public_url} is not https: tokens and rows can be read on their way."
    return ""


def unusable_logos(config: Config) -> Iterator[str]:
    """What is wrong with the logos of the configuration; none is fetched for it."""
    for connector in config.connectors.values():
        if not is_address(connector.logo):
            try:
                _logo(connector)
            except BadTile as error:
                yield str(error)


def _logo(connector: Connector) -> str:
    try:
        return logo_text(connector.logo)
    except BadLogo as error:
        raise BadTile(f"connectors.{connector.name}.logo: {error}") from None


def _check(name: str, fields: Mapping[str, Any]) -> None:
    if len(fields["title"]) > _LONGEST_TEXT:
        raise BadTile(f"connectors.{name}.title is longer than {_LONGEST_TEXT} characters.")
    for field in ENDPOINTS:
        if len(fields[field]) > _LONGEST_URL:
            raise BadTile(f"{field} of {name} is longer than {_LONGEST_URL} characters.")
    for setting in fields["settings"]:
        if max(len(setting["code"]), len(setting["name"])) > _LONGEST_TEXT:
            raise BadTile(f"A setting of {name} is longer than {_LONGEST_TEXT} characters.")
