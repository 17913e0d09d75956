"""One HTTP exchange within one timeout; the result tells whether anything can have left the
machine."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpx

from services.domain.bank import NotSent, Unknown
from services.ports import Clock

BODY_BYTES_MAX = 64 * 1024  # an answer is a few hundred bytes; a proxy's page may be of any size

# Raised before a connection is established, so before the first byte of a request.
_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,  # a proxy that refuses to connect to the host
    httpx.UnsupportedProtocol,
)


_url = lru_cache(maxsize=64)(httpx.URL)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; ``body`` is truncated at the call's ``bytes_max``, and then is no longer
    JSON."""

    status: int
    body: bytes


class Exchange:
    """Sends one request once: no retries, no redirects (which would repeat a POST).

    The timeout runs on our clock, because an ASGI transport ignores httpx's own timeouts, which
    apply in addition on the real network.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        clock: Clock,
        *,
        user_agent: str,
        connect_s: float,
        call_s: float,
    ) -> None:
        self._client = client
        self._clock = clock
        self._call_s = call_s
        self._connect_s = connect_s
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}

    async def send(
        self,
        method: str,
        url: str,
        *,
        bearer: str | None = None,
        basic: tuple[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        call_s: float | None = None,
        bytes_max: int = BODY_BYTES_MAX,
    ) -> Reply | NotSent | Unknown:
        """``Unknown`` whenever the request may have arrived; cancellation is passed on.

        ``body`` is sent as JSON, ``form`` URL-encoded; ``headers`` are added to our own. ``call_s``
        overrides the exchange's timeout.
        """
        limit_s = self._call_s if call_s is None else call_s
        timeout = httpx.Timeout(limit_s, connect=self._connect_s, pool=self._connect_s)
        sent = self._headers | dict(headers or {})
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        if basic:
            sent["Authorization"] = f"Basic {b64encode(':'.join(basic).encode()).decode()}"
        # Built without the client: none of the library's own headers go out, and a URL that is
        # called thousands of times is parsed once.
        request = httpx.Request(
            method,
            _url(url),
            headers=sent,
            json=body,
            data=form,
            extensions={"timeout": timeout.as_dict()},
        )
        try:
            async with self._clock.deadline(limit_s):
                return await self._send(request, bytes_max)
        except _BEFORE_SENDING as error:
            return NotSent(f"{type(error).__name__}: {error}")
        except TimeoutError:
            return Unknown(f"no answer within {limit_s:g} s")
        except httpx.HTTPError as error:
            return Unknown(type(error).__name__)

    async def _send(self, request: httpx.Request, bytes_max: int) -> Reply:
        answer = await self._client.send(request, auth=None, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) >= bytes_max:
                    break
            return Reply(answer.status_code, bytes(body[:bytes_max]))
        finally:
            await answer.aclose()
