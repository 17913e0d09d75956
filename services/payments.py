"""Payments to the paybill: take in what the bank tells of them, and find what each one paid.

Each function runs inside a transaction and calls nobody outside. A payment is credited once,
whoever tells of it and however often, to the top-up that it names or surely paid, else to the
partner that it names; what is left goes to suspense for the admins, never to a wallet by its
amount alone (docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services import topups
from services.domain.ids import new_reference
from services.domain.ledger import assigned, payment_credit, suspended
from services.domain.partner import Partner
from services.domain.payment import (
    AFTER_PROMPT,
    BEFORE_PROMPT,
    Arrived,
    Notification,
    Payment,
    PaymentState,
    Suspense,
    Verdict,
)
from services.domain.refusal import Refusal
from services.domain.topup import CREDITED, TopUp
from services.ports import Random, Tx
from services.topups import Change

REFERENCE_DRAWS = 16  # a clash has a chance of one in thousands, at a million payments
REFUSED_MAX = 200  # refused notifications that are kept in an hour: the rest say nothing new
DIFFERS = "payment_differs"  # why a person must look: one receipt, and two amounts


@dataclass(frozen=True, slots=True)
class Credited:
    """A payment of its own is in a partner's wallet: its owners should hear of it."""

    arrived: Arrived


@dataclass(frozen=True, slots=True)
class Suspended:
    """A payment is nobody's yet: the admins should hear of it."""

    arrived: Arrived


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A notification was refused, and says why: the admins should hear of it. ``reference`` is
    what it is kept under."""

    reference: str
    notification: Notification


LedTo = Change | Credited | Suspended | Spoiled


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether the bank may be told that its notification was received, and what came of it."""

    accepted: bool
    led_to: Sequence[LedTo] = ()


def take(tx: Tx, random: Random, notification: Notification) -> Taken:
    """Keep a notification, and book what it is evidence of."""
    accepted = notification.verdict in (Verdict.TAKEN, Verdict.OTHER_TYPE)
    payment = notification.payment
    before = tx.payments.came_again(notification)
    if before is not None:
        if payment is None or before.verdict is Verdict.TAKEN:
            return Taken(accepted)
        tx.evidence.close_reviews(before.reference)  # our settings were wrong, not the bank
        tx.proposals.overtake(before.reference)
        return Taken(True, record(tx, random, payment))
    if payment is None and tx.payments.refused_since(tx.now - timedelta(hours=1)) >= REFUSED_MAX:
        return Taken(False)
    reference = _keep(tx, random, notification)
    if payment is not None:
        return Taken(True, record(tx, random, payment))
    tx.evidence.review(reference, notification.verdict)
    return Taken(accepted, [Spoiled(reference, notification)])


def record(tx: Tx, random: Random, payment: Payment) -> list[LedTo]:
    """Take in that money arrived; nothing where that changes nothing for anybody."""
    known = tx.payments.get(payment.receipt)
    if known is not None:
        if known.amount != payment.amount:
            tx.evidence.add(known.reference, "differs", payment.source, str(payment.amount))
            tx.evidence.review(known.reference, DIFFERS)
        return []
    arrived = Arrived(_new_reference(tx, random), payment, PaymentState.SUSPENDED, tx.now)
    tx.payments.add(arrived)
    return _place(tx, arrived)


def _place(tx: Tx, arrived: Arrived) -> list[LedTo]:
    """Book it as what it turns out to be."""
    reference, payment = arrived.reference, arrived.payment
    match _paid_by(tx, payment):
        case TopUp() as topup:
            return _pay(tx, arrived, topup)
        case Partner(code=partner):
            arrived = arrived.belongs(PaymentState.CREDITED, partner, reference)
            tx.payments.add_credit(arrived)
            tx.payments.save(arrived)
            tx.evidence.add(reference, "paid", payment.source, payment.receipt)
            tx.ledger.book(payment_credit(reference, partner, payment.amount))
            return [Credited(arrived)]
        case Suspense() as why:
            arrived = replace(arrived, why=why)
            tx.payments.save(arrived)
            tx.evidence.add(reference, "paid", payment.source, payment.receipt)
            tx.evidence.review(reference, why)
            tx.ledger.book(suspended(reference, payment.amount))
            return [Suspended(arrived)]


def _pay(tx: Tx, arrived: Arrived, topup: TopUp) -> list[LedTo]:
    """It paid the top-up. One that was only taken to have paid it, and does not name it, has paid
    something else, and is placed anew."""
    payment = arrived.payment
    displaced = None if topup.receipt is None else tx.payments.get(topup.receipt)
    if displaced is not None:
        topups.exchange_receipt(tx, topup, payment)
        displaced = replace(
            displaced,
            state=PaymentState.SUSPENDED,
            partner=None,
            operation=None,
            inferred=False,
        )
        tx.payments.save(displaced)
    mine = arrived.belongs(PaymentState.MATCHED, topup.partner, topup.reference)
    tx.payments.save(replace(mine, inferred=payment.topup != topup.reference))
    if displaced is not None:
        return _place(tx, displaced)
    change = topups.paid(tx, topup, payment)
    return [] if change is None else [change]


