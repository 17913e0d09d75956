"""httpx's client interface with simulated APIs in place of the network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import httpx

from bot.simulation.simulated_api import CallRequest, SimulatedApi


class SimulatedClient(httpx.AsyncClient):
    """Skips cookies, redirects and proxies, which would be a third of the cost of a storm's bank
    calls.

    A call goes to the API of its host, or to ``api`` where none has that name. One that is never
    answered lasts until the caller's timeout.
    """

    def __init__(
        self, api: SimulatedApi, by_host: Mapping[str, SimulatedApi] = MappingProxyType({})
    ) -> None:
        super().__init__(transport=httpx.ASGITransport(api))
        self._api = api
        self._by_host = by_host

    async def send(
        self, request: httpx.Request, *, stream: bool = False, **how: Any
    ) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.raw}
        url = request.url
        api = self._by_host.get(url.host, self._api)
        call = CallRequest(request.method, url.path, headers, await request.aread(), url.query)
        reply = await api.handle(call)
        if reply is None:
            await asyncio.Event().wait()
        assert reply is not None
        api.mark_delivered(reply)
        kind = {b"content-type": reply.content_type}
        body = httpx.ByteStream(reply.body)
        answer = httpx.Response(reply.status, headers=kind, stream=body, request=request)
        if not stream:
            await answer.aread()
        return answer
