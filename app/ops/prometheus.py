"""`/metrics`: the counts of all workers in Prometheus' text format."""

from __future__ import annotations

import hmac
import os
import struct
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.endpoints.admission import PREFIX, guessing
from app.errors import ApiError
from app.sources import digest

blueprint = Blueprint("metrics", __name__)

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


@blueprint.get("/metrics")
def metrics() -> Response:
    """For whoever has ``server.metrics_token``; raises ApiError INVALID_TOKEN.

    Being asked from this machine proves nothing: a proxy here passes on what anybody asks.
    """
    expected = current_app.extensions["b24"].config.server.metrics_token
    if not expected:
        raise ApiError(
            "UNKNOWN_ENDPOINT", "This service shows no metrics; server.metrics_token lets it."
        )
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    given = given.strip() if kind.lower() == "bearer" else ""
    if not given:
        raise ApiError("INVALID_TOKEN", "Send the metrics token as Authorization: Bearer.")
    with guessing(given[:PREFIX], f"/metrics {given}"):
        if not hmac.compare_digest(sha256(given.encode()).hexdigest(), digest(expected)):
            raise ApiError("INVALID_TOKEN", "This is not the metrics token of this service.")
    return Response(_text(), content_type=CONTENT_TYPE_LATEST)


def _text() -> bytes:
    for _ in range(10):
        before = _files()
        # A worker that begins to count makes its file in two steps, and between them it is empty;
        # or it takes over the file of one that is gone.
        with suppress(struct.error, FileNotFoundError):
            text = generate_latest(_registry())
            if _files() == before:
                return text
        time.sleep(0.01)
    return generate_latest(_registry())


def _files() -> set[str]:
    directory = os.environ.get(_DIRECTORY)
    return {path.name for path in Path(directory).iterdir()} if directory else set()


def _registry() -> CollectorRegistry:
    """What all workers have counted, under gunicorn; what this process has, elsewhere."""
    if _DIRECTORY not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
