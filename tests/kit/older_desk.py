"""A simulated world whose API is called under the older names, with every answer held against its
schema."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bot.http.api.table import OLDER
from bot.simulation.world import World
from services import api_keys
from services.domain.api_key import Scope
from services.domain.fees import Fee, FeeKind
from services.domain.money import Money
from storage.transaction import StoreTx
from tests.kit.api_caller import OPERATOR, OWNER, add_partners

HOST = "http://desk.example"
WALLET = "/functions/v1/wallet-manager"
OTP = "/functions/v1/otp-manager"
OWNER_PHONE, OPERATOR_PHONE = OWNER.msisdn, OPERATOR.msisdn
OWNER_MAIL = "wanjiru@duka.example"
FEES = (
    Fee(FeeKind.TRANSFER, fixed=Money(2_500)),
    Fee(FeeKind.PROCESSING, ppm=5_000, minimum=Money(1_000), maximum=Money(50_000)),
)


@dataclass
class OlderDesk:
    """``keys`` are by partner: DUKA has 50,000 in its wallet, SOKO 5,000. Float costs 25 and half a
    percent, from 10 to 500."""

    world: World
    client: httpx.AsyncClient
    keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def open(cls, folder: Path, approve_above: int | None = None) -> OlderDesk:
        world = World(folder, seed=1)
        await world.open()
        client = httpx.AsyncClient(transport=httpx.ASGITransport(world.door), base_url=HOST)
        desk = cls(world, client)

        def begin(tx: StoreTx) -> dict[str, str]:
            add_partners(tx, approve_above)
            for fee in FEES:
                tx.fees.set("DUKA", fee, "agreed")
            return {
                partner: api_keys.create(tx, world.random, partner, list(Scope), 365, "x").key
                for partner in ("DUKA", "SOKO")
            }

        desk.keys = await world.app.database.write(begin)  # type: ignore[arg-type]
        return desk

    async def close(self) -> None:
        assert await self.world.app.database.read(lambda tx: tx.invariants.violations()) == []
        await self.client.aclose()
        await self.world.close()

    async def get(self, path: str, partner: str = "DUKA", **query: Any) -> httpx.Response:
        return await self.ask("GET", path, partner, params=query)

    async def post(
        self, path: str, partner: str = "DUKA", key: str | None = None, **body: Any
    ) -> httpx.Response:
        headers = {} if key is None else {"idempotency-key": key}
        return await self.ask("POST", path, partner, json=body, headers=headers)

    async def ask(self, method: str, path: str, partner: str, **more: Any) -> httpx.Response:
        headers = {"x-api-key": self.keys[partner], **more.pop("headers", {})}
        return checked(await self.client.request(method, path, headers=headers, **more))

    async def curl(self, command: str) -> httpx.Response:
        """Do what a ``curl`` with -X, -H and -d would do."""
        words = iter(shlex.split(command.replace("\\\n", " "))[1:])
        method, url, headers, body = "GET", "", {}, None
        for word in words:
            match word:
                case "-X":
                    method = next(words)
                case "-H":
                    name, _, value = next(words).partition(":")
                    headers[name] = value.strip()
                case "-d":
                    body = next(words)
                case _:
                    url = word
        return checked(await self.client.request(method, url, headers=headers, content=body))

    async def code(self, phone: str = OWNER_PHONE) -> str:
        """The newest code that was sent there."""
        await self.world.settle()
        found = re.search(r"\b(\d{6})\b", self.world.sms.texts[phone][-1])
        assert found is not None
        return found[1]

    async def float_code(self, amount: int | str = 5000) -> tuple[str, str]:
        """A code for a purchase of float: its reference, and the code."""
        answer = await self.post(
            f"{OTP}/generate",
            purpose="float_purchase",
            amount=amount,
            phone_number=OWNER_PHONE,
            email_address=OWNER_MAIL,
        )
        return answer.json()["reference"], await self.code()

    async def top_up(self, amount: int = 1500, phone: str = OWNER_PHONE, **more: Any) -> str:
        answer = await self.post(
            f"{WALLET}/topup/stk-push", amount=amount, phone_number=phone, **more
        )
        assert answer.status_code == 200, answer.text
        reference: str = answer.json()["reference"]
        await self.world.settle()
        return reference


def checked(answer: httpx.Response) -> httpx.Response:
    """Strictly as the route says, members and types."""
    request = answer.request
    route = next(
        (
            route
            for route in OLDER
            if route.path == request.url.path and route.method == request.method
        ),
        OLDER[0],
    )
    model = route.answer if answer.status_code == 200 else route.problem
    assert model is not None
    model.model_validate(answer.json())
    return answer


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem, which is of this kind and has what the older clients look for."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["success"] is False
    assert problem["error"] == problem["detail"]
    return problem
