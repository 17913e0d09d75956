"""A caller of the API with one key, without a socket."""

from __future__ import annotations

from starlette.types import ASGIApp

from bot.simulation.asgi_call import AsgiAnswer, asgi_call


class AsgiCaller:
    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._headers = [
            (b"host", b"desk.example"),
            (b"x-api-key", key.encode()),
            (b"content-type", b"application/json"),
        ]

    async def get(self, path: str, query: str = "") -> AsgiAnswer:
        return await asgi_call(self._app, "GET", path, query.encode(), self._headers, b"")

    async def post(self, path: str, body: bytes, idempotency_key: str | None = None) -> AsgiAnswer:
        headers = list(self._headers)
        if idempotency_key is not None:
            headers.append((b"idempotency-key", idempotency_key.encode()))
        return await asgi_call(self._app, "POST", path, b"", headers, body)
