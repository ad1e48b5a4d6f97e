"""The connector as a web application: what a portal and an operator talk to."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from app import endpoints
from app.config import DEFAULT_PATH, Config, load_config
from app.direct.door import Door
from app.endpoints.admission import Entrance
from app.endpoints.gate import Gate
from app.endpoints.guesses import Guesses
from app.endpoints.routes import State
from app.endpoints.watch import Watch
from app.errors import ApiError
from app.ops import health, prometheus
from app.ops.counting import count_request
from app.ops.logs import configure_logs, log_request
from app.ops.record import keep_records, record
from app.portal import pages
from app.portal.install import Application
from app.sources import Source

log = logging.getLogger("b24")


def read_config() -> Config:
    """What the file says that ``CONNECTOR_CONFIG`` names; raises ConfigError."""
    return load_config(Path(os.environ.get("CONNECTOR_CONFIG", DEFAULT_PATH)), os.environ)


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application; without ``config`` from :func:`read_config`.

    Raises :class:`app.config.ConfigError`. No database is contacted yet.
    """
    if config is None:
        config = read_config()
    configure_logs(config.secrets())
    app = Flask(__name__)
    gate = Gate(config.server.max_answers)
    sources = {
        name: Source(settings, visiting=gate.visiting) for name, settings in config.sources.items()
    }
    app.extensions["b24"] = State(config, sources, Watch(), gate)
    app.extensions["b24_entrance"] = Entrance(
        config.server, Door(gate.visiting), Guesses(config.server.guesses_per_minute)
    )
    keep_records(app, count_request, log_request)
    app.register_blueprint(endpoints.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(prometheus.blueprint)
    app.extensions["b24_portal"] = Application(config)
    app.register_blueprint(pages.blueprint)
    app.register_error_handler(ApiError, _answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_bug)
    return app


def _answer(error: ApiError) -> Response:
    record().error = error.code
    body = {"error": error.code, "error_description": error.description}
    response = Response(orjson.dumps(body), error.status, mimetype="application/json")
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _answer_http(error: HTTPException) -> Response:
    match error:
        case NotFound():
            return _answer(
                ApiError(
                    "UNKNOWN_ENDPOINT",
                    "There is nothing at this address; a connector has check, table_list, "
                    "table_description and data.",
                )
            )
        case MethodNotAllowed(valid_methods=methods):
            allowed = ", ".join(sorted(methods or ()))
            response = _answer(ApiError("METHOD_NOT_ALLOWED", f"This address takes {allowed}."))
            response.headers["Allow"] = allowed
            return response
        case _:
            return _answer(ApiError("MALFORMED_BODY", "The request cannot be read."))


def _answer_bug(error: Exception) -> Response:
    request_id = record().id
    log.error("request %s: unexpected %s", request_id, type(error).__name__, exc_info=error)
    return _answer(
        ApiError(
            "INTERNAL_ERROR",
            f"The service failed; the operator's log says where under request {request_id}.",
        )
    )
