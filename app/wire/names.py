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
        """``fields`` by their codes; ``map_fields`` from code to dataset name, as sent.

        Raises :class:`~app.errors.ApiError` INVALID_PARAMETER if two codes share a name.
        """
        self._fields = fields
        self._codes: dict[str, str] = {}
        for code, name in map_fields.items():
            if name in self._codes:
                raise ApiError(
                    "INVALID_PARAMETER",
                    f"mapFields gives the name {name} to both {self._codes[name]} and {code}.",
                )
            self._codes[name] = code

    def field(self, name: str, parameter: str) -> Field:
        """The field called ``name``; ``parameter`` is where, for the message of UNKNOWN_FIELD."""
        code = self._codes.get(name, name)
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
