"""Names that every portal accepts, for tables and columns called anything at all.

A portal takes datasets named ``^[a-z][a-z0-9_]*$`` (230 characters at most) and fields named
``^[A-Z][A-Z0-9_]*$`` (32 at most); one without a mapping uses our codes as these names, so they go
into its reports for good (Bitrix24 REST: biconnector.dataset.add). A code is therefore a function
of the name alone. A name that fits is its own code; any other gives its readable part and a digest
of the whole name, in a form that no fitting name has, so that two names never share a code and no
code ever changes its meaning, whatever else is created beside it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

TABLE_LENGTH = 160  # leaves room for the name of the source
FIELD_LENGTH = 32
JOINT = "__"
SOURCE_JOINT = "___"

_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
_DIGEST = re.compile(r"_x[0-9a-f]{8}$")

# Written out rather than taken from a library, whose next version might spell a letter otherwise.
_CYRILLIC = dict(
    zip(
        "абвгдезийклмнопрстуфыэіїєґў",
        "a,b,v,g,d,e,z,i,y,k,l,m,n,o,p,r,s,t,u,f,y,e,i,yi,ye,g,u".split(","),
        strict=True,
    )
) | {
    "ё": "yo",
    "ж": "zh",
    "х": "kh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "shch",
    "ъ": "",
    "ь": "",
    "ю": "yu",
    "я": "ya",
}


def table_code(name: str, schema: str | None = None) -> str:
    """The code of a table; ``schema`` is None for the source's default schema."""
    parts = [name] if schema is None else [schema, name]
    code = JOINT.join(parts)
    plain = all(_PLAIN.fullmatch(part) and JOINT not in part for part in parts)
    joins_cleanly = schema is None or not parts[0].endswith("_")
    if plain and joins_cleanly and len(code) <= TABLE_LENGTH and not _DIGEST.search(code):
        return code
    return _digested(parts, TABLE_LENGTH)


def field_code(name: str, *, case_sensitive: bool = True) -> str:
    """The code of a column; with ``case_sensitive`` false, as for an engine that folds ASCII."""
    name = name if case_sensitive else _ascii_lower(name)
    if _PLAIN.fullmatch(name) and len(name) <= FIELD_LENGTH and not _DIGEST.search(name):
        return name.upper()
    return _digested([name], FIELD_LENGTH).upper()


def _ascii_lower(name: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in name)


def _digested(parts: list[str], length: int) -> str:
    whole = "\0".join(parts)
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = "_".join(_readable(part) for part in parts)
    readable = re.sub(r"_+", "_", readable).strip("_")
    if not readable[:1].isalpha():
        readable = f"n_{readable}".rstrip("_")
    return f"{readable[: length - 10].rstrip('_')}_x{digest}"


def _readable(name: str) -> str:
    latin = "".join(
        _CYRILLIC.get(char, char) for char in unicodedata.normalize("NFC", name).lower()
    )
    ascii_only = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_only.lower())
