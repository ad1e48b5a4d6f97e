"""check, table_list, table_description and data (Bitrix24: the four endpoints of a connector)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

import orjson
from flask import Blueprint, Response, current_app, request

from adapters.base import Query
from adapters.errors import AdapterError, QueryTimeout, SchemaChanged, SourceUnavailable
from app.config import Config
from app.endpoints.access import Access
from app.endpoints.admission import admit
from app.endpoints.gate import Gate
from app.endpoints.packing import gzipped, unpacked, wants_gzip
from app.endpoints.reading import read_body
from app.endpoints.stream import Answer, Limits
from app.endpoints.watch import Watch
from app.errors import ApiError
from app.ops.logs import one_line
from app.ops.record import record
from app.sources import Source, title
from app.wire.filters import parse_filter
from app.wire.form import Tree
from app.wire.names import Names
from app.wire.requests import PARAMETERS, DataRequest, TableListRequest, TableRequest, read_request
from app.wire.values import Reader

log = logging.getLogger("b24.request")
blueprint = Blueprint("endpoints", __name__, url_prefix="/api")

T = TypeVar("T")


class State(NamedTuple):
    """What the endpoints work on, made once by the application factory."""

    config: Config
    sources: dict[str, Source]
    watch: Watch
    gate: Gate


def _state() -> State:
    return cast(State, current_app.extensions["b24"])


def _open_request(connector_name: str) -> tuple[Access, Tree]:
    """Decode the body and let its sender in, or raise ApiError."""
    connector = _state().config.connectors.get(connector_name)
    if connector is None:
        raise ApiError("UNKNOWN_CONNECTOR", f"There is no connector {connector_name} here.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", "A compressed body is not accepted.")
    tree = read_body()
    record().parameters = sorted(name if name in PARAMETERS else "?" for name in tree)
    access = admit(connector, _state().sources, tree.pop("connection", None))
    record().sources = [source.settings.name for source in access.sources]
    return access, tree


@blueprint.post("/<connector>/check")
def check(connector: str) -> Response:
    """200 if every source of the token answers; anything else is a failure to the portal."""
    access, _ = _open_request(connector)
    for source in access.sources:
        _of(source, source.check)
    return _json({"status": "ok"})


@blueprint.post("/<connector>/table_list")
def table_list(connector: str) -> Response:
    """The tables as they are now whose title or code contains the search, in any letter case."""
    access, tree = _open_request(connector)
    wanted = read_request(TableListRequest, tree).search.strip().casefold()
    for source in access.sources:
        _of(source, partial(source.tables, fresh=True))
    found = [
        {"code": code, "title": table.title}
        for code, table in access.tables()
        if wanted in code.casefold() or wanted in table.title.casefold()
    ]
    return _json(sorted(found, key=lambda row: (row["title"].casefold(), row["code"])))


@blueprint.post("/<connector>/table_description")
def table_description(connector: str) -> Response:
    """The fields of a table as they are now."""
    access, tree = _open_request(connector)
    wanted = read_request(TableRequest, tree)

    def describe(*, fresh: bool) -> Response:
        source, table = access.find(wanted.table, fresh=fresh)
        record().sources = [source.settings.name]
        fields = source.fields(table, fresh=True)
        if not fields:
            raise ApiError("UNKNOWN_TABLE", f"Table {wanted.table} has no field to show.")
        return _json(
            [
                {"code": code, "name": title(field.comment, field.name, code), "type": field.type}
                for code, field in fields.items()
            ]
        )

    return _with_current_schema(access, describe)


@blueprint.post("/<connector>/data")
def data(connector: str) -> Response:
    """The rows of a table, streamed: the header, then as many arrays as the filter keeps."""
    access, tree = _open_request(connector)
    wanted = read_request(DataRequest, tree)
    state = _state()

    def open_answer(*, fresh: bool) -> Answer:
        source, header, query = _query(access, wanted, fresh=fresh)
        settings = source.settings
        return Answer(
            source.adapter,
            query,
            header,
            Limits(
                seconds=settings.timeout.total_seconds(),
                heartbeat=state.config.server.heartbeat.total_seconds(),
                rows=settings.max_rows,
            ),
            gate=state.gate.passing(source.place, settings.max_answers, query.limit),
            client=request.environ.get("gunicorn.socket"),
            watch=state.watch,
        )

    answer = _with_current_schema(access, open_answer)
    packed = state.config.server.compression and answer.length is None and wants_gzip()
    body = answer.body(gzipped() if packed else unpacked)
    response = Response(body, mimetype="application/json")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    elif answer.length is not None:
        response.content_length = answer.length
    response.headers["Vary"] = "Accept-Encoding"
    response.call_on_close(answer.close)
    record().answer = answer
    return response


def _query(access: Access, wanted: DataRequest, *, fresh: bool) -> tuple[Source, list[str], Query]:
    source, table = access.find(wanted.table, fresh=fresh)
    record().sources = [source.settings.name]
    settings = source.settings
    fields = source.fields(table, fresh=fresh)
    names = Names(fields, wanted.map_fields)
    header = list(fields) if wanted.select is None else list(wanted.select)
    selected = tuple(
        fields[name] if wanted.select is None else names.field(name, "select") for name in header
    )
    if not selected:
        raise ApiError("UNKNOWN_TABLE", f"Table {wanted.table} has no field to show.")
    reader = Reader(settings.date_order, settings.timezone)
    where = parse_filter(wanted.filter, lambda name: names.field(name, "filter"), reader)
    limit = wanted.limit
    if settings.max_rows and (limit is None or limit > settings.max_rows):
        limit = settings.max_rows + 1  # one more than allowed, to notice that there are more
    return source, header, Query(table.table, selected, where, limit)


def _with_current_schema(access: Access, use: Callable[..., T]) -> T:
    """``use(fresh=False)``, and again with a schema read anew if the remembered one misleads."""
    try:
        return use(fresh=False)
    except SchemaChanged:
        pass
    except ApiError as error:
        if error.code not in ("UNKNOWN_FIELD", "UNKNOWN_TABLE"):
            raise
    except AdapterError as error:
        raise _api_error(error) from error
    try:
        return use(fresh=True)
    except SchemaChanged as error:
        _log_reason(error)
        raise ApiError(
            "UNKNOWN_TABLE", "The table or one of its fields is not in the database any more."
        ) from error
    except AdapterError as error:
        raise _api_error(error) from error


def _of(source: Source, call: Callable[[], T]) -> T:
    """``call()`` with the failures of ``source`` as answers."""
    record().sources = [source.settings.name]
    try:
        return call()
    except AdapterError as error:
        raise _api_error(error) from error


def _api_error(error: AdapterError) -> ApiError:
    """What the portal's user is told; why it is so stands in the operator's log only."""
    _log_reason(error)
    names = ", ".join(record().sources)
    log_hint = f"the operator's log says why under request {record().id}"
    match error:
        case SourceUnavailable():
            return ApiError("SOURCE_UNAVAILABLE", f"Source {names} is not available; {log_hint}.")
        case QueryTimeout():
            return ApiError(
                "QUERY_TIMEOUT",
                f"Source {names} took longer than it may; narrow the filter, or have the operator "
                "raise the source's timeout.",
            )
        case _:
            return ApiError("QUERY_FAILED", f"Source {names} could not answer; {log_hint}.")


def _log_reason(error: AdapterError) -> None:
    """Under the id that the caller is told, which has the request's own line, too."""
    names, kind = ", ".join(record().sources), type(error).__name__
    log.warning("request %s: source %s: %s: %s", record().id, names, kind, one_line(error))


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), mimetype="application/json")
