"""Secrets never reach the wire log: they are masked by the name they travel under, and by value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

MASK = "***"

_NAMES = frozenset({"auth", "auth_id", "refresh_id", "code_verifier", "pass", "pwd", "key", "dsn"})
_PARTS = ("token", "password", "passwd", "passphrase", "secret", "api_key", "apikey", "private_key")
_LAST_STEP = re.compile(r"\[([^\[\]]*)\]$")
_JSON_PAIR = re.compile(
    r'"((?:[^"\\]|\\.)*)"(\s*:\s*)("(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*|true|false)'
)
_WEBHOOK = re.compile(r"(/rest/\d+/)[^/?#]+(?=/)")
_USERINFO = re.compile(r"^([a-z]+://)[^/@]*@", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Tell by the name of a parameter, header or setting whether its value has to be hidden."""
    lowered = name.lower()
    return lowered in _NAMES or any(part in lowered for part in _PARTS)


def mask_form(text: str) -> str:
    """Hide secret values of a form or query string and leave every other byte as it was sent."""
    return "&".join(_mask_pair(pair) for pair in text.split("&"))


def _mask_pair(pair: str) -> str:
    name, sign, value = pair.partition("=")
    plain = unquote_plus(name)
    step = _LAST_STEP.search(plain)
    return f"{name}={MASK}" if sign and value and is_secret(step[1] if step else plain) else pair


def mask_json(text: str) -> str:
    """Hide secret values of a JSON text, complete or cut short."""
    try:
        value = json.loads(text)
    except ValueError:
        return _JSON_PAIR.sub(_mask_json_pair, text)
    masked = _masked(value)
    return text if masked == value else json.dumps(masked, ensure_ascii=False)


def _mask_json_pair(match: re.Match[str]) -> str:
    name, colon, _ = match.groups()
    return f'"{name}"{colon}"{MASK}"' if is_secret(name) else match[0]


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        # A list of settings names its secrets in `code` and holds them in `value`.
        by_code = "value" in value and is_secret(str(value.get("code", "")))
        return {
            key: MASK if by_code and key == "value" else _masked(item, str(key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_masked(item) for item in value]
    hide = value not in (None, "") and not isinstance(value, bool) and is_secret(name)
    return MASK if hide else value


def mask_url(url: str) -> str:
    """Hide secrets of an address: user and password, query parameters, the code of a webhook."""
    base, sign, query = url.partition("?")
    base = _WEBHOOK.sub(rf"\1{MASK}", _USERINFO.sub(rf"\1{MASK}@", base))
    return base + sign + mask_form(query)


def mask_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Hide the values of headers that carry credentials."""
    hidden = {"authorization", "proxy-authorization", "cookie", "set-cookie"}
    return [
        (name, MASK if name.lower() in hidden else mask_url(value) if "://" in value else value)
        for name, value in headers
    ]


def mask_values(text: str, secrets: Iterable[str]) -> str:
    """Hide values known to be secret wherever a peer repeats them."""
    for secret in secrets:
        for form in {secret, quote_plus(secret), quote(secret, safe="")}:
            text = text.replace(form, MASK)
    return text


def mask_body(text: str, content_type: str) -> str:
    """Hide secrets of a body by its content type; markup is treated as text with JSON inside."""
    if "urlencoded" in content_type:
        return mask_form(text)
    return mask_json(text)
