"""Names and texts as SQL writes them."""

from __future__ import annotations

import re
from pathlib import Path


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def file(path: Path) -> str:
    """A path in SQL, where DuckDB takes some characters for wildcards."""
    return literal(re.sub(r"[*?\[]", r"[\g<0>]", str(path)))
