"""connector.toml as validated settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from adapters.base import Table
from adapters.direct import DEFAULT_PORTS, Tls
from app.addresses import can_be_opened
from app.connector_settings import ConnectorSchema, read_tls
from app.direct.hosts import BadHost, HostList, Network
from app.environment import expanded, override
from app.fields import NAME, TOKEN, AnswersSchema, Lines, Networks, Seconds, Strict, at_least
from app.portal.settings import Portal, PortalSchema, with_environment
from app.wire.dates import DateOrder

DEFAULT_PATH = "config/connector.toml"


class ConfigError(Exception):
    """The configuration cannot be used; the text names file, key and reason, and no secret."""


@dataclass(frozen=True)
class Server:
    """``public_url`` is where portals reach this service, without a path; empty if not said.

    ``heartbeat`` is the longest that an answer under way leaves its reader without a byte, and
    ``max_answers`` how many long answers a worker gives at once. ``trusted_proxies`` are believed
    about whom they were called by; ``guesses_per_minute`` is how many wrong credentials are heard.
    ``metrics_token`` opens /metrics, plain or as a digest; empty if nothing does. With
    ``compression`` long answers are compressed for clients that ask for it.
    """

    public_url: str = ""
    heartbeat: timedelta = timedelta(seconds=15)
    max_answers: int = 12
    trusted_proxies: tuple[Network, ...] = ()
    guesses_per_minute: int = 20
    metrics_token: str = field(default="", repr=False)
    compression: bool = True


@dataclass(frozen=True)
class Source:
    """A database and what of it is published to whom."""

    name: str
    url: str = field(repr=False)
    tokens: tuple[str, ...] = field(repr=False)
    title: str
    connectors: tuple[str, ...]
    tables: tuple[str, ...]
    hide: tuple[str, ...]
    timezone: ZoneInfo
    date_order: DateOrder
    timeout: timedelta
    max_rows: int
    max_answers: int
    schema_ttl: timedelta
    queries: tuple[Table, ...]


@dataclass(frozen=True)
class Direct:
    """What the users of a connector may log in to, with what they type.

    A failed login is answered after ``connect_timeout``; ``source`` is what every database behind
    the connector is like, but for its address; ``tls`` is how all are connected to.
    """

    engine: str
    hosts: HostList
    connect_timeout: timedelta
    source: Source
    tls: Tls


@dataclass(frozen=True)
class Connector:
    """A tile in the portal; ``logo`` is a file, a URL or a data URI, empty for ours.

    ``direct`` is set if ``access`` is.
    """

    name: str
    title: str
    access: str = "token"
    description: str = ""
    logo: str = ""
    sort: int | None = None
    source_code: str = ""
    direct: Direct | None = None


@dataclass(frozen=True)
class Config:
    """A whole, valid configuration."""

    server: Server
    connectors: Mapping[str, Connector]
    sources: Mapping[str, Source]
    portal: Portal = field(default_factory=Portal)

    def secrets(self) -> Iterator[str]:
        """Every text that must never be shown."""
        yield from self.portal.secrets()
        yield self.server.metrics_token
        for source in self.sources.values():
            yield source.url
            yield from source.tokens
            for part in _secret_parts(source.url):
                yield from {part, unquote(part)}


def _secret_parts(url: str) -> Iterator[str]:
    """What stands where URLs have passwords, percent-encoded or not: ``user:…@``, ``?name=…``."""
    if password := re.search(r"://[^:/]*:([^@]*)@", url):
        yield password[1]
    yield from re.findall(r"[?&][^=&]*(?:pass|pwd|secret|token|key)[^=&]*=([^&]+)", url, re.I)


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check the file; raises :class:`ConfigError`."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from None
    try:
        override(tree, environ)
        config: Config = _ConfigSchema().load(expanded(tree, environ))
        return replace(config, portal=with_environment(config.portal, environ))
    except ValidationError as error:
        reasons = "\n".join(f"{path}: {key}: {reason}" for key, reason in _flat(error.messages, ()))
        raise ConfigError(reasons) from None


def _flat(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        # marshmallow's own levels: a table as such, and the two halves of an item of a mapping.
        silent = {"_schema"} | ({"key", "value"} if set(path[-2:-1]) & _MAPPINGS else set())
        for key, below in messages.items():
            yield from _flat(below, path if key in silent else (*path, str(key)))
    else:
        for message in messages:
            yield ".".join(path), message


_MAPPINGS = {"connectors", "sources", "queries"}
_REQUIRED: Any = {"required": "is missing"}


_NAMED = fields.String(validate=NAME)


def _has_no_path(url: str) -> None:
    if url.partition("://")[2].rstrip("/").count("/"):
        raise ValidationError("has to be without a path: the addresses in it are made here")


class _ServerSchema(Strict):
    public_url = fields.URL(
        schemes={"http", "https"}, require_tld=False, load_default="", validate=_has_no_path
    )
    heartbeat = Seconds(load_default=timedelta(seconds=15), validate=at_least(0.1))
    max_answers = fields.Integer(load_default=12, validate=validate.Range(1))
    trusted_proxies = Networks()
    guesses_per_minute = fields.Integer(load_default=20, validate=validate.Range(1))
    metrics_token = fields.String(load_default="", validate=TOKEN)
    compression = fields.Boolean(load_default=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Server:
        return Server(**data | {"public_url": data["public_url"].rstrip("/")})


class _QuerySchema(Strict):
    title = fields.String(load_default="")
    sql = fields.String(required=True, validate=validate.Length(1), error_messages=_REQUIRED)


class _SourceSchema(AnswersSchema):
    url = fields.String(required=True, error_messages=_REQUIRED, validate=can_be_opened)
    title = fields.String(load_default="")
    connectors = Lines()
    tokens = Lines(TOKEN, validate=validate.Length(1, error="needs a token at least"))
    queries = fields.Dict(_NAMED, fields.Nested(_QuerySchema))


class _ConfigSchema(Strict):
    server = fields.Nested(_ServerSchema, load_default=Server())
    connectors = fields.Dict(
        _NAMED, fields.Nested(ConnectorSchema), required=True, error_messages=_REQUIRED
    )
    sources = fields.Dict(_NAMED, fields.Nested(_SourceSchema), load_default=dict)
    portal = fields.Nested(PortalSchema, load_default=Portal())

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def needs_sources(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        """Connectors may all be direct, and then nothing else is needed."""
        connectors = data.get("connectors", {}).values()
        direct = [connector.get("direct", True) for connector in connectors]
        if "sources" not in original and not (direct and all(direct)):
            raise ValidationError("is missing", "sources")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Config:
        connectors = {name: _connector(name, c) for name, c in data["connectors"].items()}
        return Config(
            data["server"],
            connectors,
            {name: _source(name, s, connectors) for name, s in data["sources"].items()},
            data["portal"],
        )


def _connector(name: str, data: dict[str, Any]) -> Connector:
    direct = data.pop("direct")
    if direct is None:
        return Connector(name, **data)
    engine = direct.pop("engine")
    try:
        hosts = HostList(direct.pop("allow_hosts"), DEFAULT_PORTS[engine])
    except BadHost as error:
        raise ValidationError({"connectors": {name: {"allow_hosts": [str(error)]}}}) from None
    timeout = direct.pop("connect_timeout")
    try:
        tls = read_tls(direct.pop("tls"), direct.pop("tls_ca"))
    except ValidationError as error:
        raise ValidationError({"connectors": {name: {"tls_ca": error.messages}}}) from None
    source = Source(
        name=name,
        url="",
        tokens=(),
        title=data["title"],
        connectors=(name,),
        queries=(),
        **direct,
    )
    return Connector(name, **data, direct=Direct(engine, hosts, timeout, source, tls))


def _source(name: str, data: dict[str, Any], connectors: Mapping[str, Connector]) -> Source:
    if unknown := [c for c in data["connectors"] if c not in connectors]:
        raise ValidationError(
            {"sources": {name: {"connectors": [f"names {unknown[0]}, which is no connector"]}}}
        )
    if wrong := [c for c in data["connectors"] if connectors[c].direct]:
        reason = f"names {wrong[0]}, whose users type a login and no token"
        raise ValidationError({"sources": {name: {"connectors": [reason]}}})
    if not data["tokens"]:
        raise ValidationError({"sources": {name: {"tokens": ["needs a token at least"]}}})
    data["connectors"] = data["connectors"] or tuple(
        c for c, connector in connectors.items() if connector.direct is None
    )
    data["title"] = data["title"] or name
    data["queries"] = tuple(
        Table(query, comment=q["title"], sql=q["sql"])
        for query, q in data.get("queries", {}).items()
    )
    return Source(name=name, **data)
