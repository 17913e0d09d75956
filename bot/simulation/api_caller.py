"""Partners' own systems in a script: they call the API with keys made at first use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx

from bot.scripts.api_answer import ApiAnswer
from bot.scripts.api_call import NOBODY, WRONG, ApiRequest
from bot.scripts.stage import CannotDo
from bot.simulation.world import World
from services import api_keys
from services.domain.api_key import Scope
from services.domain.refusal import Refusal
from services.ports import Tx

HOST = "http://api.simulated"
ADDRESS = "127.0.0.1"  # where all of them call from
BY = "script"
# A key that nobody has, in the form of one.
WRONG_KEY = f"hz_777777_{'w' * 43}"
_OWN_KEY = frozenset({"x-api-key", "authorization"})  # headers that carry another key


class ApiCaller:
    """Belongs to the outside: what it was answered outlives the product."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys: dict[tuple[str, str | None], str] = {}
        self._calls: list[asyncio.Task[None]] = []  # of the newest request
        self._running: set[asyncio.Task[None]] = set()
        self._answers: list[ApiAnswer] = []  # to the newest request, as they came
        self._last: ApiRequest | None = None
        self.bodies: list[str] = []  # all that was answered

    @property
    def keys(self) -> Sequence[str]:
        return list(self._keys.values())

    async def call(self, request: ApiRequest, copies: int = 1) -> None:
        """Copies all end before this returns; a single request may wait longer than all due
        work."""
        headers = [*request.headers, *await self._key_header(request)]
        if request.body is not None and "content-type" not in _names(headers):
            headers.append(("content-type", "application/json"))
        self._last = request
        answers: list[ApiAnswer] = []
        self._answers = answers
        self._calls = [
            asyncio.create_task(self._send(request, headers, answers)) for _ in range(copies)
        ]
        self._running.update(self._calls)
        for call in self._calls:
            call.add_done_callback(self._running.discard)
        await self._world.settle()
        if copies > 1:
            await self.finish()

    async def call_again(self) -> None:
        assert self._last is not None
        await self.call(self._last)

    @property
    def answered(self) -> ApiAnswer | None:
        return self._answers[-1] if self._answers else None

    async def finish(self) -> None:
        """In real time: what waits for a change ends after the seconds that it asked for."""
        await asyncio.gather(*self._calls)

    async def answer(self) -> ApiAnswer:
        await self.finish()
        return self._answers[-1]

    async def close(self) -> None:
        for call in self._running:
            call.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _send(
        self,
        request: ApiRequest,
        headers: Sequence[tuple[str, str]],
        answers: list[ApiAnswer],
    ) -> None:
        door = httpx.ASGITransport(self._world.door, client=(ADDRESS, 0))
        raw = [(name.encode(), value.encode()) for name, value in headers]
        content = None if request.body is None else request.body.encode()
        async with httpx.AsyncClient(transport=door) as client:
            came = await client.request(
                request.method, HOST + request.target, headers=raw, content=content
            )
        self.bodies.append(came.text)
        answers.append(ApiAnswer(came.status_code, dict(came.headers), came.text))

    async def _key_header(self, request: ApiRequest) -> list[tuple[str, str]]:
        if request.caller == NOBODY or _OWN_KEY & _names(request.headers):
            return []
        if request.caller == WRONG:
            return [("x-api-key", WRONG_KEY)]
        place = request.partner, request.caller
        if place not in self._keys:
            names = list(Scope.__members__) if request.caller is None else request.caller.split(",")
            scopes = frozenset(Scope[name] for name in names)
            # A crash that a script has armed is meant for the call, not for this.
            with self._world.crashes_held_back():
                self._keys[place] = await self._world.app.database.write(
                    lambda tx: self._make_key(tx, request.partner, scopes)
                )
        return [("x-api-key", self._keys[place])]

    def _make_key(self, tx: Tx, partner: str, scopes: frozenset[Scope]) -> str:
        if tx.people.partner(partner) is None:
            raise CannotDo(f"find a partner {partner}")
        days = api_keys.DAYS_MAX
        made = api_keys.create(tx, self._world.app.random, partner, scopes, days, BY)
        if isinstance(made, Refusal):
            raise CannotDo(f"make another key of {partner}")
        # Noted now, so that the first call commits nothing but itself.
        api_keys.note_use(tx, made.api_key, ADDRESS)
        return made.key


def _names(headers: Sequence[tuple[str, str]]) -> set[str]:
    return {name.lower() for name, _ in headers}
