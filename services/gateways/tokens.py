"""Bearer tokens of an API: a fresh one before money moves, a cached one for queries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Protocol

from pydantic import Field

from services.domain.bank import NotSent
from services.ports import Clock

# Printable ASCII: a token unfit for a header must not be discovered while money is being sent.
TokenText = Annotated[str, Field(pattern=r"^[!-~]+$")]


@dataclass(frozen=True, slots=True)
class Token:
    text: str = field(repr=False)
    life_s: int


Fetch = Callable[[], Awaitable[Token | NotSent]]


class TokenKeeper(Protocol):
    """Who asks the bank for a token, and whom its tokens are shared with."""

    async def newest(self) -> Token | None:
        """The newest that is shared, with what is left of its life; ``None`` if there is none."""
        ...

    async def renew(self, fetch: Fetch, instead_of: str | None) -> Token | NotSent:
        """A token that was asked for from now on; or else any that lives, unless it is the text
        ``instead_of``."""
        ...


class OwnTokens:
    """A process that shares its tokens with nobody."""

    async def newest(self) -> Token | None:
        return None

    async def renew(self, fetch: Fetch, instead_of: str | None) -> Token | NotSent:
        return await fetch()


OWN_TOKENS = OwnTokens()


class TokenCache:
    """One token request at a time; concurrent callers share it.

    ``fetch`` requests a token from the bank; it is cached until ``refresh_before`` its expiry.
    """

    def __init__(
        self, fetch: Fetch, clock: Clock, *, refresh_before: timedelta, keeper: TokenKeeper
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._refresh_before = refresh_before
        self._keeper = keeper
        self._cached: Token | None = None
        self._refresh_at: float | None = None  # on the monotonic clock
        self._fetching: asyncio.Task[Token | NotSent] | None = None

    async def fresh(self) -> Token | NotSent:
        return await self._renewed(None)

    async def cached(self) -> Token | NotSent:
        """The cached token, until it is due for refresh."""
        await self._look()
        if self._cached and self._refresh_at and self._clock.monotonic() < self._refresh_at:
            return self._cached
        return await self._renewed("" if self._cached is None else self._cached.text)

    async def replacement_for(self, refused: str) -> Token | NotSent:
        """A token other than the one the bank refused; another caller may have fetched it
        already."""
        await self._look()
        if self._cached and self._cached.text != refused:
            return self._cached
        return await self._renewed(refused)

    async def _look(self) -> None:
        """Another process may have asked for a newer one, which has ended ours."""
        asked_at = self._clock.monotonic()
        newest = await self._keeper.newest()
        if newest is not None:
            self._keep(newest, asked_at)

    async def _renewed(self, instead_of: str | None) -> Token | NotSent:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._renew(instead_of))
        # Shielded: cancelling one caller must not cancel the request for the others.
        return await asyncio.shield(self._fetching)

    async def _renew(self, instead_of: str | None) -> Token | NotSent:
        asked_at = self._clock.monotonic()
        token = await self._keeper.renew(self._fetch, instead_of)
        if isinstance(token, Token):
            self._keep(token, asked_at)
        return token

    def _keep(self, token: Token, asked_at: float) -> None:
        self._cached = token
        self._refresh_at = asked_at + token.life_s - self._refresh_before.total_seconds()
