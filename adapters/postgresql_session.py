"""What a session of PostgreSQL has to be told, and what it may do without.

Relatives of PostgreSQL lack some of its settings. Those that keep an answer right and a query
harmless are insisted on; of the others, a server has its own way.
"""

from __future__ import annotations

from typing import Any

import psycopg

from adapters.base import Options

_ALWAYS = frozenset({"default_transaction_read_only", "statement_timeout", "timezone", "datestyle"})


def prepare(raw: psycopg.Connection[Any], options: Options) -> None:
    """Make a new session read-only, limited in time, local in time, and exact.

    Raises the driver's error if it cannot be.
    """
    settings = {
        "default_transaction_read_only": "on",
        "statement_timeout": f"{round(options.timeout.total_seconds() * 1000)}ms",
        "timezone": options.timezone.key,
        "datestyle": "ISO, YMD",
        "intervalstyle": "postgres",
        "bytea_output": "hex",
        "extra_float_digits": "1",
        "client_encoding": "UTF8",
    }
    try:
        _set(raw, settings)
    except psycopg.Error:
        if raw.closed:
            raise
        for name, value in settings.items():
            try:
                _set(raw, {name: value})
            except psycopg.Error:
                if raw.closed or name in _ALWAYS:
                    raise


def _set(raw: psycopg.Connection[Any], settings: dict[str, str]) -> None:
    assignments = ", ".join(f"set_config('{name}', %s, false)" for name in settings)
    raw.execute(f"SELECT {assignments}", list(settings.values()))
