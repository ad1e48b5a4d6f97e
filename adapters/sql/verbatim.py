"""A statement written by an operator, to be put into another one as it is."""

from __future__ import annotations

import re

# Just enough of SQL to tell a semicolon or a comment from one inside a text. A backslash may be
# part of a text (standard SQL) or hide a quote (MySQL); either way only the end of it is guessed.
_TOKEN = re.compile(
    r"""
      (?P<nothing> \s+ | ; | --[^\n]* | \#[^\n]* | /\*.*?\*/ )
    | '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `[^`]*` | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def verbatim(sql: str) -> str:
    """The statement for :func:`sqlalchemy.text`, none of its colons taken for a parameter.

    What follows a semicolon at its end, comments included, is left out.
    """
    end: int | None = None
    for token in _TOKEN.finditer(sql):
        if not token["nothing"]:
            end = None
        elif token["nothing"] == ";" and end is None:
            end = token.start()
    return re.sub(r"(?=:)", r"\\", sql[:end].strip())
