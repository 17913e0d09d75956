"""Compares our books with the simulated bank's and M-PESA's, as far as both have settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bot.simulation.credentials import SHORT_CODE
from bot.simulation.payout_comparison import (
    ComparedPayout,
    MpesaBooks,
    payout_mismatches,
    utility_mismatches,
)
from bot.simulation.prompt_matching import PromptMatches, match_prompts
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.payment import PaymentState, Verdict
from services.domain.topup import CreditedTopUp
from services.gateways.openbanking.purchase_wire import bank_reference
from services.ports import Tx

if TYPE_CHECKING:
    from bot.simulation.world import World


async def bank_mismatches(world: World) -> list[str]:
    """See ``mismatches``."""
    return await world.app.database.read(lambda tx: mismatches(world, tx))


def mismatches(world: World, tx: Tx) -> list[str]:
    """Each mismatch in words: a credit of ours that the bank does not know, or something the bank
    reported that we do not know. Empty when the books agree.
    """
    received = {payment.receipt: payment.amount for payment in world.bank.paybill.received()}
    return [
        *_topups(world, received, tx.topups.credited(), match_prompts(world, tx)),
        *_payments(world, received, tx),
        *_purchases(world, tx.purchases.bought()),
        *_payouts(world, tx, tx.payouts.every()),
    ]


def _topups(
    world: World,
    received: Mapping[str, Money],
    credited: list[CreditedTopUp],
    prompts: PromptMatches,
) -> Iterator[str]:
    """Every credit must match a bank payment, and every reported payment must be credited."""
    of = prompts.by_topup
    for topup in credited:
        prompt = of.get(topup.reference) if prompts.is_paid(topup.reference) else None
        by_prompt = prompt is not None and prompt.amount_kes * 100 == topup.amount.cents
        if not by_prompt and received.get(topup.receipt or "") != topup.amount:
            yield f"{topup.reference} is credited, but the bank has no such payment"
    ours = {of[topup.reference].transaction_id for topup in credited if topup.reference in of}
    for prompt in world.bank.reported_paid():
        crash = world.last_crash
        if crash is not None and prompt.reported_at is not None and prompt.reported_at <= crash:
            continue  # the answer may have been lost in a crash; we query again
        if prompt.transaction_id not in ours:
            yield f"the bank told of a payment to {prompt.account_no}: no credit"


def _payments(world: World, received: Mapping[str, Money], tx: Tx) -> Iterator[str]:
    """Every payment we know must exist at the bank.

    Every payment the bank reported must be known to us, or held as one that may be known by its
    other number. A payment without a payer may be credited to a wallet and also sit in suspense
    until admins decide what it paid for.
    """
    ours, collected = tx.payments.amounts(), tx.payments.collected()
    for receipt, amount in ours.items():
        if received.get(receipt) != amount:
            yield f"we know a payment {receipt} of {amount}, and the bank has no such one"
    # These are under review by an admin, or were, until the statement identifies them.
    may_be_known = tx.payments.receipts_of(Verdict.MAY_BE_KNOWN)
    for payment in world.bank.paybill.payments():
        heard_of = payment.receipt in ours or payment.receipt in may_be_known
        if payment.reported_at is not None and not heard_of:
            yield f"the bank told of the payment {payment.receipt}, and nobody knows it"
    total = Money(sum(amount.cents for amount in received.values()))
    if total < collected:
        waiting = (row for row in tx.payments.every() if row.state is PaymentState.IN_SUSPENSE)
        twice = sum(row.amount.cents for row in waiting if not row.payment.payer.number)
        if total < collected - Money(twice):
            yield f"our books hold {collected} of payments, the bank {total}"


def _purchases(world: World, bought: dict[str, Money]) -> Iterator[str]:
    """Every purchase must be booked at the bank once, and every reported purchase must be ours."""
    ours = {bank_reference(reference): reference for reference in bought}
    bookings = world.bank.float_purchases()
    for reference, times in world.bank.floats.order_counts.items():
        if times > 1:
            yield f"the bank was asked to sell {reference} {times} times"
    sold = {booking.reference: booking.amount.cents for booking in bookings}
    for booked_as, reference in ours.items():
        if sold.get(booked_as) != bought[reference].cents:
            yield f"{reference} is bought, but the bank has no such sale"
    for booking in bookings:
        crash = world.last_crash
        if booking.reported_at is None or (crash is not None and booking.reported_at <= crash):
            continue
        if booking.reference not in ours:
            yield f"the bank told of selling {booking.reference}: no float"


def _payouts(world: World, tx: Tx, payouts: Sequence[ComparedPayout]) -> Iterator[str]:
    """Every payout against M-PESA's books, and the account that they are paid from."""
    books = MpesaBooks(
        now=world.clock.true_now(),
        payments=world.daraja.payments(),
        order_counts=world.daraja.order_counts(),
        utility=Money(world.daraja.utility_cents()),
        last_crash=world.last_crash,
    )
    yield from payout_mismatches(payouts, books)
    ours = tx.overview.balances()[AccountKind.B2C_UTILITY].posted
    sold = (one.amount for one in world.bank.float_purchases() if one.short_code == SHORT_CODE)
    not_bought = sum(sold, Money(0)) - sum(tx.purchases.bought().values(), Money(0))
    yield from utility_mismatches(payouts, books, ours, not_bought)
