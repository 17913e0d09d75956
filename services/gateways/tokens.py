"""Bearer tokens of an API: a fresh one before money moves, a cached one for queries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from services.domain.bank import NotSent
from services.ports import Clock

# Printable ASCII: a token unfit for a header must not be discovered while money is being sent.
TokenText = Annotated[str, Field(pattern=r"^[!-~]+$")]


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    life_s: int

    def __repr__(self) -> str:
        return f"Token(…, life_s={self.life_s})"


Fetch = Callable[[], Awaitable[Token | NotSent]]


class TokenCache:
    """One token request at a time; concurrent callers share it.

    ``fetch`` requests a token from the bank; it is cached until ``refresh_before`` its expiry.
    """

    def __init__(self, fetch: Fetch, clock: Clock, *, refresh_before: timedelta) -> None:
        self._fetch = fetch
        self._clock = clock
        self._refresh_before = refresh_before
        self._cached: Token | None = None
        self._refresh_at: float | None = None  # on the monotonic clock
        self._fetching: asyncio.Task[Token | NotSent] | None = None

    async def fresh(self) -> Token | NotSent:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._renew())
        # Shielded: cancelling one caller must not cancel the request for the others.
        return await asyncio.shield(self._fetching)

    async def cached(self) -> Token | NotSent:
        """The cached token, until it is due for refresh."""
        if self._cached and self._refresh_at and self._clock.monotonic() < self._refresh_at:
            return self._cached
        return await self.fresh()

    async def replacement_for(self, refused: str) -> Token | NotSent:
        """A token other than the one the bank refused; another caller may have fetched it
        already."""
        if self._cached and self._cached.text != refused:
            return self._cached
        return await self.fresh()

    async def _renew(self) -> Token | NotSent:
        asked_at = self._clock.monotonic()
        token = await self._fetch()
        if isinstance(token, Token):
            self._cached = token
            self._refresh_at = asked_at + token.life_s - self._refresh_before.total_seconds()
        return token
