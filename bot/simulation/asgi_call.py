"""Calls an ASGI app without a socket.

httpx's own transport tries to import ``sniffio`` for each request, which costs more than many an
answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from starlette.types import ASGIApp, Message, Scope

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


class AsgiAnswer(NamedTuple):
    status: int
    headers: Headers
    body: bytes


async def asgi_call(
    app: ASGIApp,
    method: str,
    path: str,
    query: bytes,
    headers: Headers,
    body: bytes,
    *,
    scheme: str = "http",
) -> AsgiAnswer:
    """Returns when the app is done; to cancel it is how this client gives up. Header names are in
    lower case, as ASGI has them."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 50_000),
        "server": ("desk.example", 80),
    }
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    status, found, content = 500, list[tuple[bytes, bytes]](), bytearray()

    async def receive() -> Message:
        return parts.pop() if parts else await asyncio.Future()

    async def send(message: Message) -> None:
        nonlocal status, found
        if message["type"] == "http.response.start":
            status, found = message["status"], list(message.get("headers", ()))
        else:
            content.extend(message.get("body", b""))

    await app(scope, receive, send)
    return AsgiAnswer(status, found, bytes(content))
