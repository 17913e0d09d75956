"""A request's body, never more of it than is wanted."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope


class BodyRefused(Exception):
    """Not taken. ``bounds.RequestLimits`` answers with ``status``: 400 where the caller has gone,
    408 where it was too slow, 413 where it is too long."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def refuse_promised(scope: Scope, most: int) -> None:
    """Raises ``BodyRefused`` where the header already says that it is over ``most`` bytes, so
    that nothing of it is waited for."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:20]) > most:
            raise BodyRefused(413)


async def read_body(request: Request, most: int) -> bytes:
    """The body, refused as soon as it is over ``most`` bytes, whatever its header promised.

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
