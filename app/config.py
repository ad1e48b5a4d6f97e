"""connector.toml as validated settings.

Every string may hold ``${NAME}``, replaced by the environment variable of that name. A variable
``CONNECTOR_<SECTION>__<NAME>__<KEY>`` wins over the file: ``CONNECTOR_SOURCES__SHOP__TIMEOUT=60``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields, post_load, validate

from adapters.base import Table
from adapters.registry import UnknownScheme, adapter_class
from app.portal.settings import Portal, PortalSchema, with_environment
from app.wire.dates import DateOrder

DEFAULT_PATH = "config/connector.toml"
PREFIX = "CONNECTOR_"

# Names of connectors stand in URLs, those of sources in table codes, where "__" has a meaning.
_NAME = validate.Regexp(
    r"^[a-z](_?[a-z0-9]){0,58}$",
    error="is not a name: lower-case letters, digits and single underscores, a letter first",
)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOKEN = validate.Regexp(
    r"^(?!sha256:)\S+$|^sha256:[0-9a-f]{64}$",
    error="is not a token: text without spaces, or sha256: and 64 hexadecimal digits",
)


class ConfigError(Exception):
    """The configuration cannot be used; the text names file, key and reason, and no secret."""


@dataclass(frozen=True)
class Server:
    """``public_url`` is where portals reach this service, without a path; empty if not said."""

    public_url: str = ""


@dataclass(frozen=True)
class Connector:
    """A tile in the portal; ``logo`` is a file, a URL or a data URI, empty for ours."""

    name: str
    title: str
    access: str = "token"
    description: str = ""
    logo: str = ""
    sort: int | None = None
    source_code: str = ""


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
    schema_ttl: timedelta
    queries: tuple[Table, ...]


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
        for source in self.sources.values():
            yield source.url
            yield from source.tokens
            if password := re.search(r"://[^/]*?:([^/]*)@", source.url):
                yield password[1]


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check the file; raises :class:`ConfigError`."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from None
    _override(tree, environ)
    try:
        config: Config = _ConfigSchema().load(_expanded(tree, environ, ()))
        return replace(config, portal=with_environment(config.portal, environ))
    except ValidationError as error:
        reasons = "\n".join(f"{path}: {key} {reason}" for key, reason in _flat(error.messages, ()))
        raise ConfigError(reasons) from None


def _override(tree: dict[str, Any], environ: Mapping[str, str]) -> None:
    for name, value in environ.items():
        # Without "__" it is not ours: an orchestrator may set CONNECTOR_PORT for its own reasons.
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        *sections, key = name.removeprefix(PREFIX).lower().split("__")
        level = tree
        for section in sections:
            level = level.setdefault(section, {})
        level[key] = value


def _expanded(value: Any, environ: Mapping[str, str], path: tuple[str, ...]) -> Any:
    """``value`` with its variables replaced; in a URL each is one part, and so percent-encoded."""
    if isinstance(value, dict):
        return {key: _expanded(item, environ, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item, environ, (*path, str(i))) for i, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    part_of_url = path[-1:] in (("url",), ("database_url",)) and not value.startswith("${")

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise ValidationError(_nested(path, f"needs the environment variable {match[1]}"))
        return quote(environ[match[1]], safe="") if part_of_url else environ[match[1]]

    return _VARIABLE.sub(replaced, value)


def _nested(path: tuple[str, ...], message: str) -> dict[Any, Any]:
    nested: Any = [message]
    for key in reversed(path):
        nested = {key: nested}
    return dict(nested)


def _flat(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for key, below in messages.items():
            # "value" and "key" are marshmallow's own levels inside a mapping.
            yield from _flat(below, path if key in ("value", "key") else (*path, str(key)))
    else:
        for message in messages:
            yield ".".join(path), message


_UNKNOWN = {"unknown": "is not a setting; see docs/configuration.md"}


class _Strict(Schema):
    error_messages = _UNKNOWN


class _Lines(fields.List[str]):
    """A list of texts, or one text with commas, as an environment variable has to say it."""

    def __init__(self, item: validate.Validator | None = None, **more: Any) -> None:
        super().__init__(fields.String(validate=item), load_default=[], **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, str):
            value = [item.strip() for item in value.split(",") if item.strip()]
        return tuple(super()._deserialize(value, attr, data, **more))


class _Zone(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        name = super()._deserialize(value, attr, data, **more)
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValidationError(f"{name!r} is not a time zone such as Europe/Berlin") from None


class _Seconds(fields.Float):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        return timedelta(seconds=super()._deserialize(value, attr, data, **more))


def _at_least(seconds: float) -> validate.Validator:
    return validate.Range(
        min=timedelta(seconds=seconds),
        max=timedelta(days=1),
        error=f"has to be between {seconds:g} and 86400 seconds",
    )


def _has_adapter(url: str) -> None:
    try:
        adapter_class(url)
    except UnknownScheme as error:
        raise ValidationError(str(error)) from None


_NAMED = fields.String(validate=_NAME)


class _ServerSchema(_Strict):
    public_url = fields.URL(schemes={"http", "https"}, require_tld=False, load_default="")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Server:
        return Server(public_url=data["public_url"].rstrip("/"))


class _ConnectorSchema(_Strict):
    title = fields.String(required=True, validate=validate.Length(1, 512))
    access = fields.String(validate=validate.OneOf(["token"]), load_default="token")
    description = fields.String(load_default="")
    logo = fields.String(load_default="")
    sort = fields.Integer(load_default=None)
    source_code = fields.String(load_default="", validate=validate.Length(max=64))


class _QuerySchema(_Strict):
    title = fields.String(load_default="")
    sql = fields.String(required=True, validate=validate.Length(1))


class _SourceSchema(_Strict):
    url = fields.String(required=True, validate=_has_adapter)
    title = fields.String(load_default="")
    connectors = _Lines()
    tokens = _Lines(_TOKEN, validate=validate.Length(1, error="needs a token at least"))
    tables = _Lines()
    hide = _Lines()
    timezone = _Zone(load_default=ZoneInfo("UTC"))
    date_order = fields.Enum(DateOrder, by_value=True, load_default=DateOrder.MDY)
    timeout = _Seconds(load_default=timedelta(seconds=240), validate=_at_least(0.1))
    max_rows = fields.Integer(load_default=0, validate=validate.Range(0))
    schema_ttl = _Seconds(load_default=timedelta(seconds=60), validate=_at_least(0))
    queries = fields.Dict(_NAMED, fields.Nested(_QuerySchema))


class _ConfigSchema(_Strict):
    server = fields.Nested(_ServerSchema, load_default=Server())
    connectors = fields.Dict(_NAMED, fields.Nested(_ConnectorSchema), required=True)
    sources = fields.Dict(_NAMED, fields.Nested(_SourceSchema), required=True)
    portal = fields.Nested(PortalSchema, load_default=Portal())

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Config:
        connectors = {name: Connector(name, **c) for name, c in data["connectors"].items()}
        return Config(
            data["server"],
            connectors,
            {name: _source(name, s, connectors) for name, s in data["sources"].items()},
            data["portal"],
        )


def _source(name: str, data: dict[str, Any], connectors: Mapping[str, Connector]) -> Source:
    if unknown := [c for c in data["connectors"] if c not in connectors]:
        raise ValidationError({"sources": {name: {"connectors": [f"names no {unknown[0]}"]}}})
    if not data["tokens"]:
        raise ValidationError({"sources": {name: {"tokens": ["needs a token at least"]}}})
    data["connectors"] = data["connectors"] or tuple(connectors)
    data["title"] = data["title"] or name
    data["queries"] = tuple(
        Table(query, comment=q["title"], sql=q["sql"])
        for query, q in data.get("queries", {}).items()
    )
    return Source(name=name, **data)
