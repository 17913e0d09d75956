"""A caller of an ASGI app without a socket, that costs next to nothing itself."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Scope


class Answer(NamedTuple):
    status: int
    body: bytes


class AsgiCaller:
    """Calls with one API key."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._headers = [
            (b"host", b"desk.example"),
            (b"x-api-key", key.encode()),
            (b"content-type", b"application/json"),
        ]

    async def get(self, path: str, query: str = "") -> Answer:
        return await self._call("GET", path, query, b"", None)

    async def post(self, path: str, body: bytes, idempotency_key: str | None = None) -> Answer:
        return await self._call("POST", path, "", body, idempotency_key)

    async def _call(
        self, method: str, path: str, query: str, body: bytes, idempotency_key: str | None
    ) -> Answer:
        headers = list(self._headers)
        if idempotency_key is not None:
            headers.append((b"idempotency-key", idempotency_key.encode()))
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8_000),
        }
        status, answered, asked = 0, b"", False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()  # this client never leaves
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                answered += message.get("body", b"")

        await self._app(scope, receive, send)
        return Answer(status, answered)
