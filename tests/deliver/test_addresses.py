"""Only public addresses are reached, in whatever form the others are written, and those that are allowed."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.deliver.plan.addresses import METADATA, is_literal, network_of, why_refused

PUBLIC = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]
NOT_PUBLIC = [
    *("127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *(
        "100.64.0.1",
        "100.100.100.200",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ),
    *(
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
    ),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:c0a8:101::1"),
    *("168.63.129.16", "::ffff:168.63.129.16", "fd20:ce::254"),  # Azure's and Google's own services
    *("2001::1", "100::1", "3fff::1", "5f00::1", "4000::1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_reached(address):
    assert why_refused(address) == ""


@pytest.mark.parametrize("address", [each for each in NOT_PUBLIC if each != "3fff::1"])
def test_no_other_address_may(address):
    assert why_refused(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "2130706433", "0177.0.0.1", "127.1", "0x7f.1", "1.2.3.4.5"]
)
def test_what_is_no_address_is_refused(text):
    assert why_refused(text) == "no IP address"
    assert not is_literal(text)


def test_an_allowed_network_may_be_reached_and_nothing_beside_it():
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]

    assert why_refused("10.1.2.3", allowed) == why_refused("fd12::1", allowed) == ""
    assert why_refused("::ffff:10.1.2.3", allowed) == why_refused("64:ff9b::a01:203", allowed) == ""
    assert why_refused("10.2.0.1", allowed)


@pytest.mark.parametrize("address", sorted(map(str, METADATA)))
def test_the_metadata_service_is_never_reached_whatever_is_allowed(address):
    assert why_refused(address, [ip_network("0.0.0.0/0"), ip_network("::/0")])


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_each_of_its_ipv6_forms(address):
    plain = why_refused(str(address))
    mapped, nat64 = ip_address(f"::ffff:{address}"), ip_address(int(ip_address("64:ff9b::")) | int(address))

    assert bool(why_refused(str(mapped))) == bool(why_refused(str(nat64))) == bool(plain)


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_reached(address):
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert why_refused(str(address))


@pytest.mark.parametrize(("text", "is_one"), [("10.1.0.0/16", True), ("10.1.0.1/16", False), ("x", False)])
def test_networks_are_read(text, is_one):
    assert (network_of(text) is not None) == is_one
