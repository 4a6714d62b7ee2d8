"""Which network addresses a delivery may reach: public ones, and those that an endpoint allows by name.

Whoever can write a URL must not reach what only this machine can reach (server-side request forgery, SSRF):
loopback, private and link-local networks, the metadata service of a cloud, also when they are written as an
IPv6 address that stands for an IPv4 one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

METADATA = frozenset(
    map(
        ip_address,
        ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"),
    )
)
"""The services of clouds that hand out credentials: never reached, whatever is allowed. 168.63.129.16, a
public address, is Azure's; 100.100.100.200 Alibaba's; by IPv6 those of AWS and Google."""
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that is given out of IPv6 (RFC 4291, IANA)."""
NAT64 = IPv6Network("64:ff9b::/96")
COMPATIBLE = IPv6Network("::/96")
"""IPv4-compatible addresses (deprecated); `::` and `::1` among them."""


def why_refused(address: str, allowed: Sequence[Network] = ()) -> str:
    """Why an address must not be reached, in words; empty when it may be."""
    try:
        written = ip_address(address.partition("%")[0])
    except ValueError:
        return "no IP address"
    for each in _meanings(written):
        if each in METADATA:
            return "the metadata service of a cloud"
        if not any(each in network for network in allowed) and (kind := _kind(each)):
            return f"{kind} address"
    return ""


def remedy(address: str) -> str:
    """The end of a sentence: what to write into the endpoints file so that a refused address is allowed."""
    try:
        meanings = list(_meanings(ip_address(address.strip("[]").partition("%")[0])))
    except ValueError:
        return ""
    if any(each in METADATA for each in meanings):
        return ", which is never reached, whatever allow_networks says"
    refused = [str(each) for each in meanings if _kind(each)]
    return f"; allow it with allow_networks = {json.dumps(refused)}"


def network_of(text: str) -> Network | None:
    """A network such as 10.1.0.0/16 or fd00::/8, or a single address; None for any other text."""
    try:
        return ip_network(text)
    except ValueError:
        return None


def is_literal(host: str) -> bool:
    """Whether a host is an IP address in the usual form, which nobody looks up."""
    try:
        ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _meanings(written: Address) -> Iterator[Address]:
    """The address that a packet is for in the end: of an IPv6 address that holds an IPv4 one, that."""
    if isinstance(written, IPv6Address):
        if written.ipv4_mapped is not None:
            yield written.ipv4_mapped
            return
        if written in NAT64 or (written in COMPATIBLE and int(written) > 0xFFFF):
            yield IPv4Address(int(written) & 0xFFFFFFFF)
            return
        if written.sixtofour is not None:
            yield written.sixtofour
    yield written


def _kind(address: Address) -> str:
    """In words, of an address that is not public; empty for a public one."""
    kinds = (
        (address.is_loopback, "a loopback"),
        (address.is_unspecified, "an unspecified"),
        (address.is_link_local, "a link-local"),
        (address.is_multicast, "a multicast"),
        (address.is_private, "a private"),
        (address.is_reserved or not address.is_global, "a reserved"),
        (isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST, "a reserved"),
    )
    return next((word for is_it, word in kinds if is_it), "")
