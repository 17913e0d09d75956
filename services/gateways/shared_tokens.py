"""Tokens that several processes share through their database.

A new token ends the one before at Daraja, and may at NCBA (facts: Daraja B2C 1). So one process at
a time asks for one, and those whose token was refused look first whether there is a newer one.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import structlog

from services.domain.bank import NotSent
from services.domain.bank_token import StoredToken
from services.domain.database import DatabaseFailed
from services.gateways.tokens import Fetch, Token
from services.ports import Clock, Keys, Tx
from services.ports.database import Database

# Two requests at most. Of a process that is known to be gone, the money worker ends it earlier.
RENEWAL_MAX = timedelta(seconds=60)
WAIT_MAX_S = 20.0  # for the token that another process asks for
LOOK_EVERY_S = 0.1
_log = structlog.get_logger(__name__)


class SharedTokens:
    """``services.gateways.tokens.TokenKeeper``. ``name`` says whose tokens they are, ``process``
    who asks. The database holds them sealed."""

    def __init__(
        self, database: Database, clock: Clock, keys: Keys, name: str, process: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys = keys
        self._name = name
        self._process = process

    async def newest(self) -> Token | None:
        """Also ``None`` while the database does not answer."""
        try:
            return self._living(await self._stored())
        except DatabaseFailed:
            return None

    async def renew(self, fetch: Fetch, instead_of: str | None) -> Token | NotSent:
        try:
            found = await self._begin(instead_of)
        except DatabaseFailed as error:
            return NotSent(f"no token without the database: {error}")
        if found is not None:
            return found
        token = await fetch()
        try:
            await self._database.write(partial(self._end, token=token))
        except DatabaseFailed:
            _log.warning("a token could not be shared", name=self._name)
        return token

    async def _begin(self, instead_of: str | None) -> Token | NotSent | None:
        """``None``: this process is to ask for a token."""
        seen = (await self._stored()).version
        ends_at = self._clock.monotonic() + WAIT_MAX_S
        while not await self._database.write(self._claim):
            if self._clock.monotonic() >= ends_at:
                return NotSent("another process has been asking for a token for too long")
            await self._clock.sleep(LOOK_EVERY_S)
            stored = await self._stored()
            if stored.version != seen and (other := self._living(stored)) is not None:
                return other
        if instead_of is None:
            return None
        # Whose request has just ended may have asked for the same reason.
        other = self._living(await self._stored())
        if other is None or other.text == instead_of:
            return None
        await self._database.write(lambda tx: tx.bank_tokens.end_renewal(self._name, self._process))
        return other

    def _claim(self, tx: Tx) -> bool:
        return tx.bank_tokens.begin_renewal(self._name, self._process, tx.now + RENEWAL_MAX)

    def _end(self, tx: Tx, token: Token | NotSent) -> None:
        if isinstance(token, NotSent):
            tx.bank_tokens.end_renewal(self._name, self._process)
            return
        expires_at = tx.now + timedelta(seconds=token.life_s)
        sealed = self._keys.seal(token.text)
        tx.bank_tokens.renewed(self._name, self._process, sealed, expires_at)

    async def _stored(self) -> StoredToken:
        return await self._database.read(lambda tx: tx.bank_tokens.newest(self._name))

    def _living(self, stored: StoredToken) -> Token | None:
        """``None`` for one that has expired, or that none of our keys opens."""
        if stored.sealed is None or stored.expires_at is None:
            return None
        life_s = int((stored.expires_at - self._clock.now()).total_seconds())
        text = self._keys.unseal(stored.sealed)
        return None if text is None or life_s <= 0 else Token(text, life_s)
