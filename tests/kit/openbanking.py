"""The Open Banking gateway, with the simulated bank or one that answers oddly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import httpx

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.openbanking_api import PREFIX, SIMULATED_FAILED_CODE
from services.domain.bank import (
    FloatAnswer,
    FloatOrder,
    NoAnswer,
    NotSent,
    Ready,
    StatusAnswer,
)
from services.domain.money import Money
from services.domain.phone import Phone
from services.gateways.openbanking.float_bank import (
    OpenBankingCredentials,
    OpenBankingFloat,
)
from services.gateways.openbanking.statement_wire import Statement, Unreadable
from tests.kit.virtual_time import run

PHONE = "254712345678"
CREDENTIALS = OpenBankingCredentials(
    base_url=f"http://bank.test{PREFIX}/",
    subscription_key="simulated-key",
    user_id="hazina-float",
    password="simulated",
    debit_account="1007745101",
    agent_name="Hazina",
    refusal_codes=frozenset({"R1"}),
    failed_codes=frozenset({SIMULATED_FAILED_CODE}),
)
ORDER = FloatOrder(
    reference="FL-7K3QF9",
    phone=Phone(PHONE),
    amount=Money.of("50000.00"),
    short_code="600100",
    ordered_at=datetime(2026, 3, 1, 21, 30, tzinfo=UTC),  # already 2 March in Nairobi
)
Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class FloatBankSetup:
    clock: VirtualClock
    bank: SimulatedBank
    gateway: OpenBankingFloat
    requests: list[httpx.Request] = field(default_factory=list)

    async def purchase(self, order: FloatOrder = ORDER) -> FloatAnswer:
        ready = await run(self.clock, self.gateway.prepare())
        assert isinstance(ready, Ready)
        return await run(self.clock, self.gateway.purchase(ready, order))

    async def status(self, reference: str = ORDER.reference) -> StatusAnswer:
        return await run(self.clock, self.gateway.status(reference))


@dataclass
class OddBank:
    """Gives a token, and ``answer`` to everything else; its client follows redirects."""

    answer: Handler
    token: object = field(default_factory=lambda: {"accessToken": "t", "tokenType": "Bearer"})
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path.rsplit("/", 1)[1])
        if self.asked[-1] == "generate-token":
            return httpx.Response(200, json=self.token)
        return self.answer(request)

    async def prepare(self) -> Ready | NotSent:
        async with self._client() as client:
            return await self._gateway(client).prepare()

    async def purchase(self) -> FloatAnswer:
        async with self._client() as client:
            return await self._gateway(client).purchase(Ready("t"), ORDER)

    async def status(self) -> StatusAnswer:
        async with self._client() as client:
            return await self._gateway(client).status(ORDER.reference)

    async def statement(self) -> Statement | Unreadable | NoAnswer:
        async with self._client() as client:
            return await self._gateway(client).statement(date(2026, 3, 1), date(2026, 3, 2))

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self), follow_redirects=True)

    def _gateway(self, client: httpx.AsyncClient) -> OpenBankingFloat:
        return OpenBankingFloat(client, VirtualClock(), CREDENTIALS)


def says(body: object, status: int = 200) -> OddBank:
    return OddBank(lambda _: httpx.Response(status, json=body))
