"""Which hosts a stranger may name: whatever is accepted leads to an address on the list."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.direct.hosts import BadHost, HostList, is_special, read_host

NETWORKS = ("10.20.0.0/16", "93.184.216.34", "fd00:20::/64", "2a00:1450::/32")
LISTED = HostList(["db.example.com", "other.example:5433", "bücher.example", *NETWORKS], 5432)


def no_lookup(name: str) -> Iterable[str]:
    raise AssertionError(f"{name} was looked up")


def refused(
    host: str, port: int = 5432, listed: HostList = LISTED, found: Iterable[str] = ()
) -> None:
    with pytest.raises(BadHost):
        listed.target(host, port, lambda _: found)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("10.20.0.7", "10.20.0.7"),
        (" 10.20.0.7\n", "10.20.0.7"),
        ("10.20.0.7.", "10.20.0.7"),
        ("１０.２０.０.７", "10.20.0.7"),
        ("10。20。0。7", "10.20.0.7"),
        ("10.20.0.7\u200b", "10.20.0.7"),
        ("::ffff:10.20.0.7", "10.20.0.7"),
        ("[::FFFF:0a14:7]", "10.20.0.7"),
        ("fd00:20::1", "fd00:20::1"),
        ("[FD00:20:0:0:0::1]", "fd00:20::1"),
        ("93.184.216.34", "93.184.216.34"),
    ],
)
def test_addresses_in_every_usual_spelling(typed: str, address: str) -> None:
    target = LISTED.target(typed, 5432, no_lookup)
    assert (target.address, target.name, target.port) == (address, address, 5432)


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", ".", "..", "a..b", "-a", "a-", "a b", "a\tb", "a\nb", "a\0b", "a,b", "a/b"),
        *("/tmp", "/var/run/postgresql", "@abstract", "\\\\pipe", "C:\\x", "user@db.example.com"),
        *("db.example.com:5432", "db.example.com/x", "db.example.com?x", "db.example.com#x"),
        *(
            "db.example.com,db.example.com",
            "db.example.com host=x",
            "db.example.com\0.evil.example",
        ),
        *("http://db.example.com", "//db.example.com", "db%2eexample.com", "[db.example.com]"),
        *("10.20.0", "10.20.7", "169148423", "0x0a140007", "0x0a.0x14.0.7", "012.024.0.7"),
        *("10.20.0.07", "10.20.0.256", "10.20.0.7.1", "10.20.0.7,10.20.0.8", "10.20.0.7/32"),
        *("10.20.0.7%eth0", "fd00:20::1%eth0", "fd00:20::1%25eth0", "[fd00:20::1", "fd00:20::1]"),
        *("[fd00:20::1]:5432", "[10.20.0.7]", "::ffff:10.20.0.7%1", "0x", "a.0x7f", "1", "0"),
        *("\u2024", "x" * 64 + ".example", ".".join(["a" * 50] * 6)),
    ],
    ids=ascii,
)
def test_odd_spellings_are_refused_without_asking_anybody(typed: str) -> None:
    with pytest.raises(BadHost):
        LISTED.target(typed, 5432, no_lookup)


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "evil.example",
            "xdb.example.com",
            "db.example.com.evil.example",
            "example.com",
            "localhost",
        ),
        *("127.0.0.1", "10.21.0.1", "169.254.169.254", "0.0.0.0", "255.255.255.255", "8.8.8.8"),
        *("::", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "::10.20.0.7", "fe80::1", "fd00:21::1"),
        *("64:ff9b::10.20.0.7", "2002:a14:7::", "ff02::1", "2001:0:a14:7::"),
        "db.exаmple.com",  # one letter is Cyrillic
    ],
    ids=ascii,
)
def test_what_is_not_listed_is_refused_without_asking_anybody(typed: str) -> None:
    with pytest.raises(BadHost):
        LISTED.target(typed, 5432, no_lookup)


def test_ports_are_those_of_the_entries() -> None:
    public = ["93.184.216.34"]
    assert LISTED.target("other.example", 5433, lambda _: public).port == 5433
    refused("other.example", 5432, found=public)
    refused("db.example.com", 5433, found=public)
    refused("10.20.0.7", 22)
    for port in (-1, 0, 65536):
        refused("10.20.0.7", port)
    ports = HostList(["10.0.0.1:1", "[fd00::1]:2", "10.1.0.0/16:3"], 5432)
    assert ports.target("10.0.0.1", 1).port == 1
    assert ports.target("fd00::1", 2).port == 2
    assert ports.target("10.1.2.3", 3).port == 3


@pytest.mark.parametrize(
    "typed", ["DB.Example.COM", "db.example.com.", " db.example.com ", "ｄｂ.example.com"]
)
def test_names_in_every_usual_spelling(typed: str) -> None:
    target = LISTED.target(typed, 5432, lambda name: ["93.184.216.34"])
    assert (target.name, target.address) == ("db.example.com", "93.184.216.34")


def test_names_in_other_alphabets() -> None:
    asked = []
    LISTED.target("BÜCHER.example", 5432, lambda name: asked.append(name) or ["93.184.216.34"])
    assert asked == ["xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("found", "address"),
    [
        (["127.0.0.1"], None),
        (["::1"], None),
        (["::ffff:127.0.0.1"], None),
        (["169.254.169.254"], None),
        (["192.168.1.1", "fe80::1%2"], None),
        (["64:ff9b::7f00:1"], None),
        ([], None),
        (["10.20.3.4"], "10.20.3.4"),
        (["::ffff:10.20.3.4"], "10.20.3.4"),
        (["127.0.0.1", "93.184.216.34"], "93.184.216.34"),
        (["8.8.8.8"], "8.8.8.8"),
    ],
)
def test_a_listed_name_leads_to_the_internet_or_to_what_is_listed(
    found: list[str], address: str | None
) -> None:
    if address is None:
        refused("db.example.com", found=found)
    else:
        assert LISTED.target("db.example.com", 5432, lambda _: found).address == address


def test_a_name_that_cannot_be_looked_up_is_refused() -> None:
    def fail(name: str) -> Iterable[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(BadHost):
        LISTED.target("db.example.com", 5432, fail)


def test_a_network_of_everything_has_nothing_private() -> None:
    listed = HostList(["0.0.0.0/0", "::/0"], 5432)
    assert listed.target("8.8.8.8", 5432)
    assert listed.target("2a00:1450::1", 5432)
    for private in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "100.64.0.1"):
        refused(private, listed=listed)
    assert HostList(["127.0.0.0/8"], 5432).target("127.0.0.1", 5432)


@pytest.mark.parametrize(
    "entry",
    [
        *("", " ", "*", "*.example.com", "a b", "a,b", "/tmp", "10.20.0.1/16", "10.0.0.0/33"),
        *("db.example.com:0", "db.example.com:65536", "db.example.com:x", "2130706433", "127.1"),
        *("::ffff:10.0.0.1", "[fd00::1]:99999", "fe80::1%eth0", "http://db.example.com", "[a]:1"),
    ],
)
def test_what_is_no_entry_of_a_list(entry: str) -> None:
    with pytest.raises(BadHost):
        HostList([entry], 5432)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(BadHost):
        HostList([], 5432)


def listed_address(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return any(
        address.version == network.version and address in network
        for network in map(ipaddress.ip_network, NETWORKS)
    )


numbers = st.integers(0, 2**32 - 1) | st.sampled_from([0x7F000001, 0x0A140007, 0xA9FEA9FE])
spellings = st.one_of(
    numbers.map(lambda n: str(ipaddress.IPv4Address(n))),
    numbers.map(str),
    numbers.map(hex),
    numbers.map(oct),
    numbers.map(lambda n: ".".join(hex(part) for part in n.to_bytes(4))),
    numbers.map(lambda n: ".".join(f"0{part:o}" for part in n.to_bytes(4))),
    numbers.map(lambda n: f"{n >> 24}.{n & 0xFFFFFF}"),
    numbers.map(lambda n: f"::ffff:{ipaddress.IPv4Address(n)}"),
    numbers.map(lambda n: f"[::ffff:{n >> 16:x}:{n & 0xFFFF:x}]"),
    st.integers(0, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n))),
    st.integers(0, 2**64 - 1).map(lambda n: str(ipaddress.IPv6Address((0xFD000020 << 96) + n))),
    st.text("0123456789abcdefx.:[]%/,@ \0０１。", max_size=20),
    st.text(max_size=20),
)


@given(spellings)
@example("127.0.0.1")
def test_whatever_is_accepted_is_an_address_on_the_list(typed: str) -> None:
    try:
        target = LISTED.target(typed, 5432, no_lookup)
    except BadHost:
        return
    assert listed_address(target.address)
    # And the system reads it as nothing else.
    assert {a[4][0] for a in socket.getaddrinfo(target.address, 5432)} == {target.address}


@given(st.lists(st.ip_addresses().map(str), max_size=4))
def test_whatever_a_name_leads_to_is_of_the_internet_or_listed(found: list[str]) -> None:
    try:
        target = LISTED.target("db.example.com", 5432, lambda _: found)
    except BadHost:
        return
    address = ipaddress.ip_address(target.address)
    assert listed_address(target.address) or (address.is_global and not address.is_multicast)


@given(st.ip_addresses())
def test_nothing_counts_as_a_host_of_the_internet_that_python_calls_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    assert is_special(address) or address.is_global


@given(st.text(max_size=30))
def test_what_is_read_is_read_the_same_again(text: str) -> None:
    try:
        host = read_host(text)
    except BadHost:
        return
    assert read_host(str(host)) == host
