"""A request's body, never more of it than is wanted."""

from __future__ import annotations

from starlette.requests import Request


async def read_body(request: Request, most: int) -> bytes | None:
    """The body, or ``None`` as soon as it is over ``most`` bytes, whatever its header promised.

    Raises ``starlette.requests.ClientDisconnect``.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)
