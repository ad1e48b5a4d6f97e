"""Resolves the names that a portal uses for fields."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Field
from app.errors import ApiError


class Names:
    """The fields of one table under every name that a request may use.

    A name is a dataset's field name by the request's ``mapFields``, else one of our codes, else
    a code in any letter case (Bitrix24: data request).
    """

    def __init__(self, fields: Mapping[str, Field], map_fields: Mapping[str, str]) -> None:
        """``fields`` by their codes; ``map_fields`` from code to dataset name, as sent."""
        self._fields = fields
        self._codes: dict[str, list[str]] = {}
        for code, name in map_fields.items():
            self._codes.setdefault(name, []).append(code)

    def field(self, name: str, parameter: str) -> Field:
        """The field called ``name``; ``parameter`` is where, for the message.

        Raises :class:`~app.errors.ApiError` UNKNOWN_FIELD, and INVALID_PARAMETER if two codes
        share the name, as those of two datasets of one table can.
        """
        code, *others = self._codes.get(name, [name])
        if others:
            raise ApiError(
                "INVALID_PARAMETER",
                f"mapFields gives the name {name}, which {parameter} names, to both {code} and "
                f"{others[0]}; give one of them another name in its dataset.",
            )
        found = self._fields.get(code) or self._fields.get(_upper(code))
        if found is None:
            mapped = f" (mapped to {code})" if code != name else ""
            raise ApiError(
                "UNKNOWN_FIELD",
                f"The table has no field {name}{mapped}, which {parameter} names; "
                "ask for the table description to see its fields.",
            )
        return found


def _upper(code: str) -> str:
    """In the letters of codes only: others have no place in one, whatever their upper case is."""
    return code.upper() if code.isascii() else code
