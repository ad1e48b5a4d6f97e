"""Errors of the REST API: those of the methods, and those of the server in front of them."""

from __future__ import annotations


class MethodError(Exception):
    """A method refuses: status 200, and the pair stands where this portal puts it."""

    def __init__(self, code: str | int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class ServerError(Exception):
    """The server refuses before any method runs: an error at the root with a status of its own."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description


def access_denied() -> MethodError:
    """Return a webhook, or a user without the right to the analyst workspace."""
    return MethodError("ACCESS_DENIED", "Access denied.")


def not_found(kind: str) -> MethodError:
    """Return the thing does not exist, or belongs to another application."""
    return MethodError(f"{kind.upper()}_NOT_FOUND", f"{kind.capitalize()} was not found.")
