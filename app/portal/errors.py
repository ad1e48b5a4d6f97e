"""What may go wrong with a portal, grouped by what the caller should do about it.

::

    PortalError
    ├── TryLater           wait: the portal is down, overloaded or too slow
    ├── AccessExpired      refresh the access token and ask again, once; nobody else sees this
    ├── AccessLost         install the application again, or give another access token
    │   └── WrongClient    copy the application's id and secret into the configuration
    ├── NotPermitted       ask the portal's administrator: a scope or a right is missing
    ├── NotFound           list again: it is not there, or it is another application's
    ├── InUse              delete first what is made of it
    ├── CheckFailed        look at our own check endpoint: the portal called it in vain
    ├── UnknownMethod      do without: the portal is older than the method
    ├── Refused            mend the request: the portal says which part of it is wrong
    └── Nonsense           report it: what answers is not a portal's REST API

A text holds what the portal said and never a token.
"""

from __future__ import annotations


class PortalError(Exception):
    """Any failure of a call to a portal or its OAuth server.

    ``code`` is the portal's own where there is one; ``advice`` what to do, one sentence.
    """

    advice = ""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{description.rstrip('.')} ({code})")
        self.code = code
        self.description = description


class TryLater(PortalError):
    """The portal cannot answer now."""

    advice = "Try again in a few minutes; what was done before stays done."


class AccessExpired(PortalError):
    """The access token has run out, which is ordinary after an hour."""

    advice = "Refresh the access token."


class AccessLost(PortalError):
    """The portal does not accept our tokens any more, or never did."""

    advice = "Install the application again, or give a new access token."


class WrongClient(AccessLost):
    """The OAuth server knows no application by our id and secret."""

    advice = (
        "Copy client_id and client_secret from the portal's page of the application into the "
        "configuration; nothing has to be installed again."
    )


class NotPermitted(PortalError):
    """The token is good, but not for this."""

    advice = (
        "Have the portal's administrator give the application the scope biconnector, and its user "
        "the right to the BI Builder; a webhook is never let in."
    )


class NotFound(PortalError):
    """There is no such thing, or none that this application made."""

    advice = "`b24-connector portal list` shows what this application can see."


class InUse(PortalError):
    """Something else depends on it."""

    advice = "Delete the datasets first, then the sources, then the connector."


class CheckFailed(PortalError):
    """The portal called our check endpoint, and its answer did not count."""

    advice = (
        "Is the token right, and can the portal reach public_url? `b24-connector status` calls the "
        "four addresses from here, and the service's log shows what has arrived."
    )


class UnknownMethod(PortalError):
    """The portal has no such method."""

    advice = "This portal is too old for it; datasets do what tables do (add-dataset)."


class Refused(PortalError):
    """The portal found fault with the request."""

    advice = "The portal names what it does not take; change that."


class Nonsense(PortalError):
    """The answer is not what a portal sends."""

    advice = "Is this the portal's own address, and no proxy or login page in between?"


_BY_CODE: dict[str, type[PortalError]] = {
    "EXPIRED_TOKEN": AccessExpired,
    "INVALID_TOKEN": AccessLost,
    "NO_AUTH_FOUND": AccessLost,
    "INVALID_GRANT": AccessLost,
    "INVALID_CLIENT": WrongClient,
    "WRONG_CLIENT": WrongClient,
    "NOT_INSTALLED": AccessLost,
    "ERROR_OAUTH": AccessLost,
    "APPLICATION_NOT_FOUND": AccessLost,
    "INVALID_CREDENTIALS": AccessLost,
    "PORTAL_DELETED": AccessLost,
    "ACCESS_DENIED": NotPermitted,
    "ACCESS_ERROR": NotPermitted,
    "INSUFFICIENT_SCOPE": NotPermitted,
    "USER_ACCESS_ERROR": NotPermitted,
    "WRONG_AUTH_TYPE": NotPermitted,
    "PAYMENT_REQUIRED": NotPermitted,
    "ALLOWED_ONLY_INTRANET_USER": NotPermitted,
    "QUERY_LIMIT_EXCEEDED": TryLater,
    "OVERLOAD_LIMIT": TryLater,
    "OPERATION_TIME_LIMIT": TryLater,
    "INTERNAL_SERVER_ERROR": TryLater,
    "ERROR_UNEXPECTED_ANSWER": TryLater,
    "ERROR_METHOD_NOT_FOUND": UnknownMethod,
    "CONNECTOR_NOT_FOUND": NotFound,
    "SOURCE_NOT_FOUND": NotFound,
    "DATASET_NOT_FOUND": NotFound,
    "CONNECTOR_DELETE_RESTRICTED": InUse,
    "SOURCE_CREATE_CONNECTION_ERROR": CheckFailed,
    "SOURCE_UPDATE_CONNECTION_ERROR": CheckFailed,
}
# What a method answers with BX_ERROR is a rule of the portal's storage; for a source there is one.
_BY_METHOD = {("biconnector.source.delete", "BX_ERROR"): InUse}


def portal_error(method: str, status: int, code: str, description: str) -> PortalError:
    """The error that a portal reports for ``method`` with an HTTP ``status``."""
    code = code or f"HTTP_{status}"
    kind = _BY_METHOD.get((method, code)) or _BY_CODE.get(code.upper())
    if kind is None:
        kind = TryLater if status in (429, 502, 503, 504) else Refused
    # Some of the portal's messages are broken over lines.
    return kind(code, " ".join(description.split()) or "The portal gives no reason.")
