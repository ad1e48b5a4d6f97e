"""Calls the REST API of one portal, through the official SDK as far as that goes.

From b24pysdk comes the transport: ``b24pysdk.api.callers.call`` posts JSON to an address, follows
no redirect, waits and repeats after a 503, and gives the parsed answer or an error. The layers
above it stand in the way here:

- ``Client`` and ``BitrixToken`` build ``https://<domain>/rest/…`` and refresh at
  ``https://oauth.bitrix24.tech`` only. A portal names its OAuth server itself, and a portal to
  develop against has neither https nor that server.
- A refresh changes the token object and tells a listener afterwards. Nothing keeps two workers
  from spending the same refresh token, nor the new pair from being used before it is stored.
- The OAuth requests follow redirects with the secret in the query, and the text of their errors
  holds the whole address, secret and all. See :mod:`app.portal.oauth`.
- An error inside ``result`` is not raised, and ``biconnector.table.*`` is missing.
- The default time-outs (3 and 10 s) end ``source.add`` before the portal has called us back.
- An answer that is JSON but no object raises TypeError or AttributeError.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from b24pysdk.api.callers import call
from b24pysdk.errors import (
    BitrixBaseAPIError,
    BitrixRequestError,
    BitrixRequestTimeout,
    BitrixResponseError,
)

from app.portal.errors import (
    AccessExpired,
    AccessLost,
    Nonsense,
    PortalError,
    TryLater,
    portal_error,
)
from app.portal.origins import Origin


@dataclass(frozen=True)
class Patience:
    """How long to wait for a portal, in seconds, and how often to ask an overloaded one.

    ``checking`` is for calls during which the portal calls our check endpoint: it gives that up
    to 250 s to be reached and 60 s of silence.
    """

    connect: float = 10
    answer: float = 60
    checking: float = 330
    attempts: int = 5
    pause: float = 1
    longer: float = 2


class Authorisation(Protocol):
    """What lets us into a portal."""

    @property
    def origin(self) -> Origin:
        """The portal."""

    def access_token(self) -> str:
        """The token to use now; raises PortalError."""

    def renewed(self, spent: str) -> str:
        """Another token than ``spent``, which has run out; raises AccessLost or TryLater."""


@dataclass(frozen=True)
class Client:
    """A portal that can be called."""

    authorisation: Authorisation
    patience: Patience = Patience()

    @property
    def origin(self) -> Origin:
        """The portal."""
        return self.authorisation.origin

    def call(
        self, method: str, parameters: Mapping[str, Any] | None = None, *, checking: bool = False
    ) -> Any:
        """The ``result`` of a method; raises :class:`~app.portal.errors.PortalError`.

        ``checking`` says that the portal calls our check endpoint before it answers.
        """
        token = self.authorisation.access_token()
        try:
            return self._post(method, parameters or {}, token, checking=checking)
        except AccessExpired:
            token = self.authorisation.renewed(token)
        try:
            return self._post(method, parameters or {}, token, checking=checking)
        except AccessExpired as error:
            raise AccessLost(error.code, error.description) from None

    def _post(
        self, method: str, parameters: Mapping[str, Any], token: str, *, checking: bool
    ) -> Any:
        patience = self.patience
        with _translated(self.origin, method, token):
            answer = call(
                f"{self.origin}/rest/{method}",
                params={**parameters, "auth": token},
                timeout=(patience.connect, patience.checking if checking else patience.answer),
                max_retries=patience.attempts,
                initial_retry_delay=patience.pause,
                retry_delay_increment=patience.longer,
            )
        if not isinstance(answer, dict) or "result" not in answer:
            raise _not_a_portal(self.origin)
        result = answer["result"]
        if isinstance(result, dict) and "error" in result:
            # New portals put the pair one level deeper than their documentation says.
            pair = result["error"] if isinstance(result["error"], dict) else result
            _raise(method, 200, pair, token)
        return result


@contextlib.contextmanager
def _translated(origin: Origin, method: str, token: str) -> Iterator[None]:
    """The SDK's errors as ours, without their causes, which hold addresses and bodies."""
    try:
        yield
    except BitrixRequestTimeout:
        raise TryLater("TIMEOUT", f"The portal {origin} did not answer {method} in time.") from None
    except BitrixRequestError:
        raise TryLater("UNREACHABLE", f"The portal {origin} cannot be reached.") from None
    except BitrixBaseAPIError as error:
        _raise(method, error.response.status_code, error.json_response, token)
    except BitrixResponseError as error:
        status = error.response.status_code
        if status >= 500:
            raise TryLater(f"HTTP_{status}", f"The portal {origin} is out of order.") from None
        raise _not_a_portal(origin) from None
    except (TypeError, AttributeError):
        raise _not_a_portal(origin) from None


def _raise(method: str, status: int, pair: Mapping[str, Any], token: str) -> NoReturn:
    code, description = (str(pair.get(key) or "") for key in ("error", "error_description"))
    error = portal_error(method, status, code, description.replace(token, "***"))
    raise error from None


def _not_a_portal(origin: Origin) -> PortalError:
    return Nonsense("NOT_A_PORTAL", f"What {origin} answers is not from a portal's REST API.")
