"""Encrypts what must not be read in a database by whoever gets hold of it."""

from __future__ import annotations

import base64
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.portal.settings import KEY_VARIABLE


class MissingKey(Exception):
    """There is no key to store tokens under."""

    def __init__(self) -> None:
        super().__init__(
            f"The environment variable {KEY_VARIABLE} is not set, and tokens are not stored "
            "without encryption: put a text from `b24-connector token` into it and keep it."
        )


class WrongKey(Exception):
    """What is stored was encrypted under another key."""

    def __init__(self) -> None:
        super().__init__(
            f"The stored tokens were encrypted under another {KEY_VARIABLE}: set that one again, "
            "or the new and the old one with a comma between them, or install the application "
            "again after `b24-connector portal forget`."
        )


class Sealer:
    """Seals with the first key, unseals with any of them, so that a key can be replaced."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        """Take the operator's texts; raises :class:`MissingKey` if there is none.

        The texts are long enough for one round of a digest to be as good as a slow derivation:
        see KEY_LENGTH in :mod:`app.portal.settings`.
        """
        if not keys:
            raise MissingKey
        self._fernet = MultiFernet(
            [Fernet(base64.urlsafe_b64encode(sha256(key.encode()).digest())) for key in keys]
        )

    def seal(self, text: str) -> str:
        """``text`` encrypted."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """The text again; raises :class:`WrongKey`."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise WrongKey from None
