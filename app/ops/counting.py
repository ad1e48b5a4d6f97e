"""Counts every request when its answer has ended."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request

from app.endpoints.watch import GONE, LATE
from app.ops.metrics import BROKEN, REFUSALS, REQUESTS, ROWS, SECONDS

# The outcome of an answer, or what it begins with.
_REASONS = {
    GONE: "client_gone",
    LATE: "time_limit",
    "QueryTimeout": "time_limit",
    "QueryCancelled": "cancelled",
    "QueryFailed": "query_failed",
    "SchemaChanged": "schema_changed",
    "SourceUnavailable": "source_unavailable",
    "ApiError": "too_many_rows",
}


def count_requests(app: Flask) -> None:
    """Count what ``app`` answers; the time of its beginning is that of the log."""

    @app.after_request
    def finish(response: Response) -> Response:
        endpoint = request.url_rule.rule.rpartition("/")[2] if request.url_rule else "unknown"
        sources, error = g.get("sources", []), g.get("error_code")
        source = sources[0] if len(sources) == 1 else "several" if sources else ""
        status, answer, started = response.status_code, g.get("answer"), g.started

        def count() -> None:
            REQUESTS.labels(endpoint, source, status).inc()
            SECONDS.labels(endpoint, source).observe(time.monotonic() - started)
            if error is not None:
                REFUSALS.labels(endpoint, error).inc()
            if answer is not None:
                ROWS.labels(source).inc(answer.rows)
                if answer.outcome != "complete":
                    BROKEN.labels(source, _reason(answer.outcome)).inc()

        response.call_on_close(count)
        return response


def _reason(outcome: str) -> str:
    return _REASONS.get(outcome) or _REASONS.get(outcome.partition(":")[0], "other")
