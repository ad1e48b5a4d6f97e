"""Health for load balancers and monitors; both answers are open to anyone and name nothing."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

from app.ops.logs import log, one_line
from app.sources import Place

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 as long as the process can answer at all."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 if every source answers, else 503; which one does not stands in the log."""
    state = current_app.extensions["b24"]
    ready = True
    # Anyone may ask, and a source that hangs keeps whoever asks.
    with state.gate.visiting(Place("", "readyz")):
        for name, source in state.sources.items():
            try:
                source.check()
            except Exception as error:  # also of an adapter with a fault: the others go on
                ready = False
                log.warning("source %s: %s: %s", name, type(error).__name__, one_line(error))
    return jsonify(status="ok" if ready else "unavailable"), 200 if ready else 503
