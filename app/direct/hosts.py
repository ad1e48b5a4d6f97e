"""Which servers a stranger may make this service connect to.

What is typed becomes either one address in its usual spelling or one plain name; everything else
is refused. Names are looked up only if the list has them, and the address that was checked is the
one that is connected to: nobody asks the name's owner a second time.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import idna

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ENTRY = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<plain>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
# Systems read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses: so does whoever looks such a name up.
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")

# IANA's registries of special addresses. What is not in them is a host of the internet.
_SPECIAL: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # All but 2000::/3, and in it what wraps addresses of version 4 or is for documents.
        *("::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)


class BadHost(ValueError):
    """A host cannot be used; the message says why, for the operator."""


@dataclass(frozen=True)
class Target:
    """Where to connect: ``address`` was checked, ``name`` is what a certificate has to say."""

    name: str
    address: str
    port: int


@dataclass(frozen=True)
class _Entry:
    host: str | Network
    port: int | None


Lookup = Callable[[str], Iterable[str]]


def look_up(name: str) -> list[str]:
    """All addresses of a name; raises OSError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class HostList:
    """The names, addresses and networks that may be connected to, each with a port or without."""

    def __init__(self, entries: Iterable[str], default_port: int) -> None:
        """Raises :class:`BadHost`, whose message names the entry that is none."""
        self._entries = tuple(_entry(text) for text in entries)
        if not self._entries:
            raise BadHost("is missing or empty: say which hosts may be reached")
        self.default_port = default_port

    def target(self, host: str, port: int, lookup: Lookup = look_up) -> Target:
        """Where a typed host and port lead; raises :class:`BadHost` if they may not."""
        wanted = read_host(host)
        if not isinstance(wanted, str):
            self._check(wanted, port)
            return Target(str(wanted), str(wanted), port)
        if not any(e.host == wanted and self._has_port(e, port) for e in self._entries):
            raise BadHost("the name or its port is not in allow_hosts")
        try:
            found = [_unmapped(ipaddress.ip_address(text)) for text in lookup(wanted)]
        except (OSError, UnicodeError, ValueError) as error:
            raise BadHost(f"the name has no address: {type(error).__name__}") from None
        for address in found:
            if not is_special(address) or self._lists(address, port):
                return Target(wanted, str(address), port)
        raise BadHost("the name leads to no address that allow_hosts admits")

    def _check(self, address: Address, port: int) -> None:
        if not self._lists(address, port):
            raise BadHost("the address or its port is not in allow_hosts")

    def _lists(self, address: Address, port: int) -> bool:
        """A special address has to be named: a network that spans others too does not do it."""
        return any(
            not isinstance(entry.host, str)
            and address in entry.host
            and self._has_port(entry, port)
            and (not is_special(address) or _all_special(entry.host))
            for entry in self._entries
        )

    def _has_port(self, entry: _Entry, port: int) -> bool:
        return port == (self.default_port if entry.port is None else entry.port)


def read_host(text: str) -> str | Address:
    """A typed host as an address or as a name in its usual spelling; raises :class:`BadHost`."""
    text = text.strip(" \t\r\n")
    if text.startswith("[") and text.endswith("]"):
        text = str(_version_six(text[1:-1]))
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise BadHost("the host is not a name") from None
    text = text.lower()
    if ":" in text:
        return _unmapped(_version_six(text))
    text = text.removesuffix(".")
    if not _NAME.fullmatch(text):
        raise BadHost("the host is neither a name nor an address")
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        pass
    if _NUMBER.fullmatch(text.rpartition(".")[2]):
        raise BadHost("the host is an address in an unusual spelling")
    return text


def is_special(address: Address) -> bool:
    """Whether an address is anything but a single host of the internet."""
    return any(address in network for network in _SPECIAL)


def _all_special(network: Network) -> bool:
    return any(
        network.version == special.version
        and special.network_address <= network.network_address  # type: ignore[operator]
        and network.broadcast_address <= special.broadcast_address  # type: ignore[operator]
        for special in _SPECIAL
    )


def _version_six(text: str) -> ipaddress.IPv6Address:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise BadHost("the host is not an address") from None
    if address.scope_id is not None:
        raise BadHost("an address with a zone")
    return address


def _unmapped(address: Address) -> Address:
    """``::ffff:10.0.0.1`` leads to 10.0.0.1, and is judged as what it leads to."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise ValueError("an address with a zone")
        return address.ipv4_mapped or address
    return address


def _entry(text: str) -> _Entry:
    try:
        return _Entry(_network(text), None)  # ::1 has colons of its own
    except ValueError:
        pass
    match = _ENTRY.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or port == 0 or (port or 0) > 65535:
        raise BadHost(_not_an_entry(text))
    host = match["plain"] if match["six"] is None else match["six"]
    try:
        return _Entry(_network(host), port)
    except ValueError:
        pass
    try:
        name = read_host(host)
    except BadHost:
        raise BadHost(_not_an_entry(text)) from None
    if not isinstance(name, str) or match["six"] is not None:
        raise BadHost(_not_an_entry(text))
    return _Entry(name, port)


def _network(text: str) -> Network:
    """Raises ValueError, also for a network with bits of a host: nobody knows which was meant."""
    network = ipaddress.ip_network(text)
    if isinstance(network, ipaddress.IPv6Network) and (
        network.network_address.ipv4_mapped or network.network_address.scope_id
    ):
        raise ValueError("write the address of version 4")
    return network


def _not_an_entry(text: str) -> str:
    return (
        f"{text!r} is not a host such as db.example.com, db.example.com:5433, 10.20.0.5, "
        "10.20.0.0/16 or [fd00::5]:5433"
    )
