"""The four endpoints that a portal calls, and the error contract around them."""

from app.endpoints.routes import blueprint

__all__ = ["blueprint"]
