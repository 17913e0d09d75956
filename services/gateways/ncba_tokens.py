"""NCBA's bearer tokens: a fresh one before money moves, a kept one for questions."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from services.domain.bank import NotSent
from services.gateways.exchange import Exchange, Reply
from services.gateways.ncba_credentials import NcbaCredentials
from services.gateways.ncba_wire import Token, read_token
from services.ports import Clock

TOKEN = "/payments/api/v1/auth/token"
REFRESH_BEFORE = timedelta(seconds=300)
_WRONG_METHOD = (404, 405)


class Tokens:
    """One request for a token at a time; whoever comes while it is under way shares it."""

    def __init__(self, exchange: Exchange, credentials: NcbaCredentials, clock: Clock) -> None:
        self._exchange = exchange
        self._credentials = credentials
        self._clock = clock
        self._kept: Token | None = None
        self._refresh_at: datetime | None = None
        self._fetching: asyncio.Task[Token | NotSent] | None = None

    async def fresh(self) -> Token | NotSent:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch())
        # Shielded: a caller that goes away must not take the token from the others.
        return await asyncio.shield(self._fetching)

    async def kept(self) -> Token | NotSent:
        """The one in hand, until 300 s before its end."""
        if self._kept and self._refresh_at and self._clock.now() < self._refresh_at:
            return self._kept
        return await self.fresh()

    async def instead_of(self, refused: Token) -> Token | NotSent:
        """Another than the one the bank refused, which somebody may have fetched already."""
        if self._kept and self._kept.text != refused.text:
            return self._kept
        return await self.fresh()

    async def _fetch(self) -> Token | NotSent:
        asked_at = self._clock.now()
        given = self._credentials
        for method in ("GET", "POST"):  # the guide names both for the same path
            reply = await self._exchange.ask(
                method, given.url(TOKEN), basic=(given.username, given.password)
            )
            if not (isinstance(reply, Reply) and reply.status in _WRONG_METHOD):
                break
        token = read_token(reply)
        if isinstance(token, Token):
            self._kept = token
            self._refresh_at = asked_at + timedelta(seconds=token.life_s) - REFRESH_BEFORE
        return token
