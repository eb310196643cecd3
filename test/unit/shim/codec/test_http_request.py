"""Whose a client's HTTP request is."""

from typing import Any

import pytest
from objects import request
from synapse_module_bridge.codec.http_request import visitor_of


@pytest.mark.parametrize(
    ("address", "visitor"),
    [
        ("192.0.2.1", "192.0.2.1"),
        # A listener for both versions of IP tells of an IPv4 address so.
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("/run/synapse.sock", "/run/synapse.sock"),
        ("x" * 1_000, "x" * 64),
    ],
)
def test_a_visitor_is_known_by_the_address_or_by_the_network_of_an_ipv6_address(address: str, visitor: str) -> None:
    asked: Any = request()
    asked.get_client_ip_if_available = lambda: address
    assert visitor_of(asked) == visitor
