"""The settings of ClickHouse that are sent with every question."""

from __future__ import annotations

import math

from clickhouse_connect.driver.client import Client

from adapters.errors import SourceUnavailable

# With any other value of these, an answer would be another one, or cut short and not known to be.
NEEDED = {
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_64bit_floats": "0",
    "output_format_json_quote_denormals": "0",
    "output_format_json_quote_decimals": "0",
    "output_format_decimal_trailing_zeros": "0",
    "date_time_output_format": "simple",
    "limit": "0",
    "offset": "0",
    "extremes": "0",
    "skip_unavailable_shards": "0",
    **{
        f"{what}_overflow_mode{where}": "throw"
        for what, where in (
            *(("timeout", ""), ("timeout", "_leaf"), ("read", ""), ("read", "_leaf")),
            *(("result", ""), ("group_by", ""), ("sort", ""), ("set", ""), ("join", "")),
            *(("transfer", ""), ("distinct", "")),
        )
    },
}
_WANTED = {
    "max_query_size": "16777216",  # a long filter, as long as a request may be
    "readonly": "2",
    "cancel_http_readonly_queries_on_client_close": "1",
    "output_format_json_escape_forward_slashes": "0",
    "output_format_write_statistics": "0",
}


def allowed(client: Client, seconds: float) -> dict[str, str]:
    """The settings of ours that the server knows and lets us set, ``seconds`` for a query.

    Raises :class:`~adapters.errors.SourceUnavailable` if answers would be other ones without.
    """
    asked = {}
    theirs = client.server_settings
    if len(theirs) != client.command("SELECT count() FROM system.settings"):
        raise SourceUnavailable(
            "the user's profile cuts every answer short: let it have no limit, and"
            " result_overflow_mode = 'throw' with max_result_rows"
        )
    for name, value in {**NEEDED, **_WANTED}.items():
        if name not in theirs:
            continue
        if not theirs[name].readonly:
            asked[name] = value  # also what it is now: the profile may change
        elif name in NEEDED and theirs[name].value != value:
            raise SourceUnavailable(
                f"the user may not change the setting {name} and has it at "
                f"{theirs[name].value}, not {value}: let the user's profile have readonly = 2"
            )
    limit, own = math.ceil(seconds), theirs["max_execution_time"]
    if not own.readonly and not 0 < float(own.value) <= limit:
        asked["max_execution_time"] = str(limit)
    return asked
