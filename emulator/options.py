"""What can be chosen when an emulated portal is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PortalKind = Literal["old", "new"]
Language = Literal["en", "ru"]
SiteFormat = Literal["ru", "en", "de", "fr"]


@dataclass(frozen=True)
class Limits:
    """How patient the portal is with a connector.

    Bitrix24's HTTP client takes up to 250 s to connect, gives up after 60 s without a byte and
    follows at most five redirects; tests make these shorter.
    """

    connect: float = 250.0
    silence: float = 60.0
    redirects: int = 5


@dataclass(frozen=True)
class Options:
    """Everything `create_app` needs; the command line of `python -m emulator` offers the same."""

    portal: PortalKind = "new"
    language: Language = "en"
    site_format: SiteFormat = "en"
    allow_private: bool = True
    state_file: Path | None = None
    public_url: str = ""
    """Base address under which others reach the emulator; empty means: as the request named it."""
    access_lifetime: int = 3600
    """Seconds an access token lives. Bitrix24 REST: one hour."""
    refresh_lifetime: int = 180 * 24 * 3600
    """Seconds a refresh token lives. Bitrix24 REST: 180 days."""
    limits: Limits = field(default_factory=Limits)
