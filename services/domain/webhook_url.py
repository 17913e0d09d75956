"""Which addresses events may be sent to: public ones only, however they are written.

A partner chooses the URL, and we would make the call from inside our own network: one that led back
there could reach what nobody outside can (facts: HTTP API 7).
"""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias

from services.domain.refusal import Refusal

URL_MAX = 2_048  # characters
PORTS = (443, 8443)

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_URL = re.compile(
    r"(?P<host>\[[^\]/?#@\\]*\]|[^:\[\]/?#@\\]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?][!-~]*)?"
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# A host whose last label is a number is read as an IPv4 address by browsers and libraries alike,
# in every form that C's inet_aton knew: decimal, octal, hexadecimal, with fewer than four parts.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names that mean something only inside a network.
_INTERNAL = frozenset(
    (
        *("localhost", "localdomain", "local", "internal", "intranet", "private", "lan"),
        *("home", "corp", "onion", "invalid"),
    )
)
_INTERNAL_ENDS = (".home.arpa", ".in-addr.arpa", ".ip6.arpa")

_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers, and a cloud's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own services, at a public number
        "169.254.0.0/16",  # link-local, and clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays to IPv6
        "192.168.0.0/16",
        "198.18.0.0/15",  # measurements
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")  # all that is given out to the public
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocols of their own, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",  # documentation
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # an IPv4 address, behind a translator


def is_public(address: IpAddress) -> bool:
    """Whether it can only be a machine on the public internet.

    Of the ways to hold an IPv4 address in one of IPv6 only the translator's is taken, which a
    network without IPv4 needs, and only for a public address.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def check_url(url: str) -> str | Refusal:
    """The URL in the one form that is stored: host in lower case and in ASCII.

    Refusal: ``webhook_url``, with ``why`` one of ``form``, ``long``, ``https``, ``port``,
    ``private``.
    """
    if len(url) > URL_MAX:
        return _refused("long")
    scheme, sign, after = url.partition("://")
    if not sign or not scheme.isascii() or scheme.lower() != "https":
        return _refused("https")
    match = _URL.fullmatch(after)
    if match is None or "\\" in after or "#" in after:
        return _refused("form")
    port = None if match["port"] is None else int(match["port"])
    if port is not None and port not in PORTS:
        return _refused("port")
    host = _host(match["host"])
    if isinstance(host, Refusal):
        return host
    rest = match["rest"] or "/"
    rest = rest if rest.startswith("/") else f"/{rest}"
    checked = f"https://{host}{'' if port in (None, 443) else f':{port}'}{rest}"
    return checked if len(checked) <= URL_MAX else _refused("long")


def split_checked(url: str) -> tuple[str, int, str]:
    """Host without brackets, port, and path with query, of a URL as ``check_url`` gives it."""
    host, _, rest = url.removeprefix("https://").partition("/")
    name, _, port = host.rpartition(":") if re.search(r":[0-9]+$", host) else (host, "", "443")
    if host.endswith("]"):
        name, port = host, "443"
    return name.strip("[]"), int(port), f"/{rest}"


def shown_url(url: str) -> str:
    """Host and path, for people: what stands behind a ``?`` may be somebody's token."""
    return url.removeprefix("https://").partition("?")[0]


def host_of(url: str) -> str:
    """All of a URL that the audit log keeps for ever: what follows it may be a token."""
    return shown_url(url).partition("/")[0]


def literal_address(host: str) -> IpAddress | None:
    """``None`` for a name, which has to be resolved."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _host(typed: str) -> str | Refusal:
    if typed.startswith("["):
        return _ipv6(typed[1:-1])
    name = _in_ascii(typed)
    if name is None:
        return _refused("form")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(name)
    if not all(_LABEL.fullmatch(label) for label in labels) or len(name) > 253:
        return _refused("form")
    if len(labels) == 1 or labels[-1] in _INTERNAL or name.endswith(_INTERNAL_ENDS):
        return _refused("private")
    return name


def _in_ascii(typed: str) -> str | None:
    """A name in other letters as DNS has it (IDNA).

    Only if it comes back the same: letters that DNS would replace, such as full-width digits and
    other full stops, would make a name, or a number, of another host.
    """
    if typed.isascii():
        return typed.lower()
    lower = typed.lower()
    try:
        name = lower.encode("idna").decode("ascii")
        return name if name.encode("ascii").decode("idna") == lower else None
    except UnicodeError:
        return None


def _ipv4(typed: str) -> str | Refusal:
    try:
        address = ipaddress.IPv4Address(typed)
    except ValueError:  # also every other form of a number, some of which mean a private address
        return _refused("private")
    return str(address) if is_public(address) else _refused("private")


def _ipv6(typed: str) -> str | Refusal:
    try:
        address = ipaddress.IPv6Address(typed)
    except ValueError:
        return _refused("form")
    return f"[{address}]" if is_public(address) else _refused("private")


def _refused(why: str) -> Refusal:
    return Refusal.of("webhook_url", why=why)
