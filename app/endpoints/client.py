"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence

from app.direct.hosts import Network


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The address that a request came from; of version 6 its network, for one host has many.

    ``peer`` is who has connected. Only if that is one of the ``trusted`` proxies, ``forwarded``
    counts, the X-Forwarded-For header: each proxy adds at the end whom it was called by, so it is
    read from there, up to the first that no trusted proxy vouches for. Whatever stands further to
    the left was written by the client, and may be anything.
    """
    address = peer
    hops = forwarded.split(",") if trusted else []
    while hops and (known := _address(address)) and any(known in each for each in trusted):
        hop = hops.pop().strip()
        if _address(hop) is None:
            break  # the proxy is the last that is known
        address = hop
    return _group(address)


@functools.lru_cache(1024)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address


def _group(text: str) -> str:
    address = _address(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address), 64), strict=False))
    return str(address or text)
