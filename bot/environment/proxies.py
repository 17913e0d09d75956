"""Chooses the proxy of a call from the environment variables that curl made standard.

``HTTPS_PROXY`` applies to https, ``HTTP_PROXY`` to http, and ``ALL_PROXY`` to both when those are
not set; lower case wins over upper case. ``NO_PROXY`` lists hosts that are reached directly.
Loopback addresses always are.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from bot.environment.setting_types import is_host

_NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9*._-]+")
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class ProxyFault(Exception):
    """A proxy that cannot be used: one line that names the variable but not its value, which may
    contain a password."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """Looks up proxies in the environment, one URL at a time."""

    environ: Mapping[str, str]

    def variable_for(self, url: str) -> str | None:
        """The variable whose proxy a call to ``url`` uses; ``None`` for a direct call."""
        address = urlsplit(url)
        port = address.port or _PORTS.get(address.scheme)
        for usual in (f"{address.scheme}_proxy".upper(), "ALL_PROXY"):
            if name := self._set(usual):
                return None if self._is_direct(address.hostname or "", port) else name
        return None

    def of(self, url: str) -> httpx.Proxy | None:
        """``None`` for a direct call. Raises ``ProxyFault`` when its proxy cannot be used."""
        name = self.variable_for(url)
        return None if name is None else self._read(name)

    def warnings(self) -> Iterator[str]:
        """What is wrong with any of the variables, one line each, whether or not it applies."""
        for usual in _NAMES:
            name = self._set(usual)
            try:
                if name is not None:
                    self._read(name)
            except ProxyFault as fault:
                yield str(fault)
        for entry in self._no_proxy_entries():
            if not _is_understood(entry):
                yield (
                    f"{self._set('NO_PROXY')}: an entry is neither a host, an address nor a network"
                    " such as 10.0.0.0/8, and is passed over"
                )

    def _set(self, usual: str) -> str | None:
        """The spelling that has a value."""
        names = (usual.lower(), usual)
        return next((name for name in names if self.environ.get(name, "").strip()), None)

    def _read(self, name: str) -> httpx.Proxy:
        value = self.environ[name].strip()
        scheme, sign, _ = value.partition("://")
        if not sign:
            value = f"http://{value}"
        elif scheme.lower() not in ("http", "https"):
            kind = "a SOCKS proxy" if scheme.lower().startswith("socks") else "of another scheme"
            raise ProxyFault(f"{name}: is {kind}: only http:// and https:// proxies can be used")
        if _is_whole(value):
            with suppress(httpx.InvalidURL):
                return httpx.Proxy(value)
        raise ProxyFault(
            f"{name}: is no address such as http://proxy.example.com:3128; in a password @ is"
            " written %40, / %2F, : %3A and % itself %25"
        )

    def _is_direct(self, host: str, port: int | None) -> bool:
        host = host.rstrip(".").lower()
        number = _address(host)
        if host == "localhost" or (number is not None and number.is_loopback):
            return True  # through a proxy, the proxy's own machine would answer
        return any(_excepts(entry, host, number, port) for entry in self._no_proxy_entries())

    def _no_proxy_entries(self) -> list[str]:
        name = self._set("NO_PROXY")
        return [] if name is None else re.split(r"[\s,]+", self.environ[name].strip(" ,").lower())


def _is_whole(url: str) -> bool:
    """Whether no part of a password was parsed as the host, the port or a path."""
    try:
        address = urlsplit(url)
        host, port = address.hostname or "", address.port
    except ValueError:
        return False
    rest = (address.path.strip("/"), address.query, address.fragment)
    return is_host(host) and port != 0 and address.netloc.count("@") < 2 and not any(rest)


def _excepts(entry: str, host: str, number: IpAddress | None, port: int | None) -> bool:
    if entry == "*":
        return True
    if (network := _network(entry)) is not None:
        return number is not None and number in network
    name, only_port = _split(entry)
    if only_port is not None and only_port != port:
        return False
    if number is not None:
        return _address(name) == number
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _is_understood(entry: str) -> bool:
    name, _ = _split(entry)
    return any((_network(entry), _address(name), _HOST.fullmatch(name)))


def _split(entry: str) -> tuple[str, int | None]:
    """Host and port of entries such as ``example.com:443``, ``[::1]:443``, ``::1`` or a URL."""
    if _address(entry) is not None:
        return entry, None
    try:
        found = urlsplit(entry if "://" in entry else f"//{entry}")
        return found.hostname or entry, found.port
    except ValueError:
        return entry, None


def _address(text: str) -> IpAddress | None:
    try:
        number = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = number.ipv4_mapped if isinstance(number, ipaddress.IPv6Address) else None
    return mapped or number


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None
