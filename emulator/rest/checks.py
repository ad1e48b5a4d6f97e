"""The checks that all entities share, in the order in which the portal makes them.

Bitrix24 REST: the identifier, then the presence of fields, then unknown parameters, then each
field: required, read-only, immutable, type. The first violation is the one reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from emulator.php import is_array, is_empty, is_numeric, items
from emulator.rest.errors import MethodError
from emulator.rest.schemas import FieldSpec

# As many as a 64-bit integer can have.
_DIGITS = re.compile(r"[0-9]{1,19}")


def identifier(parameters: Mapping[str, Any]) -> int:
    """Return the `id` of a request, checked."""
    if "id" not in parameters:
        raise MethodError("VALIDATION_ID_NOT_PROVIDED", "ID is missing.")
    value = parameters["id"]
    number = int(value) if _is_integer(value) else 0
    if number <= 0:
        raise MethodError("VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.")
    return number


def _is_integer(value: Any) -> bool:
    """Tell an integer, or the digits of one; `1.5` and `1e1` are numeric, but no integers."""
    if isinstance(value, str):
        return _DIGITS.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def entity_fields(
    parameters: Mapping[str, Any], specs: Sequence[FieldSpec], *, adding: bool
) -> dict[str, Any]:
    """Return the `fields` of an `add` or an `update`, checked against the schema."""
    given = parameters.get("fields")
    if is_empty(given) or not is_array(given):
        raise MethodError("VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.")
    fields = dict(items(given))
    titles = {spec.title for spec in specs}
    unknown = [title for title in fields if title not in titles]
    if unknown:
        raise MethodError(
            "VALIDATION_UNKNOWN_PARAMETERS", f"Unknown parameters: {', '.join(unknown)}"
        )
    for spec in specs:
        _check_field(spec, fields, adding=adding)
    return fields


def _check_field(spec: FieldSpec, fields: Mapping[str, Any], *, adding: bool) -> None:
    quoted = f'Field "{spec.title}"'
    if spec.title not in fields:
        if adding and spec.required and not spec.read_only:
            raise MethodError("VALIDATION_REQUIRED_FIELD_MISSING", f"{quoted} is required.")
        return
    if spec.read_only:
        raise MethodError("VALIDATION_READ_ONLY_FIELD", f"{quoted} is read only.")
    if spec.immutable and not adding:
        raise MethodError("VALIDATION_IMMUTABLE_FIELD", f"{quoted} is immutable.")
    if not _fits(spec.type, fields[spec.title]):
        raise MethodError("VALIDATION_INVALID_FIELD_TYPE", f"{quoted} must be of type {spec.type}.")


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "integer":
            return is_numeric(value)
        case "string":
            return isinstance(value, str)
        case "array":
            return is_array(value)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return True


def stored_text(fields: Mapping[str, Any], limits: Mapping[str, int | None]) -> None:
    """Apply the storage's rules: texts that must not be empty, nor too long for their column."""
    for title, limit in limits.items():
        if title not in fields:
            continue
        value = fields[title]
        if value == "":
            raise MethodError("BX_EMPTY_REQUIRED", f'Required field "{title}" is not filled in.')
        if limit is not None and len(value) > limit:
            raise MethodError(
                "BX_INVALID_VALUE",
                f'The value of "{title}" is longer than the {limit} characters allowed.',
            )
