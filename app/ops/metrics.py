"""What is counted, in the memory that all workers of the server share.

Whoever sends a request chooses none of the labels: endpoints, error codes and reasons are those of
the program, sources those of the configuration. Direct connectors count under their own names.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("b24_requests", "Requests answered.", ["endpoint", "source", "status"])
REFUSALS = Counter("b24_refusals", "Error answers by their code.", ["endpoint", "error"])
SECONDS = Histogram(
    "b24_request_seconds",
    "From a request to the end of its answer, the client's slowness included.",
    ["endpoint", "source"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 240),
)
ROWS = Counter("b24_rows", "Rows read from databases for answers.", ["source"])
BROKEN = Counter(
    "b24_broken_answers", "Answers that ended before their last row.", ["source", "reason"]
)
UNDER_WAY = Gauge(
    "b24_answers_under_way", "Answers with rows, now.", ["source"], multiprocess_mode="livesum"
)
GUESSES = Counter("b24_guesses", "Different wrong tokens and logins, and forged installations.")
