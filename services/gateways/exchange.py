"""One HTTP exchange within one limit, told apart by whether anything can have left the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from services.domain.bank import NotSent, Unknown
from services.ports import Clock

BODY_BYTES_MAX = 64 * 1024  # an answer is a few hundred bytes; a proxy's page may be anything

# Raised before a connection stands, so before the first byte of a request.
_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; ``body`` is cut at ``BODY_BYTES_MAX``, and then no longer JSON."""

    status: int
    body: bytes


class Exchange:
    """Sends one request once: no retries, no redirects (which would send a POST again).

    The limit is the clock's, because an ASGI transport ignores httpx's own timeouts, which
    stand beside it for the real network.
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
        self._timeout = httpx.Timeout(call_s, connect=connect_s, pool=connect_s)
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}

    async def ask(
        self,
        method: str,
        url: str,
        *,
        bearer: str | None = None,
        basic: tuple[str, str] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> Reply | NotSent | Unknown:
        """``Unknown`` whenever the request may have arrived; cancellation is passed on."""
        headers = self._headers | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        request = self._client.build_request(
            method, url, headers=headers, json=body, timeout=self._timeout
        )
        try:
            async with self._clock.deadline(self._call_s):
                return await self._send(request, basic)
        except _BEFORE_SENDING as error:
            return NotSent(f"{type(error).__name__}: {error}")
        except TimeoutError:
            return Unknown(f"no answer within {self._call_s:g} s")
        except httpx.HTTPError as error:
            return Unknown(type(error).__name__)

    async def _send(self, request: httpx.Request, basic: tuple[str, str] | None) -> Reply:
        answer = await self._client.send(request, auth=basic, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) >= BODY_BYTES_MAX:
                    break
            return Reply(answer.status_code, bytes(body[:BODY_BYTES_MAX]))
        finally:
            await answer.aclose()
