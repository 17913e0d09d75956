"""A bank that accepts only the newest token it has given."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.domain.bank import NotSent
from services.gateways.tokens import Token, TokenCache, TokenKeeper
from services.ports import Clock

LIFE_S = 3_599
REFRESH_BEFORE = timedelta(minutes=5)


class TokenBank:
    def __init__(self) -> None:
        self.given = 0
        self.valid: str | None = None
        self.gives = True
        self.slow: asyncio.Event | None = None  # answers wait for it
        self.asking = self.most_asking = 0

    async def fetch(self) -> Token | NotSent:
        self.asking += 1
        self.most_asking = max(self.asking, self.most_asking)
        try:
            await asyncio.sleep(0)
            if self.slow is not None:
                await self.slow.wait()
        finally:
            self.asking -= 1
        if not self.gives:
            return NotSent("the bank gives none")
        self.given += 1
        self.valid = f"token-{self.given}"
        return Token(self.valid, LIFE_S)

    def revoke(self) -> None:
        self.valid = None

    def holder(self, clock: Clock, keeper: TokenKeeper) -> TokenCache:
        """What a process asks this bank with."""
        return TokenCache(self.fetch, clock, refresh_before=REFRESH_BEFORE, keeper=keeper)

    async def call(self, tokens: TokenCache) -> bool:
        """As gateways do: once more, with another token, if the first was refused."""
        token = await tokens.cached()
        if isinstance(token, Token) and token.text != self.valid:
            token = await tokens.replacement_for(token.text)
        return isinstance(token, Token) and token.text == self.valid
