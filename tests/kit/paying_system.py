"""A partner's system that pays customers by the API of a simulated world."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.ports import Tx
from tests.kit.api_caller import ApiCaller

PAYEE = "0722000111"
FLOAT = Money.of("90000.00")


class PayingSystem:
    """DUKA's system: its float has 90,000, and its key a ceiling of 0 at first."""

    def __init__(self, caller: ApiCaller) -> None:
        self.caller = caller
        self.key_id = caller.keys["DUKA"].rpartition("_")[0][:9]

    async def fund(self) -> None:
        def book(tx: Tx) -> None:
            tx.ledger.book(opening_balance("DUKA", AccountKind.FLOAT, FLOAT))

        await self.caller.world.app.database.write(book)
        self.caller.world.daraja.raise_utility(FLOAT.cents)

    async def may_pay(self, ceiling: str) -> None:
        """As if an owner had set the ceiling."""
        await self.caller.world.app.database.write(
            lambda tx: tx.api_keys.set_ceiling(self.key_id, Money.of(ceiling))
        )

    async def pay(
        self, amount: object, phone: str = PAYEE, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        body = {"amount": amount, "phone_number": phone, **more}
        return await self.caller.post("/v1/payouts", body, key=key)

    async def pay_at_once(self, *payouts: tuple[int, str, str]) -> list[httpx.Response]:
        """Each an amount, a phone and an idempotency key."""
        answers = await asyncio.gather(
            *(
                self.caller.send(
                    "POST",
                    "/v1/payouts",
                    json={"amount": amount, "phone_number": phone},
                    headers={"idempotency-key": key},
                )
                for amount, phone, key in payouts
            )
        )
        await self.caller.world.settle()
        return answers

    async def code_for(self, amount: object, phone: str = PAYEE) -> tuple[str, str]:
        """The reference of a payout that waits for its code, and the code."""
        asked = {"purpose": "disbursement", "amount": amount, "recipient": phone}
        sent = await self.caller.post("/v1/otp/generate", asked)
        assert sent.status_code == 201, sent.text
        return sent.json()["reference"], self.caller.code()
