"""An ASGI app as httpx transport, without a socket or detection of the async library."""

from __future__ import annotations

import httpx
from starlette.types import ASGIApp

from bot.simulation.asgi_call import asgi_call


class AsgiTransport(httpx.AsyncBaseTransport):
    """Answers when the app is done; a client that gives up cancels it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await asgi_call(
            self._app,
            request.method,
            request.url.path,
            request.url.query,
            [(name.lower(), value) for name, value in request.headers.raw],
            await request.aread(),
            scheme=request.url.scheme,
        )
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)
