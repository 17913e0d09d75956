"""Reads a request's body up to a limit."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope


class BodyRefused(Exception):
    """The body was refused. ``request_limits.RequestLimits`` answers with ``status``: 400 if the
    caller disconnected, 408 if it was too slow, 413 if the body is too long."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def refuse_promised(scope: Scope, most: int) -> None:
    """Raises ``BodyRefused`` if Content-Length is over ``most`` bytes, before the body is read."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:20]) > most:
            raise BodyRefused(413)


async def read_body(request: Request, most: int) -> bytes:
    """The body, refused as soon as it is over ``most`` bytes, whatever Content-Length says.

    Raises ``BodyRefused``.
    """
    refuse_promised(request.scope, most)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise BodyRefused(413)
    except ClientDisconnect:
        raise BodyRefused(400) from None
    return bytes(body)
