"""What each endpoint takes, as schemas over a decoded body (Bitrix24: the four endpoints)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load, validate

from app.errors import ApiError
from app.wire.form import Tree

MAX_LIMIT = 2**63 - 1

# All that a portal may send; a name beside them may be anything, a misplaced password too.
PARAMETERS = frozenset(
    {"connection", "filter", "limit", "mapFields", "name", "searchString", "select", "table"}
)

_LOST = re.compile(r"(filter|select|mapFields)_")
_FLAT = re.compile(r"(filter|select|mapFields)\[")

_CODES = {"limit": "INVALID_LIMIT", "filter": "INVALID_FILTER", "table": "MISSING_TABLE"}


@dataclass(frozen=True)
class TableListRequest:
    """``search`` is empty if all tables are asked for."""

    search: str = ""


@dataclass(frozen=True)
class TableRequest:
    """``table`` is a table's code."""

    table: str


@dataclass(frozen=True)
class DataRequest:
    """``select`` is None for all fields, ``limit`` None for all rows."""

    table: str
    select: tuple[str, ...] | None = None
    filter: Tree = field(default_factory=dict)
    limit: int | None = None
    map_fields: Mapping[str, str] = field(default_factory=dict)


Request = TypeVar("Request", TableListRequest, TableRequest, DataRequest)


def read_request(kind: type[Request], tree: Tree) -> Request:
    """``tree`` as a request of this kind; parameters that nobody knows are left to the future.

    Raises :class:`~app.errors.ApiError`: INVALID_FILTER, INVALID_LIMIT, INVALID_PARAMETER,
    MISSING_TABLE.
    """
    _refuse_lost(tree)
    try:
        loaded: Request = _SCHEMAS[kind].load(tree)
    except ValidationError as error:
        name, messages = next(iter(error.messages_dict.items()))
        message = messages[0] if isinstance(messages, list) else str(messages)
        raise ApiError(_CODES.get(name, "INVALID_PARAMETER"), f"{name} {message}.") from None
    return loaded


def _refuse_lost(tree: Tree) -> None:
    """What is asked for under a name that nobody reads would be lost."""
    for name in tree:
        if _LOST.match(name):  # PHP's name for filter[>=DAY]=… sent as it stands
            raise ApiError(
                "INVALID_PARAMETER",
                f"Parameter {name} has lost its brackets: percent-encode what stands in them.",
            )
        if _FLAT.match(name):  # only JSON has such a name
            raise ApiError(
                "INVALID_PARAMETER",
                f"Parameter {name} is a form's: in JSON, its brackets are objects in objects.",
            )


class _Text(fields.Field[str]):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("has to be one text, not a list")
        return value


class _Level(fields.Field[Tree]):
    """A PHP array; an empty text is what PHP leaves of none at all."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Tree:
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise ValidationError("has to be an array")
        return value


class _Texts(_Level):
    """A PHP array of texts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Tree:
        level = super()._deserialize(value, attr, data, **more)
        if any(not isinstance(text, str) for text in level.values()):
            raise ValidationError("has to hold texts only, no arrays")
        return level


class _Limit(_Text):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        text = super()._deserialize(value, attr, data, **more).strip()
        if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > MAX_LIMIT:
            raise ValidationError("has to be a whole number, 0 for all rows")
        return int(text) or None


class _Select(_Texts):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        level = {"0": value} if isinstance(value, str) and value else value
        return tuple(super()._deserialize(level, attr, data, **more).values()) or None


class _TableListSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    search = _Text(data_key="searchString", load_default="")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> TableListRequest:
        return TableListRequest(**data)


class _TableSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    table = _Text(
        required=True,
        validate=validate.Length(min=1, error="is missing: say which table by its code"),
        error_messages={"required": "is missing: say which table by its code"},
    )

    @pre_load
    def accept_name(self, data: Tree, **_: Any) -> Tree:
        """Older pages of the vendor call the table ``name``."""
        return data if data.get("table") or "name" not in data else data | {"table": data["name"]}

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> TableRequest | DataRequest:
        return TableRequest(**data)


class _DataSchema(_TableSchema):
    select = _Select()
    filter = _Level()
    limit = _Limit()
    map_fields = _Texts(data_key="mapFields")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> DataRequest:
        return DataRequest(**data)


_SCHEMAS: dict[type, Schema] = {
    TableListRequest: _TableListSchema(),
    TableRequest: _TableSchema(),
    DataRequest: _DataSchema(),
}
