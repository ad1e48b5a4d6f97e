"""Whether the four addresses of a connector answer, as seen from here."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from app.portal.tile import ENDPOINTS

# No credentials: the endpoint has to refuse that in our own words, before any database is asked.
_TIMEOUT = (5, 15)
# What a proxy says in the name of a server that it does not reach.
_GATEWAY = (502, 503, 504)
_REFUSALS = ("INVALID_TOKEN", "CANNOT_CONNECT")


def silent(addresses: Mapping[str, str]) -> dict[str, str]:
    """The addresses that do not answer as this service does, each with the reason."""
    reasons = {ENDPOINTS[field]: _reason(url) for field, url in addresses.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _reason(url: str) -> str:
    try:
        response = requests.post(url, data={}, timeout=_TIMEOUT, allow_redirects=False)
    except requests.Timeout:
        return f"{url} does not answer in time"
    except requests.exceptions.SSLError:
        return f"{url} has a certificate that is not trusted"
    except requests.RequestException:
        return f"{url} cannot be reached"
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        answer = None
    if isinstance(answer, dict) and answer.get("error") in _REFUSALS:
        return ""
    if 300 <= response.status_code < 400:
        return f"{url} redirects, with status {response.status_code}"
    if response.status_code in _GATEWAY:
        return (
            f"{url} answers with status {response.status_code}, as a proxy does behind which this "
            "service is not running or cannot be reached"
        )
    return f"something else answers at {url}, with status {response.status_code}"
