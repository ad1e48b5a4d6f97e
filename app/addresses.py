"""Whether the URL of a database can be used, found out without asking the database."""

from __future__ import annotations

import re

from marshmallow import ValidationError

from adapters.base import Options
from adapters.errors import BadAddress
from adapters.registry import UnknownScheme, adapter_class

_ENCODED = (
    "special characters in a user's name or password have to be percent-encoded: "
    "@ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25"
)
# After the @ at which a password ends for whoever reads the URL, another one before its parameters.
_SECOND_AT = re.compile(r"://[^:/]*:[^@]*@([^?]*|[^=]*)@")


def can_be_read(url: str) -> None:
    """Raise ValidationError if a part of the password would be taken for the host."""
    if _SECOND_AT.search(url):
        raise ValidationError(f"has an @ too many; {_ENCODED}")


def can_be_opened(url: str) -> None:
    """Raise ValidationError, which shows no secret, if no adapter takes a source's URL."""
    can_be_read(url)
    try:
        adapter = adapter_class(url)
    except UnknownScheme as error:
        raise ValidationError(str(error)) from None
    try:
        adapter(url, Options()).close()
    except BadAddress as error:
        raise ValidationError(str(error)) from None
    except Exception as error:
        # What a driver says about a URL may show the part of a password that it stumbled over.
        raise ValidationError(
            f"is not an address that {adapter.__module__}.{adapter.__qualname__} understands "
            f"({type(error).__name__}); {_ENCODED}"
        ) from None
