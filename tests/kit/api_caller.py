"""A partner's system that calls the API of a simulated world, without a socket."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from bot.simulation.opening_balances import add_partner
from bot.simulation.world import World
from services import api_keys
from services.domain.api_key import Scope
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.ports import Tx

OWNER, OPERATOR = Phone("254712345678"), Phone("254722000222")
PAYER = "0733000111"
KEY = "0123456789abcdef"


class ApiCaller:
    """Calls with the key of DUKA, whose wallet has 50,000; SOKO has 5,000. Each money call has an
    idempotency key of its own, unless it is given one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.keys: dict[str, str] = {}
        self._calls = 0
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(world.door), base_url="http://desk.example"
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def make_key(self, partner: str, scopes: Collection[Scope] = tuple(Scope)) -> str:
        def make(tx: Tx) -> str:
            made = api_keys.create(tx, self.world.random, partner, scopes, 30, "test")
            assert isinstance(made, api_keys.CreatedKey)
            return made.key

        return await self.world.app.database.write(make)

    async def send(
        self, method: str, path: str, *, partner: str | None = "DUKA", **more: Any
    ) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if partner is not None:
            headers.setdefault("x-api-key", self.keys[partner])
        return await self._client.request(method, path, headers=headers, **more)

    async def get(self, path: str, *, partner: str = "DUKA", **headers: str) -> httpx.Response:
        return await self.send("GET", path, partner=partner, headers=headers)

    async def post(
        self, path: str, body: object = None, *, key: str | None = None, partner: str = "DUKA"
    ) -> httpx.Response:
        self._calls += 1
        headers = {"idempotency-key": key or f"call-{self._calls:020d}"}
        answer = await self.send("POST", path, partner=partner, headers=headers, json=body)
        await self.world.settle()
        return answer

    async def topup(self, amount: object = 1500, phone: str = PAYER, **more: Any) -> httpx.Response:
        key = more.pop("key", None)
        body = {"amount": amount, "phone_number": phone, **more}
        return await self.post("/v1/topup/stk-push", body, key=key)

    async def code_for(self, amount: object = 1000) -> tuple[str, str]:
        """The reference of a purchase that waits for its code, and the code."""
        asked = await self.post("/v1/otp/generate", {"purpose": "float_purchase", "amount": amount})
        assert asked.status_code == 201, asked.text
        return asked.json()["reference"], self.code()

    def code(self) -> str:
        """The newest code that the owner was sent."""
        found = re.search(r"Code (\d{6})|code is (\d{6})", self.world.sms.texts[OWNER.msisdn][-1])
        assert found is not None
        return found[1] or found[2]

    async def operation(self, reference: str) -> dict[str, Any]:
        answer = await self.get(f"/v1/operations/{reference}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/v1/events?limit=200")).json()["data"]
        return found

    async def violations(self) -> list[str]:
        return await self.world.app.database.read(lambda tx: tx.invariants.violations())


@asynccontextmanager
async def calling(folder: Path, **settings: Any) -> AsyncIterator[ApiCaller]:
    world = World(folder, receives_everywhere=True)
    world.settings = world.settings.model_copy(update=settings)
    await world.open()
    caller = ApiCaller(world)
    try:
        await world.app.database.write(add_partners)
        for partner in ("DUKA", "SOKO"):
            caller.keys[partner] = await caller.make_key(partner)
        await world.settle()
        yield caller
    finally:
        await caller.close()
        await world.close()


def add_partners(tx: Tx, approve_above: int | None = None) -> None:
    """DUKA and SOKO with their people, linked long ago; ``approve_above``: cents, of DUKA."""
    long_ago = tx.now - timedelta(days=60)
    for code, cents, people in (
        ("DUKA", 5_000_000, (("wanjiru", Role.OWNER, OWNER), ("njoki", Role.OPERATOR, OPERATOR))),
        ("SOKO", 500_000, (("otieno", Role.OWNER, Phone("254733000111")),)),
    ):
        above = approve_above if code == "DUKA" else None
        add_partner(tx, Partner(code, approve_above_cents=above), Money(cents), Money(0))
        for name, role, phone in people:
            email = f"{name}@{code.lower()}.example"
            person = tx.people.add_person(code, name, role, phone, email, "en")
            tx.people.link("terminal", name, person, since=long_ago)
