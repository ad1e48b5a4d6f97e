"""Kinds of values that settings have, and the settings of whatever answers with rows."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields, validate

from app.wire.dates import DateOrder

# Names of connectors stand in URLs, those of sources in table codes, where "__" has a meaning.
NAME = validate.Regexp(
    r"^(?!.{60})[a-z](_?[a-z0-9])*\Z",
    error="is not a name: lower-case letters, digits and single underscores, a letter first, "
    "59 characters at most",
)
TOKEN = validate.Regexp(
    r"^(?!sha256:)\S+\Z|^sha256:[0-9a-f]{64}\Z",
    error="is not a token: text without spaces, or sha256: and 64 hexadecimal digits",
)
# A column alone would match nothing, and what it was meant to hide would be seen.
_COLUMN = validate.Regexp(r".+\..+", error="has to say table and column, as in customers.phone")
_UNKNOWN = {
    "unknown": "is not a setting; see docs/configuration.md",
    "type": "has to be a table",
}


class Strict(Schema):
    """A table of the file that names whatever it does not know."""

    error_messages = _UNKNOWN


class Lines(fields.List[str]):
    """A list of texts, or one text with commas, as an environment variable has to say it."""

    def __init__(self, item: validate.Validator | None = None, **more: Any) -> None:
        super().__init__(fields.String(validate=item), load_default=(), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, str):
            value = [item.strip() for item in value.split(",") if item.strip()]
        return tuple(super()._deserialize(value, attr, data, **more))


class Networks(Lines):
    """Addresses and networks of IP."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        texts = super()._deserialize(value, attr, data, **more)
        try:
            return tuple(ipaddress.ip_network(text) for text in texts)
        except ValueError as error:
            raise ValidationError(f"has to hold addresses or networks: {error}") from None


class Zone(fields.String):
    """The name of a time zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        name = super()._deserialize(value, attr, data, **more)
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValidationError(f"{name!r} is not a time zone such as Europe/Berlin") from None


class Seconds(fields.Float):
    """A span of time."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        seconds = super()._deserialize(value, attr, data, **more)
        # Beyond every limit all is the same, and some of it is too much for a timedelta.
        return timedelta(seconds=max(-1.0, min(seconds, 1e9)))


def at_least(seconds: float) -> validate.Validator:
    """For :class:`Seconds`; a day is the most."""
    return validate.Range(
        min=timedelta(seconds=seconds),
        max=timedelta(days=1),
        error=f"has to be between {seconds:g} and 86400 seconds",
    )


class AnswersSchema(Strict):
    """What a configured source and a connector with sources of its users have in common."""

    tables = Lines()
    hide = Lines(_COLUMN)
    timezone = Zone(load_default=ZoneInfo("UTC"))
    date_order = fields.Enum(DateOrder, by_value=True, load_default=DateOrder.MDY)
    timeout = Seconds(load_default=timedelta(seconds=240), validate=at_least(0.1))
    max_rows = fields.Integer(load_default=0, validate=validate.Range(0))
    max_answers = fields.Integer(load_default=8, validate=validate.Range(1))
    schema_ttl = Seconds(load_default=timedelta(seconds=60), validate=at_least(0))
