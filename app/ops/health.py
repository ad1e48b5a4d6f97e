"""Health for load balancers and monitors; both answers are open to anyone and name nothing."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

from app.ops.logs import log

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 as long as the process can answer at all."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 if every source answers, else 503; which one does not stands in the log."""
    ready = True
    for name, source in current_app.extensions["b24"].sources.items():
        try:
            source.adapter.check()
        except Exception as error:  # also of an adapter with a fault: the others go on
            ready = False
            log.warning("source %s: %s: %s", name, type(error).__name__, error)
    return jsonify(status="ok" if ready else "unavailable"), 200 if ready else 503
