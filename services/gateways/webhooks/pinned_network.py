"""Connections that go to addresses checked before, whatever the name in the URL resolves to now."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import httpcore

from services.domain.webhook_url import IpAddress

PROXY_ANSWER_MAX = 8_192  # bytes of a proxy's answer to CONNECT
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class WebhookProxy:
    """A proxy that every call goes through. It is asked for the checked address, never for a name:
    it would resolve that again, and could get another answer."""

    scheme: str
    host: str
    port: int
    auth: tuple[str, str] | None = field(default=None, repr=False)


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """For one call: tries ``addresses`` in turn. TLS is begun by the pool, for the URL's name."""

    def __init__(
        self,
        addresses: Sequence[IpAddress],
        tls: ssl.SSLContext,
        proxy: WebhookProxy | None = None,
        inner: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._addresses = addresses
        self._tls = tls
        self._proxy = proxy
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """``host`` is not looked at."""
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses:
            try:
                if self._proxy is not None:
                    return await self._through(self._proxy, address, port, timeout)
                return await self._inner.connect_tcp(str(address), port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _through(
        self, proxy: WebhookProxy, address: IpAddress, port: int, limit_s: float | None
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(proxy.host, proxy.port, limit_s)
        try:
            if proxy.scheme == "https":
                stream = await stream.start_tls(self._tls, proxy.host, limit_s)
            target = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
            await stream.write(_connect_request(target, proxy), limit_s)
            answer = b""
            while _END not in answer:
                # One byte at a time: what follows the answer belongs to the receiver.
                piece = await stream.read(1, limit_s)
                answer += piece
                if not piece or len(answer) > PROXY_ANSWER_MAX:
                    raise httpcore.ConnectError("the proxy did not answer")
            status = answer.split(b" ", 2)[1:2]
            if not status or not status[0].startswith(b"2"):
                raise httpcore.ConnectError("the proxy refused")
        except BaseException:
            await stream.aclose()
            raise
        return stream


def _connect_request(target: str, proxy: WebhookProxy) -> bytes:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.auth is not None:
        user = b64encode(":".join(proxy.auth).encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {user}")
    return "\r\n".join((*lines, "", "")).encode()
