"""The portal's REST API: `POST /rest/<method>`, with `auth` or through a webhook's address.

Bitrix24 REST: errors of the server come with a status of their own, errors of a method with 200.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.faults import Fault, nonsense
from emulator.oauth import find_access
from emulator.php import parse_query
from emulator.portal import Portal, the_portal
from emulator.rest import methods, system
from emulator.rest.errors import MethodError, ServerError
from emulator.wire_log import Exchange

blueprint = Blueprint("rest", __name__)


@blueprint.route("/rest/<method>", methods=["GET", "POST"], strict_slashes=False)
def by_token(method: str) -> Response:
    """Serve a call with an access token."""
    return _serve(method, webhook=None)


@blueprint.route("/rest/<int:user>/<code>/<method>", methods=["GET", "POST"], strict_slashes=False)
def by_webhook(user: int, code: str, method: str) -> Response:
    """Serve a call through the address of a webhook."""
    return _serve(method, webhook=f"{user}/{code}")


def _serve(method: str, webhook: str | None) -> Response:
    portal = the_portal()
    method = method.removesuffix(".json").lower()
    exchange = Exchange("application", method, request.method, request.url)
    exchange.request_headers = list(request.headers.items())
    exchange.request_body = request.get_data(as_text=True)
    response = _response(portal, method, webhook)
    exchange.status = response.status_code
    exchange.response_headers = list(response.headers.items())
    exchange.response_body = response.get_data(as_text=True)
    exchange.response_size = len(response.get_data())
    portal.log.add(exchange)
    return response


def _response(portal: Portal, method: str, webhook: str | None) -> Response:
    started = time.time()
    fault = portal.faults.take(method)
    try:
        if fault is not None:
            return _faulty(fault, started)
        result = _run(portal, method, webhook)
    except ServerError as error:
        response = jsonify({"error": error.code, "error_description": error.description})
        response.status_code = error.status
        return response
    except MethodError as error:
        pair = {"error": error.code, "error_description": error.description}
        if portal.is_old():
            return jsonify(pair)
        result = {"error": pair}
    return jsonify({"result": result, "time": _timing(started)})


def _faulty(fault: Fault, started: float) -> Response:
    if fault.kind == "nonsense":
        return nonsense(fault)
    pair = {"error": fault.error, "error_description": fault.description}
    if fault.kind == "inner":
        return jsonify({"result": {"error": pair}, "time": _timing(started)})
    raise ServerError(fault.status, fault.error, fault.description)


def _timing(started: float) -> dict[str, Any]:
    finished = time.time()
    return {
        "start": started,
        "finish": finished,
        "duration": finished - started,
        "processing": finished - started,
        "date_start": datetime.fromtimestamp(started).astimezone().isoformat(timespec="seconds"),
        "date_finish": datetime.fromtimestamp(finished).astimezone().isoformat(timespec="seconds"),
    }


def _run(portal: Portal, method: str, webhook: str | None) -> Any:
    parameters = _parameters()
    app_id, scopes = _who(portal, parameters, webhook)
    known = methods.METHODS
    if portal.is_old():
        known = tuple(name for name in methods.METHODS if not name.startswith("biconnector.table."))
    if method in system.METHODS:
        return system.run(portal, method, app_id, parameters)
    if method not in known:
        raise ServerError(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
    if "biconnector" not in scopes:
        description = "The request requires higher privileges than provided by the access token"
        raise ServerError(403, "insufficient_scope", description)
    return methods.run(portal, method, app_id, parameters)


def _parameters() -> dict[str, Any]:
    """Return the query and the body together; the body is JSON or a PHP form."""
    parameters = parse_query(request.query_string.decode())
    body = request.get_data(as_text=True)
    if "json" in request.content_type if request.content_type else body.startswith("{"):
        try:
            decoded = json.loads(body or "{}")
        except ValueError:
            decoded = {}
        return parameters | decoded if isinstance(decoded, dict) else parameters
    return parameters | parse_query(body)


def _who(
    portal: Portal, parameters: dict[str, Any], webhook: str | None
) -> tuple[str | None, tuple[str, ...]]:
    with portal.store.read() as state:
        if webhook is not None:
            if webhook not in state.webhooks:
                raise ServerError(401, "INVALID_CREDENTIALS", "Invalid request credentials")
            return None, tuple(state.webhooks[webhook].split(","))
        token = parameters.get("auth") or parameters.get("access_token") or _bearer()
        if not token:
            raise ServerError(401, "NO_AUTH_FOUND", "Wrong authorization data")
        grant = find_access(state, str(token))
        application = state.applications.get(grant.client_id) if grant else None
        if grant is None or application is None:
            raise ServerError(401, "invalid_token", "Unable to get application by token")
        if grant.expires <= time.time():
            raise ServerError(401, "expired_token", "The access token provided has expired.")
        return application.client_id, tuple(application.scope.split(","))


def _bearer() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else ""
