"""What the environment says in a configuration.

Every string may hold ``${NAME}``, replaced by the environment variable of that name. A variable
``CONNECTOR_<SECTION>__<NAME>__<KEY>`` wins over the file: ``CONNECTOR_SOURCES__SHOP__TIMEOUT=60``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from marshmallow import ValidationError

PREFIX = "CONNECTOR_"

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def override(tree: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Put the variables that win over the file into its ``tree``; raises ValidationError."""
    for name, value in environ.items():
        rest = name.removeprefix(PREFIX).lower()
        # Without "__" it is not ours: an orchestrator may set CONNECTOR_PORT for its own reasons.
        if not name.startswith(PREFIX) or "__" not in rest:
            continue
        *sections, key = rest.split("__")
        level = tree
        for section in sections:
            level = level.setdefault(section, {})
            if not isinstance(level, dict):
                raise ValidationError({name: [f"leads to {section}, which is not a table"]})
        level[key] = value


def expanded(tree: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """``tree`` with its variables replaced; in a URL each is one part, and so percent-encoded.

    Raises ValidationError, which names every place of a variable that is not set.
    """
    missing: dict[str | int, list[str]] = {}

    def replaced(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            return {key: replaced(item, (*path, str(key))) for key, item in value.items()}
        if isinstance(value, list):
            return [replaced(item, (*path, str(i))) for i, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        if unset := [name for name in _VARIABLE.findall(value) if name not in environ]:
            needs = [f"needs the environment variable {name}" for name in dict.fromkeys(unset)]
            missing[".".join(path)] = needs
            return value
        in_url = path[-1:] in (("url",), ("database_url",))

        def said(match: re.Match[str]) -> str:
            # What a URL begins with holds its scheme, and so is more than one part.
            part_of_url = in_url and match.start() > 0
            return quote(environ[match[1]], safe="") if part_of_url else environ[match[1]]

        return _VARIABLE.sub(said, value)

    found = {key: replaced(value, (key,)) for key, value in tree.items()}
    if missing:
        raise ValidationError(missing)
    return found
