"""Network addresses however they are spelled: what is the same address compares as the same.

A socket of both families, and a proxy behind one, write ``::ffff:196.201.214.200`` for
``196.201.214.200``; proxies add ports, and link-local addresses carry the zone of one machine.
"""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network

ANYWHERE = "*"
LENGTH_MAX = 100  # characters; the longest address with zone and port has some 70
_MAPPED = IPv6Network("::ffff:0:0/96")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")


def parse_ip_address(text: str) -> IpAddress | None:
    """``None`` for what is no address, such as the path of a socket. Port and zone are dropped."""
    text = text.strip()
    if len(text) > LENGTH_MAX:
        return None
    bare = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        found = ip_address((bare[1] if bare else text).partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def parse_ip_network(text: str) -> IpNetwork:
    """One address is a network of one. Raises ``ValueError``, without what was given; also where
    it names a host and a length."""
    if (one := parse_ip_address(text)) is not None:
        return ip_network(one)
    try:
        found = ip_network(text.strip())
    except ValueError:
        raise ValueError("an address or a network, such as 192.0.2.0/24") from None
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        inside = found.network_address.ipv4_mapped
        return ip_network(f"{inside}/{found.prefixlen - _MAPPED.prefixlen}")
    return found


def parse_ip_networks(text: str) -> tuple[IpNetwork, ...]:
    """Those between commas; ``*`` is every address. Raises ``ValueError``."""
    parts = [part.strip() for part in text.split(",")]
    if ANYWHERE in parts:
        return (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
    return tuple(parse_ip_network(part) for part in parts if part)


def spellings(network: IpNetwork) -> tuple[str, ...]:
    """For a library that takes a mapped address for another one than it is."""
    if isinstance(network, IPv6Network):
        return (str(network),)
    length = _MAPPED.prefixlen + network.prefixlen
    return (str(network), f"::ffff:{network.network_address}/{length}")
