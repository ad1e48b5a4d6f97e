"""What may follow the question mark of a source's URL."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from adapters.errors import BadAddress

# As many as can be read in a message.
_FEW = 20


def refuse_unknown(scheme: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise :class:`~adapters.errors.BadAddress` if a parameter is none of the known ones."""
    known = sorted(known)
    for name in given:
        if name not in known:
            meant = get_close_matches(name, known) or (known if len(known) < _FEW else [])
            raise BadAddress(
                f"has {name} after its question mark, which {scheme}:// does not know"
                + (f"; it knows {', '.join(meant)}" if meant else "")
            )
