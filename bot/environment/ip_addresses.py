"""Parses IP addresses so that different spellings of one address compare equal.

Dual-stack sockets, and proxies behind them, write ``::ffff:196.201.214.200`` for
``196.201.214.200``; proxies add ports; link-local addresses carry a zone.
"""

from __future__ import annotations

import re
from functools import lru_cache
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
LENGTH_MAX = 100  # characters; the longest address with zone and port has about 70
_MAPPED = IPv6Network("::ffff:0:0/96")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")


@lru_cache(maxsize=1_024)  # each request comes with one, mostly of the same few callers
def parse_ip_address(text: str) -> IpAddress | None:
    """``None`` if it is no address, such as a socket's path. Drops port and zone."""
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
    """A single address is a network of one. Raises ``ValueError``, which does not repeat the text;
    also when host bits are set."""
    if (address := parse_ip_address(text)) is not None:
        return ip_network(address)
    try:
        found = ip_network(text.strip())
    except ValueError:
        raise ValueError("an address or a network, such as 192.0.2.0/24") from None
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        inside = found.network_address.ipv4_mapped
        return ip_network(f"{inside}/{found.prefixlen - _MAPPED.prefixlen}")
    return found


def parse_ip_networks(text: str) -> tuple[IpNetwork, ...]:
    """Separated by commas; ``*`` means every address. Raises ``ValueError``."""
    parts = [part.strip() for part in text.split(",")]
    if ANYWHERE in parts:
        return (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
    return tuple(parse_ip_network(part) for part in parts if part)


def spellings(network: IpNetwork) -> tuple[str, ...]:
    """Plain and IPv4-mapped forms, for libraries that treat those as different."""
    if isinstance(network, IPv6Network):
        return (str(network),)
    length = _MAPPED.prefixlen + network.prefixlen
    return (str(network), f"::ffff:{network.network_address}/{length}")
