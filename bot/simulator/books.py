"""Our books against the simulated bank's, as far as both have settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from services.domain.money import Money
from services.gateways.openbanking_wire import bank_reference
from storage.transaction import SqliteTx

if TYPE_CHECKING:
    from bot.simulator.world import World


class Credited(NamedTuple):
    """A top-up that was credited, as it stands in the tables."""

    reference: str
    account: str  # the reference that is to come with its payment
    cents: int
    receipt: str | None


async def bank_problems(world: World) -> list[str]:
    """Each credit of ours that the bank does not know of, and what it told of and we do not know;
    empty when all is well."""

    def look(tx: SqliteTx) -> list[str]:
        topups = tx.conn.execute(
            "SELECT w.reference, p.account_reference, w.amount_cents, w.receipt"
            " FROM wallet_transactions AS w JOIN ncb_stk_push_logs AS p"
            " ON p.reference = w.reference WHERE w.state IN ('PAID', 'PAID_LATE')"
        )
        known = tx.conn.execute("SELECT receipt, amount_cents FROM external_payments")
        bought = tx.conn.execute(
            "SELECT reference, amount_cents FROM wallet_transactions WHERE state = 'SUCCEEDED'"
        )
        return [
            *_topups(world, map(Credited._make, topups)),
            *_payments(world, dict(known), tx.payments.collected()),
            *_purchases(world, dict(bought)),
        ]

    return await world.app.database.read(look)


def _topups(world: World, credited: Iterable[Credited]) -> Iterator[str]:
    """Each credit is for a payment at the bank, and each payment that it told of is credited."""
    account = world.settings.ncba_account_number
    paid = {prompt.account_no: prompt for prompt in world.bank.paid()}
    receipts = {payment.receipt: payment.amount for payment in world.bank.paybill.received()}
    accounts = set()
    for topup in credited:
        account_no = f"{account}#{topup.account}"
        accounts.add(account_no)
        prompt = paid.get(account_no)
        by_prompt = prompt is not None and prompt.amount_kes * 100 == topup.cents
        if not by_prompt and receipts.get(topup.receipt or "") != Money(topup.cents):
            yield f"{topup.reference} is credited, but the bank has no such payment"
    for prompt in world.bank.told_paid():
        crash = world.last_crash
        if crash is not None and prompt.told_at is not None and prompt.told_at <= crash:
            continue  # the answer may have died with the process; it is asked for again
        if prompt.account_no not in accounts:
            yield f"the bank told of a payment to {prompt.account_no}: no credit"


def _payments(world: World, ours: Mapping[str, int], collected: Money) -> Iterator[str]:
    """Each payment that we know of is the bank's, and each that it told of is known."""
    received = {payment.receipt: payment.amount.cents for payment in world.bank.paybill.received()}
    for receipt, cents in ours.items():
        if received.get(receipt) != cents:
            yield f"we know a payment {receipt} of {Money(cents)}, and the bank has no such one"
    for payment in world.bank.paybill.payments():
        if payment.told_at is not None and payment.receipt not in ours:
            yield f"the bank told of the payment {payment.receipt}, and nobody knows it"
    total = Money(sum(received.values()))
    if total < collected:
        yield f"our books hold {collected} of payments, the bank {total}"


def _purchases(world: World, bought: Mapping[str, int]) -> Iterator[str]:
    """Each purchase of ours is booked at the bank once, and each that it told of is ours."""
    bookings = world.bank.float_purchases()
    for reference, times in Counter(booking.reference for booking in bookings).items():
        if times > 1:
            yield f"the bank sold {reference} {times} times"
    sold = {booking.reference: booking.amount_kes * 100 for booking in bookings}
    for reference, cents in bought.items():
        if sold.get(bank_reference(reference)) != cents:
            yield f"{reference} is bought, but the bank has no such sale"
    ours = {bank_reference(reference) for reference in bought}
    for booking in bookings:
        crash = world.last_crash
        if booking.told_at is None or (crash is not None and booking.told_at <= crash):
            continue
        if booking.reference not in ours:
            yield f"the bank told of selling {booking.reference}: no float"