def find_suspended(tx: Tx, reference: str) -> Arrived | Refusal:
    """A payment that is nobody's, where it can be given to somebody.

    Refusals: ``no_operation``, ``not_suspended`` (reference), ``may_have_paid`` (reference,
    topup): it waits for the evidence about that one, which will take it out of suspense.
    """
    arrived = tx.payments.of_reference(reference)
    if arrived is None:
        return Refusal.of("no_operation", reference=reference)
    if arrived.state is not PaymentState.SUSPENDED:
        return Refusal.of("not_suspended", reference=reference)
    if arrived.why in (Suspense.AMBIGUOUS, Suspense.PAID_AGAIN):
        payment = arrived.payment
        freed = _freed(tx, payment, _partner_of(tx, payment))
        for topup in (*_free_for(tx, payment), *(other for _, other in freed)):
            return Refusal.of("may_have_paid", reference=reference, topup=topup.reference)
    return arrived


def may_be_of(tx: Tx, payment: Payment) -> list[TopUp]:
    """Top-ups of that amount and time that are credited already, and of which no payment is known:
    whoever paid, it may be theirs, and is then in a wallet already."""
    since, until = payment.paid_at - AFTER_PROMPT, payment.paid_at + BEFORE_PROMPT
    found = tx.topups.without_receipt(payment.amount, None, since, until)
    return [topup for topup in found if topup.state in CREDITED]


def assign(tx: Tx, arrived: Arrived, partner: str) -> Credited:
    """Two admins found whose it is: out of suspense, into the wallet."""
    assert arrived.state is PaymentState.SUSPENDED, "only what is nobody's is given to somebody"
    arrived = arrived.belongs(PaymentState.CREDITED, partner, arrived.reference)
    tx.payments.add_credit(arrived)
    tx.payments.save(arrived)
    tx.evidence.close_reviews(arrived.reference)
    tx.ledger.book(assigned(arrived.reference, partner, arrived.amount))
    return Credited(arrived)


# Whose it is -----------------------------------------------------------------------------------


def _paid_by(tx: Tx, payment: Payment) -> TopUp | Partner | Suspense:
    """The top-up it paid; else the partner it names; else why it is nobody's."""
    named = None if payment.topup is None else tx.topups.get(payment.topup)
    if named is not None:
        if named.amount != payment.amount:
            return Suspense.OTHER_AMOUNT
        if named.receipt is None or _is_inferred(tx, named.receipt):
            return named
    partner = _partner_of(tx, payment)
    fitting = _fitting(tx, payment, partner)
    # One that is credited already lacks a payment like this one: to give it the receipt moves no
    # money, and should it be another's, the payment that is still to come will be for that one.
    # The newest: an older one could be paid by an older payment too, this one could not.
    credited = [topup for topup in fitting if topup.state in CREDITED]
    if credited:
        return credited[0]
    freed = list(_freed(tx, payment, partner))
    for topup, other in freed:
        if other.state in CREDITED:
            return topup
    if named is not None:
        return Suspense.PAID_AGAIN
    if len(fitting) == 1:
        return fitting[0]
    if fitting or freed:
        return Suspense.AMBIGUOUS
    return Suspense.UNMATCHED if partner is None else partner


def _freed(tx: Tx, payment: Payment, partner: Partner | None) -> Iterator[tuple[TopUp, TopUp]]:
    """Top-ups that it may have paid, whose receipt may as well be another's, each with that other
    one: it lacks a receipt, and may have come too late for this payment."""
    for topup in _fitting(tx, payment, partner, inferred=True):
        assert topup.receipt is not None
        holder = tx.payments.get(topup.receipt)
        assert holder is not None
        for other in _free_for(tx, holder.payment):
            yield topup, other


def _free_for(tx: Tx, payment: Payment) -> list[TopUp]:
    return _fitting(tx, payment, _partner_of(tx, payment))


def _is_inferred(tx: Tx, receipt: str) -> bool:
    """Whether a top-up has this receipt only because nothing better was known, and can do without.

    One that has come out of suspense does not go back there.
    """
    holder = tx.payments.get(receipt)
    if holder is None or not holder.inferred:
        return False
    if holder.state is not PaymentState.RELEASED:
        return True
    return any(topup.state in CREDITED for topup in _free_for(tx, holder.payment))


def _partner_of(tx: Tx, payment: Payment) -> Partner | None:
    """Whose it is by what it names: the partner of a top-up, or the one of that code."""
    topup = None if payment.topup is None else tx.topups.get(payment.topup)
    code = payment.partner if topup is None else topup.partner
    return None if code is None else tx.people.partner(code)


def _fitting(
    tx: Tx, payment: Payment, partner: Partner | None, *, inferred: bool = False
) -> list[TopUp]:
    """Top-ups that it may have paid, by amount and payer and time, newest first: those still
    without a receipt that wait for evidence, or were credited without one; or those whose receipt
    is ``inferred``."""
    if not payment.payer.number:
        return []
    look = tx.topups.with_inferred_receipt if inferred else tx.topups.without_receipt
    found = look(
        payment.amount,
        payment.payer.phone,
        since=payment.paid_at - AFTER_PROMPT,
        until=payment.paid_at + BEFORE_PROMPT,
    )
    return [
        topup
        for topup in found
        if payment.payer.is_of(topup.phone)
        and (partner is None or partner.code == topup.partner)
        and (topup.state in CREDITED or topup.awaits_evidence)
    ]


# What is kept ----------------------------------------------------------------------------------


def _keep(tx: Tx, random: Random, notification: Notification) -> str:
    for _ in range(REFERENCE_DRAWS):
        reference = new_reference("NT", random)
        if tx.payments.keep(reference, notification):
            return reference
    raise RuntimeError("no free reference found")


def _new_reference(tx: Tx, random: Random) -> str:
    for _ in range(REFERENCE_DRAWS):
        reference = new_reference("PB", random)
        if tx.payments.of_reference(reference) is None:
            return reference
    raise RuntimeError("no free reference found")
