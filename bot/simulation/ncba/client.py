"""httpx's client interface with the simulated bank in place of the network."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.collections_api import BankRequest


class BankClient(httpx.AsyncClient):
    """Skips cookies, redirects and proxies, which would be a third of the cost of a storm's bank
    calls.

    A call that is never answered lasts until the caller's timeout.
    """

    def __init__(self, bank: SimulatedBank) -> None:
        super().__init__(transport=httpx.ASGITransport(bank))
        self._bank = bank

    async def send(
        self, request: httpx.Request, *, stream: bool = False, **how: Any
    ) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.raw}
        bank_request = BankRequest(headers, await request.aread())
        reply = await self._bank.handle(request.method, request.url.path, bank_request)
        if reply is None:
            await asyncio.Event().wait()
        assert reply is not None
        self._bank.mark_delivered(reply)
        kind = {b"content-type": reply.content_type}
        body = httpx.ByteStream(reply.body)
        answer = httpx.Response(reply.status, headers=kind, stream=body, request=request)
        if not stream:
            await answer.aread()
        return answer
