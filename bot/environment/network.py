"""How outgoing calls are made: certificates and proxies, from environment variables.

httpx, OpenSSL and Python each read such variables themselves, and fail at the first call or with a
traceback. We read them here once, before anything is built, and tell httpx to read none.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bot.environment.proxies import Proxies, ProxyFault


class NetworkFault(Exception):
    """No call can be made with this environment: one line that names the variable."""


@dataclass(frozen=True, slots=True)
class Network:
    """What every client is built with. Proxies are looked up by URL."""

    tls: ssl.SSLContext
    proxies: Proxies = field(default_factory=lambda: Proxies({}))

    def proxy_for(self, url: str) -> httpx.Proxy | None:
        """``None`` for a direct call. Raises ``NetworkFault``."""
        try:
            return self.proxies.of(url)
        except ProxyFault as fault:
            raise NetworkFault(str(fault)) from None

    def client(self, urls: Iterable[str], limits: httpx.Limits) -> httpx.AsyncClient:
        """One client for all of ``urls``, each with its own proxy. Raises ``NetworkFault``."""
        mounts = {}
        for url in urls:
            if (proxy := self.proxy_for(url)) is not None:
                address = urlsplit(url)
                mounts[f"{address.scheme}://{address.netloc}"] = httpx.AsyncHTTPTransport(
                    verify=self.tls, proxy=proxy, limits=limits, trust_env=False
                )
        return httpx.AsyncClient(verify=self.tls, mounts=mounts, limits=limits, trust_env=False)


def read_network(environ: Mapping[str, str] | None = None) -> Network:
    """From this process's environment, unless one is given. Raises ``NetworkFault``."""
    environ = os.environ if environ is None else environ
    if environ.get("SSLKEYLOGFILE"):
        raise NetworkFault(
            "SSLKEYLOGFILE: would write the keys of every connection, the bank's too, into a file:"
            " unset it"
        )
    return Network(_tls(environ), Proxies(environ))


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext:
    """As httpx does: the file, or else the folder, or else the authorities in certifi."""
    if file := environ.get("SSL_CERT_FILE"):
        return _trusting("SSL_CERT_FILE", file, cafile=file)
    if folders := environ.get("SSL_CERT_DIR"):
        for folder in folders.split(os.pathsep):
            if not Path(folder).is_dir():
                raise NetworkFault(f"SSL_CERT_DIR: {folder} is not a folder that is there")
        if not any(_has_certificates(Path(folder)) for folder in folders.split(os.pathsep)):
            raise NetworkFault(
                f"SSL_CERT_DIR: {folders} has no certificate by its hash, as `openssl rehash`"
                " names them"
            )
        return _trusting("SSL_CERT_DIR", folders, capath=folders)
    return httpx.create_ssl_context(trust_env=False)


def _has_certificates(folder: Path) -> bool:
    return any(folder.glob("[0-9a-f]" * 8 + ".[0-9]*"))


def _trusting(
    variable: str, where: str, *, cafile: str | None = None, capath: str | None = None
) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile, capath=capath)
    except ssl.SSLError:  # also an OSError, but with OpenSSL's wording
        raise NetworkFault(f"{variable}: {where} holds no certificates in PEM form") from None
    except OSError as error:
        raise NetworkFault(f"{variable}: {where} cannot be read: {error.strerror}") from None
