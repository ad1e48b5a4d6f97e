"""The shape of the data."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
"""The time zone of the source in all type tests: instants are shown in it."""


@dataclass(frozen=True)
class TypeCase:
    """One type: ``values`` maps what is written in SQL to the JSON that a portal reads.

    ``declared`` is what follows the column's name in CREATE TABLE. ``setup`` is run before.
    """

    declared: str
    type: str
    values: dict[str, str]
    setup: tuple[str, ...] = ()
    name: str = ""
    """What docs/types.md calls it, where that is not the declaration."""
    nowhere: str = ""
    """What to insert instead of null, where the type takes none."""

    @property
    def title(self) -> str:
        return self.name or self.declared
