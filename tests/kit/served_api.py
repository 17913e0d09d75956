"""A simulated world with its API served in-process, and a partner's system that calls it."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from bot.http.api.routes import api_refusal, api_routes
from bot.http.request_limits import with_request_limits
from bot.simulation.ncba.handsets import Handset
from bot.simulation.opening_balances import add_partner
from bot.simulation.world import World
from services import api_keys
from services.domain.api_key import Scope
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.ports import Tx

OWNER = Phone("254712345678")


class ServedApi:
    """``http`` sends the partner's key, which has every scope; ``stranger`` sends none."""

    def __init__(self, world: World, key: str) -> None:
        app = with_request_limits(api_routes(world.app), api_refusal)
        self.world = world
        self.http = self._client(app, {"x-api-key": key})
        self.stranger = self._client(app, {})
        self._keys = (f"idempotency-key-{n}" for n in itertools.count(1))

    def _client(self, app: Any, headers: dict[str, str]) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app)
        return httpx.AsyncClient(transport=transport, base_url="http://desk", headers=headers)

    async def post(self, path: str, **members: Any) -> httpx.Response:
        headers = {"idempotency-key": next(self._keys)}
        return await self.http.post(path, json=members, headers=headers)

    async def code(self) -> str:
        """The newest code that the owner got by SMS."""
        await self.world.settle()
        found = re.search(r"\b[0-9]{6}\b", self.world.sms.texts[OWNER.msisdn][-1])
        assert found is not None
        return found[0]

    async def pays(self) -> None:
        self.world.bank.set_handset(OWNER.msisdn, Handset("pays"))
        await self.world.advance(10)


@asynccontextmanager
async def served_api(folder: Path) -> AsyncIterator[ServedApi]:
    world = World(folder, seed=1)
    await world.open()

    def seed(tx: Tx) -> str:
        add_partner(tx, Partner("DUKA"), Money(5_000_000), Money(0))
        mail = "wanjiru@duka.example"
        owner = tx.people.add_person("DUKA", "wanjiru", Role.OWNER, OWNER, mail, "en")
        tx.people.link("terminal", "wanjiru", owner, since=tx.now - timedelta(days=30))
        return api_keys.create(tx, world.random, "DUKA", list(Scope), 365, "test").key

    try:
        api = ServedApi(world, await world.app.database.write(seed))
        async with api.http, api.stranger:
            yield api
    finally:
        await world.close()
