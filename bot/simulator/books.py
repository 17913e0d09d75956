"""Our books against the simulated bank's, as far as both have settled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from services.domain.money import Money
from services.domain.payment import Arrived
from services.domain.purchase import Purchase, PurchaseState
from services.domain.topup import CREDITED, TopUp
from services.gateways.openbanking_wire import bank_reference
from storage.transaction import SqliteTx

if TYPE_CHECKING:
    from bot.simulator.world import World


async def bank_problems(world: World) -> list[str]:
    """Each credit of ours that the bank does not know of, and what it told of and we do not know;
    empty when all is well."""

    def look(tx: SqliteTx) -> tuple[list[TopUp], list[Arrived], list[Purchase], Money]:
        payments = tx.payments
        return tx.topups.every(), payments.every(), tx.purchases.every(), payments.collected()

    topups, known, purchases, collected = await world.app.database.read(look)
    return [
        *_topups(world, topups),
        *_payments(world, known, collected),
        *_purchases(world, purchases),
    ]


def _topups(world: World, topups: list[TopUp]) -> list[str]:
    problems = []
    credited = {
        f"{world.settings.ncba_account_number}#{topup.account_reference}": topup
        for topup in topups
        if topup.state in CREDITED
    }
    paid = {prompt.account_no: prompt for prompt in world.bank.paid()}
    receipts = {payment.receipt: payment.amount for payment in world.bank.paybill.received()}
    for account_no, topup in credited.items():
        prompt = paid.get(account_no)
        by_prompt = prompt is not None and Money(prompt.amount_kes * 100) == topup.amount
        if not by_prompt and receipts.get(topup.receipt or "") != topup.amount:
            problems.append(f"{topup.reference} is credited, but the bank has no such payment")
    for prompt in world.bank.told_paid():
        crash = world.last_crash
        if crash is not None and prompt.told_at is not None and prompt.told_at <= crash:
            continue  # the answer may have died with the process; it is asked for again
        if prompt.account_no not in credited:
            problems.append(f"the bank told of a payment to {prompt.account_no}: no credit")
    return problems


def _payments(world: World, known: list[Arrived], collected: Money) -> list[str]:
    """Each payment that we know of is the bank's, and each that it told of is known."""
    received = {payment.receipt: payment.amount for payment in world.bank.paybill.received()}
    ours = {arrived.payment.receipt: arrived.amount for arrived in known}
    problems = [
        f"we know a payment {receipt} of {amount}, and the bank has no such one"
        for receipt, amount in ours.items()
        if received.get(receipt) != amount
    ]
    problems += [
        f"the bank told of the payment {payment.receipt}, and nobody knows it"
        for payment in world.bank.paybill.payments()
        if payment.told_at is not None and payment.receipt not in ours
    ]
    total = Money(sum(amount.cents for amount in received.values()))
    if total < collected:
        problems.append(f"our books hold {collected} of payments, the bank {total}")
    return problems


def _purchases(world: World, purchases: list[Purchase]) -> list[str]:
    """Each purchase of ours is booked at the bank once, and each that it told of is ours."""
    problems = []
    bought = {
        bank_reference(purchase.reference): purchase
        for purchase in purchases
        if purchase.state is PurchaseState.SUCCEEDED
    }
    bookings = world.bank.float_purchases()
    for reference, times in Counter(booking.reference for booking in bookings).items():
        if times > 1:
            problems.append(f"the bank sold {reference} {times} times")
    sold = {booking.reference: booking for booking in bookings}
    for reference, purchase in bought.items():
        booking = sold.get(reference)
        if booking is None or Money(booking.amount_kes * 100) != purchase.amount:
            problems.append(f"{purchase.reference} is bought, but the bank has no such sale")
    for booking in bookings:
        crash = world.last_crash
        if booking.told_at is None or (crash is not None and booking.told_at <= crash):
            continue
        if booking.reference not in bought:
            problems.append(f"the bank told of selling {booking.reference}: no float")
    return problems
