"""The client's address: what a trusted proxy says, and what anybody else says."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.endpoints.client import client_address

PROXIES = (ip_network("10.0.0.0/24"), ip_network("2001:db8:1::/64"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1,10.0.0.3,10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8:1::1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "2001:db8:2:3:4::5", "2001:db8:2:3::/64"),
        ("2001:db8:2::1", "198.51.100.1", "2001:db8:2::/64"),
        ("", "198.51.100.1", ""),
    ],
)
def test_who_has_sent_a_request(peer: str, forwarded: str, address: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


@given(st.text("0123456789., :abcf", max_size=60))
def test_what_the_client_writes_changes_nothing(written: str) -> None:
    assert client_address("192.0.2.1", written, PROXIES) == "192.0.2.1"
    assert client_address("10.0.0.1", f"{written},192.0.2.1", PROXIES) == "192.0.2.1"
    assert client_address("10.0.0.1", f"{written},192.0.2.1", ()) == "10.0.0.1"
