"""Reads a request's body, form-encoded or JSON, into one tree with one meaning.

JSON comes from people and from old pages of the vendor. It is read as if PHP had encoded it:
``20.0`` as 20, ``true`` and ``false`` as 1 and 0, nulls and empty arrays dropped.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from app.errors import ApiError
from app.wire.form import MAX_DEPTH, MAX_KEYS, Tree, decode_form

MAX_BYTES = 1024 * 1024

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


def decode_body(body: bytes, media_type: str) -> Tree:
    """The parameters of a request.

    ``media_type`` is the Content-Type without its parameters, or empty. A body that begins with a
    brace is JSON even under a form's media type, which is what curl sends unless told otherwise.

    Raises :class:`~app.errors.ApiError`: BODY_TOO_LARGE, BROKEN_TEXT, MALFORMED_BODY, TOO_DEEP,
    TOO_MANY_KEYS, UNSUPPORTED_MEDIA_TYPE.
    """
    if len(body) > MAX_BYTES:
        raise ApiError("BODY_TOO_LARGE", f"The body is larger than {MAX_BYTES} bytes.")
    if media_type not in ("", _FORM, _JSON):
        raise ApiError(
            "UNSUPPORTED_MEDIA_TYPE",
            f"Content-Type {media_type} is not understood; send {_FORM} or {_JSON}.",
        )
    if media_type == _JSON or body.lstrip()[:1] == b"{":
        return _decode_json(body)
    return decode_form(body)


def _decode_json(body: bytes) -> Tree:
    try:
        value = json.loads(
            body.decode(), parse_int=str, parse_float=_float_as_php, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError:
        raise ApiError("BROKEN_TEXT", "The body is not UTF-8.") from None
    except RecursionError:
        raise ApiError("TOO_DEEP", f"The body is nested over {MAX_DEPTH} levels.") from None
    except ValueError as error:
        raise ApiError("MALFORMED_BODY", f"The body is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ApiError("MALFORMED_BODY", "The body has to be a JSON object.")
    tree, keys = _as_php(value, 0)
    if keys > MAX_KEYS:
        raise ApiError("TOO_MANY_KEYS", f"The body has more than {MAX_KEYS} parameters.")
    return tree


def _float_as_php(written: str) -> str:
    """``0.0`` as ``0``, ``1.50`` as ``1.5``, ``1e25`` as ``1.0E+25``.

    What no double holds stays as it is written: PHP could not have sent it, and no digit is lost.
    """
    text = repr(float(written))
    try:
        if Decimal(text) != Decimal(written):
            return written
    except InvalidOperation:  # an exponent beyond all measure
        return written
    digits, _, exponent = text.partition("e")
    if not exponent:
        return digits.removesuffix(".0")
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent):+d}"


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _as_php(value: dict[str, Any] | list[Any], depth: int) -> tuple[Tree, int]:
    """``value`` as PHP's ``http_build_query`` would send it, and how many leaves it has."""
    if depth > MAX_DEPTH:
        raise ApiError("TOO_DEEP", f"The body is nested over {MAX_DEPTH} levels.")
    items = value.items() if isinstance(value, dict) else enumerate(value)
    tree: Tree = {}
    keys = 0
    for key, item in items:
        name = _checked(str(key))
        match item:
            case dict() | list():
                below, count = _as_php(item, depth + 1)
                if below:
                    tree[name] = below
                    keys += count
            case None:
                pass
            case bool():
                tree[name] = "1" if item else "0"
                keys += 1
            case _:
                tree[name] = _checked(item)
                keys += 1
    return tree, keys


def _checked(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ApiError("BROKEN_TEXT", "The body holds half of a surrogate pair.") from None
    return text
