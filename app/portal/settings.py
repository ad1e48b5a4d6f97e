"""The section ``[portal]`` of connector.toml: which portals are served, as which application.

Two values come from the environment. ``CONNECTOR_SECRET_KEY``, under which tokens are encrypted,
only from there: a key beside the data that it locks protects nothing. ``DATABASE_URL`` wins over
the file, since that is where platforms put it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.addresses import can_be_read
from app.portal.origins import is_pattern

KEY_VARIABLE = "CONNECTOR_SECRET_KEY"
DATABASE_VARIABLE = "DATABASE_URL"
DEFAULT_DATABASE = "sqlite:///var/portal.db"
# A shorter text can be guessed from a stolen database.
KEY_LENGTH = 32

_CLOUD = (
    "com ru eu de fr es it pl by kz in uk jp cn vn id mx co tr ua com.br com.tr"  # one per market
)
CLOUD_DOMAINS = tuple(f"*.bitrix24.{zone}" for zone in _CLOUD.split())
OAUTH_SERVERS = ("oauth.bitrix.info", "oauth.bitrix24.tech")


@dataclass(frozen=True)
class Portal:
    """How this service is known to portals, and which of them it talks to.

    ``client_id`` and ``client_secret`` are those of the local application. ``domains`` and
    ``oauth_servers`` are the only hosts that are ever called on the word of a request.
    """

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    domains: tuple[str, ...] = CLOUD_DOMAINS
    oauth_servers: tuple[str, ...] = OAUTH_SERVERS
    database_url: str = field(default=DEFAULT_DATABASE, repr=False)
    secret_keys: tuple[str, ...] = field(default=(), repr=False)

    def secrets(self) -> list[str]:
        """Every text that must never be shown."""
        password = make_url(self.database_url).password
        return [self.client_secret, *self.secret_keys, *([password] if password else [])]


def with_environment(portal: Portal, environ: Mapping[str, str]) -> Portal:
    """``portal`` with what the environment says; raises ValidationError."""
    url = environ.get(DATABASE_VARIABLE) or portal.database_url
    _check_url(url, DATABASE_VARIABLE if DATABASE_VARIABLE in environ else "portal.database_url")
    keys = tuple(key for key in environ.get(KEY_VARIABLE, "").split(",") if key)
    if any(len(key) < KEY_LENGTH for key in keys):
        raise ValidationError(
            {
                KEY_VARIABLE: [
                    f"is shorter than {KEY_LENGTH} characters; `b24-connector token` "
                    "makes a text that will do"
                ]
            }
        )
    return replace(portal, database_url=url, secret_keys=keys)


def _check_url(url: str, name: str) -> None:
    try:
        can_be_read(url)
    except ValidationError as error:
        raise ValidationError({name: error.messages}) from None
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        raise ValidationError(
            {name: ["is not a database's address, as sqlite:///var/portal.db is"]}
        ) from None


class _Origins(fields.List[str]):
    """A list of addresses, or one text with commas, as an environment variable has to say it."""

    def __init__(self, **more: Any) -> None:
        super().__init__(fields.String(validate=self._check), **more)

    @staticmethod
    def _check(text: str) -> None:
        if not is_pattern(text):
            raise ValidationError(
                f"{text!r} is not a host such as acme.bitrix24.com, *.bitrix24.com or "
                "http://127.0.0.1:8001"
            )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, str):
            value = [item.strip() for item in value.split(",") if item.strip()]
        return tuple(super()._deserialize(value, attr, data, **more))


class PortalSchema(Schema):
    """The section as it is written."""

    error_messages = {"unknown": "is not a setting; see docs/configuration.md"}  # noqa: RUF012

    client_id = fields.String(load_default="")
    client_secret = fields.String(load_default="")
    domains = _Origins(load_default=CLOUD_DOMAINS)
    oauth_servers = _Origins(load_default=OAUTH_SERVERS)
    database_url = fields.String(load_default=DEFAULT_DATABASE)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Portal:
        """Check what several settings say together."""
        if bool(data["client_id"]) != bool(data["client_secret"]):
            missing = "client_secret" if data["client_id"] else "client_id"
            raise ValidationError({missing: ["is missing; the portal shows both of them together"]})
        return Portal(**data)
