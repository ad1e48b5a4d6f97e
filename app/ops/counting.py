"""Counts every request when its answer has ended."""

from __future__ import annotations

from app.endpoints.watch import GONE, LATE
from app.ops.metrics import BROKEN, REFUSALS, REQUESTS, ROWS, SECONDS
from app.ops.record import Record

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


def count_request(ended: Record) -> None:
    """Count a request under its source, or under ``several``."""
    endpoint, sources = ended.endpoint, ended.sources
    source = sources[0] if len(sources) == 1 else "several" if sources else ""
    REQUESTS.labels(endpoint, source, ended.status).inc()
    SECONDS.labels(endpoint, source).observe(ended.seconds)
    if ended.error is not None:
        REFUSALS.labels(endpoint, ended.error).inc()
    if ended.answer is not None:
        ROWS.labels(source).inc(ended.answer.rows)
        if ended.answer.outcome != "complete":
            BROKEN.labels(source, _reason(ended.answer.outcome)).inc()


def _reason(outcome: str) -> str:
    return _REASONS.get(outcome) or _REASONS.get(outcome.partition(":")[0], "other")
