"""Our gateway to Daraja, in front of the simulated one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TypeVar

from bot.simulation.daraja.credentials import CREDENTIALS as SIMULATED
from services.domain.bank import NoAnswer, Ready
from services.domain.money import Money
from services.domain.payout_answers import (
    Acknowledged,
    Asked,
    PaidOut,
    PayoutAnswer,
    PayoutOrder,
    PayoutVerdict,
    Undecided,
)
from services.domain.phone import Phone
from services.gateways.daraja.b2c import DarajaB2c, DarajaCredentials
from services.gateways.daraja.result_wire import Result, judge_payment, judge_status, read_result
from tests.kit.daraja_caller import (
    BASE,
    ID,
    PHONE,
    RESULT_URL,
    TIMEOUT_URL,
    DarajaCaller,
    security_credential,
)
from tests.kit.virtual_time import run

T = TypeVar("T")
ORDER = PayoutOrder(ID, Phone(PHONE), Money(1_500_00), "Payout PO-7K3QF9")


def credentials() -> DarajaCredentials:
    return DarajaCredentials(
        consumer_key=SIMULATED.consumer_key,
        consumer_secret=SIMULATED.consumer_secret,
        short_code=SIMULATED.short_code,
        initiator_name=SIMULATED.initiator_name,
        security_credential=security_credential(),
        result_url=RESULT_URL,
        timeout_url=TIMEOUT_URL,
        base_url=BASE,
    )


@dataclass
class DarajaDesk:
    outside: DarajaCaller = field(default_factory=DarajaCaller)

    def __post_init__(self) -> None:
        self.gateway = DarajaB2c(self.outside.client, self.outside.clock, credentials())

    async def pay(self, order: PayoutOrder = ORDER) -> PayoutAnswer:
        ready = await run(self.outside.clock, self.gateway.prepare())
        assert isinstance(ready, Ready)
        return await run(self.outside.clock, self.gateway.pay(ready, order))

    async def paid(self, order: PayoutOrder = ORDER) -> PayoutVerdict:
        """Order it, wait for the Result and judge that."""
        answer = await self.pay(order)
        assert isinstance(answer, Acknowledged)
        return judge_payment(await self.result(), order)

    async def status(
        self, order: PayoutOrder = ORDER, conversation_id: str | None = None
    ) -> PaidOut | Undecided:
        asked = await run(self.outside.clock, self.gateway.ask_status(order.originator_id))
        assert isinstance(asked, Asked)
        result = await self.result()
        assert result.occasion == order.originator_id
        return judge_status(result, order, conversation_id)

    async def ask_balance(self) -> Asked | NoAnswer:
        return await run(self.outside.clock, self.gateway.ask_balance())

    async def result(self) -> Result:
        """The newest that comes within three seconds."""
        await self.outside.wait(3)
        posted = self.outside.posted[-1][1]
        read = read_result(json.dumps(posted).encode())
        assert read is not None
        return read
