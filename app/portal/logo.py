"""The picture on a tile: a file, an address or a data URI, in any case an image."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

import requests

OURS = Path(__file__).parent / "static" / "logo.svg"
# A logo goes into every answer that lists connectors.
LARGEST = 256 * 1024

_DATA_URI = re.compile(
    r"data:(?P<type>[\w.+-]+/[\w.+-]+)(?:;[^,;]+)*?;base64,(?P<data>.+)", re.DOTALL
)
_SVG = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE[^>]*>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]",
    re.DOTALL,
)
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_KINDS = "PNG, JPEG, GIF, WebP or SVG"
_TIMEOUT = (10, 20)


class BadLogo(ValueError):
    """The logo cannot be used; the message names it and the reason."""


def is_address(logo: str) -> bool:
    """Whether the picture is somewhere else and would have to be fetched."""
    return logo.startswith(("http://", "https://"))


def logo_text(logo: str) -> str:
    """What the portal is given for ``logo``: a file becomes a data URI, the rest stays as it is.

    An address is fetched once to see that there is an image behind it. Raises :class:`BadLogo`.
    """
    if logo.startswith("data:"):
        match = _DATA_URI.fullmatch(logo)
        if match is None:
            raise BadLogo("The logo is a data URI, but not one such as data:image/png;base64,….")
        try:
            content = base64.b64decode(match["data"], validate=True)
        except binascii.Error:
            raise BadLogo("The logo is a data URI whose base64 is broken.") from None
        kind = _image(content, "The logo in the data URI")
        if kind != match["type"]:
            raise BadLogo(f"The logo's data URI says {match['type']}, but its content is {kind}.")
        return logo
    if is_address(logo):
        _image(_fetched(logo), f"What {logo} answers")
        return logo
    path = Path(logo) if logo else OURS
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadLogo(f"The logo {path} cannot be read: {error.strerror}.") from None
    kind = _image(content, f"The logo {path}")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _image(content: bytes, name: str) -> str:
    if len(content) > LARGEST:
        raise BadLogo(f"{name} is larger than {LARGEST // 1024} KiB.")
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if _SVG.match(content):
        return "image/svg+xml"
    raise BadLogo(f"{name} is not an image: {_KINDS}.")


def _fetched(url: str) -> bytes:
    try:
        with requests.get(url, timeout=_TIMEOUT, stream=True) as response:
            content = next(response.iter_content(LARGEST + 1), b"")
    except requests.RequestException:
        raise BadLogo(f"The logo {url} cannot be fetched.") from None
    if response.status_code != 200:
        raise BadLogo(f"The logo {url} answers with status {response.status_code}.")
    return bytes(content)
