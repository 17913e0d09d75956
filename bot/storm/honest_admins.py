"""Two honest admins who settle by hand what only people can settle once a storm is over."""

from __future__ import annotations

from bot.simulation.daraja.b2c_ledger import B2cState
from bot.simulation.prompt_matching import match_prompts
from bot.simulation.world import World
from bot.storm.people import Actor
from bot.storm.story import Tally
from flows.engine.event import Event
from services.domain.float_purchase import PurchaseState
from services.domain.payment import PaymentState
from services.domain.payout import PayoutState
from services.domain.topup import TopUpState
from services.gateways.openbanking.purchase_wire import bank_reference
from services.ports import Tx


class HonestAdmins:
    """They read the bank's own books, and M-PESA's."""

    def __init__(self, world: World, tally: Tally, first: Actor, second: Actor) -> None:
        self._world = world
        self._tally = tally
        self._admins = (first, second)

    async def resume_payouts(self) -> None:
        """Let payouts go on, if they are paused for everybody."""
        pause = await self._world.app.database.read(lambda tx: tx.payout_pauses.standing())
        if pause is None:
            return
        first, _ = self._admins
        await self._do(first.say("/cancel"))
        await self._do(first.say("/payouts"))
        for option in ("resume", "yes"):
            await self._do(first.tap(option))

    async def settle_open(self) -> None:
        """Settle unknown operations and unidentified payments through the chat, as the books of the
        bank and of M-PESA say. What M-PESA has not decided yet is left alone.
        """
        now = self._world.clock.true_now()
        payments = {one.originator_id: one.state(now) for one in self._world.daraja.payments()}
        sold = {booking.reference for booking in self._world.bank.float_purchases()}

        def unknown(tx: Tx) -> list[tuple[str, bool]]:
            prompts = match_prompts(self._world, tx)
            found = [
                (topup.reference, prompts.is_paid(topup.reference))
                for topup in tx.topups.every()
                if topup.state in (TopUpState.UNKNOWN, TopUpState.SEND_UNKNOWN)
            ]
            found += [
                (purchase.reference, bank_reference(purchase.reference) in sold)
                for purchase in tx.purchases.every()
                if purchase.state is PurchaseState.UNKNOWN
            ]
            found += [
                (payout.reference, payments.get(payout.originator_id) is B2cState.PAID)
                for payout in tx.payouts.every()
                if payout.state is PayoutState.UNKNOWN
                and payments.get(payout.originator_id) is not B2cState.UNDER_WAY
            ]
            return found

        def nameless(tx: Tx) -> list[tuple[str, str]]:
            """Payments in suspense whose payer is unknown."""
            prompts = match_prompts(self._world, tx)
            return [
                (row.reference, topup)
                for row in tx.payments.every()
                if row.state is PaymentState.IN_SUSPENSE
                and not row.payment.payer.number
                and (topup := prompts.topup_of(row.payment.receipt)) is not None
            ]

        for reference, happened in await self._world.app.database.read(unknown):
            await self._agree(reference, "paid" if happened else "failed")
        for reference, topup in await self._world.app.database.read(nameless):
            await self._agree(reference, "match", topup)

    async def _agree(self, reference: str, option: str, *typed: str) -> None:
        """One admin proposes the outcome and another approves it."""
        first, second = self._admins
        await self._do(first.say("/cancel"))
        await self._do(first.say(f"/resolve {reference}"))
        await self._do(first.tap(option))
        for text in (*typed, "the bank's own books, read by hand"):
            await self._do(first.say(text))
        await self._do(first.tap("yes"))
        await self._do(second.say("/cancel"))
        await self._do(second.say("/approvals"))
        assert second.screen is not None
        await self._do(second.tap(second.screen.options[0]))
        await self._do(second.tap("approve"))
        await self._do(second.tap("yes"))

    async def _do(self, event: Event) -> None:
        self._tally.turns += 1
        self._world.submit(event)
        await self._world.settle()
