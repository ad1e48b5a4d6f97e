"""The settings of a connector: those of its tile, and those that only a direct one has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

from marshmallow import ValidationError, fields, post_load, validate

from adapters.direct import DEFAULT_PORTS, Tls, TlsMode
from app.fields import AnswersSchema, Lines, Seconds, at_least


class ConnectorSchema(AnswersSchema):
    """A table ``connectors.NAME`` of the file."""

    title = fields.String(
        required=True, validate=validate.Length(1, 512), error_messages={"required": "is missing"}
    )
    access = fields.String(validate=validate.OneOf(["token", "direct"]), load_default="token")
    description = fields.String(load_default="")
    logo = fields.String(load_default="")
    sort = fields.Integer(load_default=None)
    source_code = fields.String(load_default="", validate=validate.Length(max=64))
    engine = fields.String(validate=validate.OneOf(list(DEFAULT_PORTS)))
    allow_hosts = Lines()
    connect_timeout = Seconds(load_default=timedelta(seconds=5), validate=at_least(1))
    tls = fields.String(validate=validate.OneOf(get_args(TlsMode)), load_default=Tls.mode)
    tls_ca = fields.String(load_default="")

    @post_load(pass_original=True)
    def make(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The tile's own settings, and under ``direct`` those that only such a connector has."""
        of_tile = {name: data.pop(name) for name in _TILE}
        if data.get("engine") is None and of_tile["access"] == "direct":
            raise ValidationError({"engine": ["is missing: say postgresql, mysql or mariadb"]})
        if of_tile["access"] == "token" and (foreign := sorted(set(original) - set(_TILE))):
            raise ValidationError({foreign[0]: ['is only for access = "direct"']})
        return of_tile | {"direct": data if of_tile["access"] == "direct" else None}


_TILE = ("title", "access", "description", "logo", "sort", "source_code")


def read_tls(mode: TlsMode, ca: str) -> Tls:
    """The two settings as one; raises ValidationError if they do not go together."""
    tls = Tls(mode, ca)
    if mode != "verify" and ca:
        raise ValidationError('is only for tls = "verify"')
    if mode == "verify" and not ca:
        raise ValidationError('is missing: tls = "verify" needs a file with certificates')
    try:
        tls.context()
    except OSError as error:
        raise ValidationError(f"cannot be read as certificates: {error}") from None
    return tls
