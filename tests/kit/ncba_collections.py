"""The NCBA collections gateway, with the simulated bank or one that answers oddly."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    Prompt,
    Ready,
)
from services.domain.money import Money
from services.domain.phone import Phone
from services.gateways.ncba.collections import NcbaCollections, NcbaCredentials
from tests.kit.virtual_time import run

PHONE = "254712345678"
PROMPT = Prompt("TU-7K3QF9", Phone(PHONE), Money.of("1500.00"))
CREDENTIALS = NcbaCredentials(
    base_url="http://bank.test/",
    username="hazina",
    password="simulated",
    paybill_no="880100",
    account_number="774451",
    till="PAY100D",
)


@dataclass
class CollectionsSetup:
    clock: VirtualClock
    bank: SimulatedBank
    gateway: NcbaCollections
    requests: list[httpx.Request] = field(default_factory=list)

    async def initiate(self, prompt: Prompt = PROMPT) -> InitiateAnswer:
        ready = await run(self.clock, self.gateway.prepare())
        assert isinstance(ready, Ready)
        return await run(self.clock, self.gateway.initiate(ready, prompt))

    async def accepted(self) -> str:
        answer = await self.initiate()
        assert isinstance(answer, Accepted)
        return answer.bank_id
