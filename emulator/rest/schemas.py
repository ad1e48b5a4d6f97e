"""The fields of connectors, sources and datasets as `*.fields` lists them.

Bitrix24 REST: the order matters, because the first violated rule in this order is the one reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldSpec:
    """One field of an entity and the rules that writing to it must obey."""

    title: str
    type: str
    required: bool = False
    read_only: bool = False
    immutable: bool = False
    multiple: bool = False

    def as_answer(self) -> dict[str, Any]:
        """Return the field in the words of the REST API."""
        return {
            "title": self.title,
            "type": self.type,
            "isRequired": self.required,
            "isReadOnly": self.read_only,
            "isImmutable": self.immutable,
            "isMultiple": self.multiple,
        }


def _own(title: str, kind: str) -> FieldSpec:
    """Return a field that the portal fills in itself."""
    return FieldSpec(title, kind, required=True, read_only=True)


def _needed(title: str, kind: str = "string") -> FieldSpec:
    return FieldSpec(title, kind, required=True)


def _fixed(title: str, kind: str = "string") -> FieldSpec:
    """Return a field that is given once, on creation."""
    return FieldSpec(title, kind, required=True, immutable=True)


_CONNECTOR = (
    _own("id", "integer"),
    _needed("title"),
    _needed("logo"),
    FieldSpec("description", "string"),
    FieldSpec("sort", "integer"),
    _needed("urlCheck"),
    _needed("urlData"),
    _needed("urlTableList"),
    _needed("urlTableDescription"),
    FieldSpec("settings", "array", required=True, multiple=True),
    _own("dateCreate", "datetime"),
)
_CONNECTOR_NEW = (
    *_CONNECTOR,
    FieldSpec("supportMapping", "boolean"),
    FieldSpec("sourceCode", "string"),
)
_SOURCE = (
    _own("id", "integer"),
    _needed("title"),
    _own("type", "string"),
    _own("code", "string"),
    FieldSpec("description", "string"),
    FieldSpec("active", "boolean"),
    _own("dateCreate", "datetime"),
    _own("dateUpdate", "datetime"),
    _own("createdById", "integer"),
    _own("updatedById", "integer"),
    _fixed("connectorId", "integer"),
    FieldSpec("settings", "array", required=True, multiple=True),
)
_DATASET = (
    _own("id", "integer"),
    _fixed("sourceId", "integer"),
    _fixed("name"),
    _own("type", "string"),
    FieldSpec("description", "string"),
    _fixed("externalName"),
    _fixed("externalCode"),
    _own("externalId", "integer"),
    _own("dateCreate", "datetime"),
    _own("dateUpdate", "datetime"),
    _own("createdById", "integer"),
    _own("updatedById", "integer"),
    FieldSpec("fields", "array", required=True, multiple=True),
)


def schema(entity: str, *, old: bool) -> tuple[FieldSpec, ...]:
    """Return the fields of an entity on an old or a new portal."""
    if entity == "connector":
        return _CONNECTOR if old else _CONNECTOR_NEW
    return _SOURCE if entity == "source" else _DATASET
