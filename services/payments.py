"""Payments to the paybill: take in what the bank tells of them, and find what each one paid.

Each function runs inside a transaction and calls nobody outside. A payment is credited once,
whoever tells of it and however often, to the top-up that it names or surely paid, else to the
partner that it names; what is left goes to suspense for the admins, never to a wallet by its
amount alone (docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services import payment_matching, suspense, topup_settlement
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import payment_credit, suspense_assignment, suspense_credit
from services.domain.partner import Partner
from services.domain.payment import (
    MAY_HAVE_PAID,
    RECEIVED,
    STATEMENT,
    BankNotification,
    Payment,
    PaymentState,
    RecordedPayment,
    SuspenseReason,
    Verdict,
)
from services.domain.refusal import Refusal
from services.domain.topup import CREDITED, TopUp
from services.payment_matching import Chain, NamedTargets
from services.ports import Random, Tx
from services.topup_settlement import TopUpChange

CLOCKS_DIFFER = timedelta(hours=1)  # by which the bank's may be ahead of ours
TOLD_WITHIN = timedelta(days=7)  # of a payment that is taken in without a line of the statement
POSTED_WITHIN = timedelta(days=4)  # to the end of a line's day: a long weekend after its payment
TOLD_TWICE_WITHIN = timedelta(days=1)  # by two products of the bank's, each with its own number
REFUSED_MAX = 200  # refused notifications that are kept in an hour: the rest say nothing new
LOOKED_AT = 50  # receipts that were inferred, each with the chains that lead on from it
# Why a person must look: one receipt has two amounts, or two partners.
DIFFERS = "payment_differs"
NAMES_ANOTHER = "names_another"


@dataclass(frozen=True, slots=True)
class Credited:
    """A payment of its own is in a partner's wallet: its owners should hear of it."""

    arrived: RecordedPayment


@dataclass(frozen=True, slots=True)
class HeldInSuspense:
    """A payment is nobody's yet: the admins should hear of it."""

    arrived: RecordedPayment


@dataclass(frozen=True, slots=True)
class RefusedNotification:
    """A notification was refused, and says why: the admins should hear of it. ``reference`` is
    what it is kept under."""

    reference: str
    notification: BankNotification


PaymentEffect = TopUpChange | Credited | HeldInSuspense | RefusedNotification


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """Whether the bank may be told that its notification was received, and what came of it."""

    accepted: bool
    effects: Sequence[PaymentEffect] = ()


def record_notification(tx: Tx, random: Random, notification: BankNotification) -> IntakeResult:
    """Keep a notification, and book what it is evidence of.

    When a payment was made decides whose it is: one of a time that cannot be true is left to the
    statement.
    """
    made_at = None if notification.payment is None else notification.payment.paid_at
    if made_at is not None and not _may_be_true(tx, made_at):
        notification = replace(notification, verdict=Verdict.OTHER_TIME, payment=None)
    payment = notification.payment
    if payment is not None and _may_be_known(tx, payment):
        notification, payment = (
            replace(notification, verdict=Verdict.MAY_BE_KNOWN, payment=None),
            None,
        )
    if payment is not None and tx.payments.has_accepted_notification(payment.receipt):
        payment = payment.as_signed  # a copy may say what the bank never wrote
    accepted = notification.verdict is Verdict.TAKEN or notification.verdict in RECEIVED
    before = tx.payments.count_duplicate(notification)
    if before is not None:
        if before.verdict is Verdict.TAKEN:
            return IntakeResult(True)  # whatever it would be worth by the settings of today
        if payment is None:
            return IntakeResult(accepted)
        tx.evidence.close_reviews(before.reference)  # our settings were wrong, not the bank
        tx.proposals.supersede(before.reference)
        return IntakeResult(True, record(tx, random, payment))
    if payment is None and tx.payments.refused_since(tx.now - timedelta(hours=1)) >= REFUSED_MAX:
        return IntakeResult(False)
    reference = _keep(tx, random, notification)
    if payment is not None:
        return IntakeResult(True, record(tx, random, payment))
    tx.evidence.open_review(reference, notification.verdict)
    return IntakeResult(accepted, [RefusedNotification(reference, notification)])


def _may_be_true(tx: Tx, made_at: datetime) -> bool:
    """By our clock, or as it would be had nobody set it: the bank's own decides the day."""
    earliest, latest = sorted((tx.now, tx.steady_now))
    return earliest - TOLD_WITHIN <= made_at <= latest + CLOCKS_DIFFER


def record(tx: Tx, random: Random, payment: Payment) -> list[PaymentEffect]:
    """Take in that money arrived; nothing where that changes nothing for anybody."""
    known = _known(tx, payment)
    if known is not None:
        if known.amount != payment.amount:
            _differs(tx, known, payment, str(payment.amount), DIFFERS)
            return []
        return _says_more(tx, known, payment)
    arrived = RecordedPayment(_new_reference(tx, random), payment, PaymentState.IN_SUSPENSE, tx.now)
    tx.payments.add(arrived)
    tx.reconciliations.reopen_day(payment.day)
    return _allocate(tx, arrived)


def _known(tx: Tx, payment: Payment) -> RecordedPayment | None:
    """The same payment: by its receipt, or by the bank's number where one has no receipt."""
    known = tx.payments.get(payment.receipt)
    if known is not None or payment.bank_reference is None:
        return known
    return tx.payments.of_bank(payment.bank_reference, has_receipt=not payment.has_receipt)


def _may_be_known(tx: Tx, payment: Payment) -> bool:
    """Whether another may be the same payment by the other kind of number, M-PESA's or the bank's:
    nothing is booked for it then, and a person looks."""
    if _known(tx, payment) is not None:
        return False
    since, until = payment.paid_at - TOLD_TWICE_WITHIN, payment.paid_at + TOLD_TWICE_WITHIN
    others = tx.payments.of_other_number(payment, since, until)
    return any(payment.payer.may_be_same_as(other.payment.payer) for other in others)


def _allocate(tx: Tx, arrived: RecordedPayment) -> list[PaymentEffect]:
    """Book it as what it turns out to be."""
    reference, payment = arrived.reference, arrived.payment
    match _find_allocation(tx, payment):
        case tuple() as chain:
            return _pay(tx, arrived, chain)
        case Partner(code=partner):
            arrived = arrived.allocated_to(PaymentState.CREDITED, partner, reference)
            tx.payments.add_credit(arrived)
            tx.payments.save(arrived)
            tx.evidence.add(reference, "paid", payment.source, payment.receipt)
            tx.ledger.book(payment_credit(reference, partner, payment.amount))
            return [Credited(arrived)]
        case SuspenseReason() as why:
            arrived = replace(arrived, why=why)
            tx.payments.save(arrived)
            tx.evidence.add(reference, "paid", payment.source, payment.receipt)
            tx.evidence.open_review(reference, why)
            tx.proposals.supersede(reference)  # of what it was before
            tx.ledger.book(suspense_credit(reference, payment.amount))
            return [HeldInSuspense(arrived)]


def _says_more(tx: Tx, known: RecordedPayment, payment: Payment) -> list[PaymentEffect]:
    """Who tells of it now names the top-up that it paid. That takes it out of suspense; what is in
    somebody's wallet by now, and names somebody else or nobody, moves only by what admins find."""
    named = payment_matching.named_by(tx, payment)
    if known.state is not PaymentState.IN_SUSPENSE:
        if known.partner not in (None, named.partner) and _is_elsewhere(known, named):
            paid = named.topup.reference if named.topup else payment.account_reference
            said = f"paid {paid} of {named.partner or 'nobody'}"
            _differs(tx, known, payment, said, NAMES_ANOTHER)
        return []
    if named.topup is None or named.topup.amount != payment.amount:
        return []
    chain = _to_named(tx, named.topup)
    return [] if chain is None else _led(tx, chain, suspense.release(tx, known, chain))


def _is_elsewhere(known: RecordedPayment, named: NamedTargets) -> bool:
    """It stands where nobody would have put it by what is said of it now."""
    return bool(named.partners) or (named.names_nothing_of_ours and known.inferred)


def _differs(tx: Tx, known: RecordedPayment, payment: Payment, said: str, why: str) -> None:
    """A person must look at it, also who was about to agree that all has been looked at."""
    tx.evidence.add(known.reference, "differs", payment.source, said)
    if why not in tx.evidence.open_review_reasons(known.reference):
        tx.proposals.supersede(known.reference)
        tx.evidence.open_review(known.reference, why)


def _pay(tx: Tx, arrived: RecordedPayment, chain: Chain) -> list[PaymentEffect]:
    """It paid the first of them, and what follows from that."""
    arrived = replace(arrived, state=PaymentState.MATCHED)
    return _led(tx, chain, payment_matching.apply_chain(tx, arrived, chain))


def _led(
    tx: Tx, chain: Chain, followed: tuple[RecordedPayment, RecordedPayment | None]
) -> list[PaymentEffect]:
    """What the last top-up had by inference only, and cannot keep, has paid something else, and is
    placed anew."""
    last, displaced = followed
    if displaced is not None:
        anew = replace(displaced, state=PaymentState.IN_SUSPENSE, inferred=False)
        return _allocate(tx, replace(anew, partner=None, operation=None))
    change = topup_settlement.apply_payment(tx, chain[-1], last.payment)
    return [] if change is None else [change]


def find_in_suspense(tx: Tx, reference: str) -> RecordedPayment | Refusal:
    """A payment that is nobody's, where it can be given to somebody.

    Refusals: ``no_operation``, ``not_suspended`` (reference), ``may_have_paid`` (reference,
    topup): it waits for the evidence about that one, which will take it out of suspense.
    """
    arrived = tx.payments.of_reference(reference)
    if arrived is None:
        return Refusal.of("no_operation", reference=reference)
    if arrived.state is not PaymentState.IN_SUSPENSE:
        return Refusal.of("not_suspended", reference=reference)
    chains = payment_matching.chains(tx, arrived.payment) if arrived.why in MAY_HAVE_PAID else ()
    for chain in chains:
        if chain[-1].awaits_evidence:
            return Refusal.of("may_have_paid", reference=reference, topup=chain[-1].reference)
    return arrived


def possible_topups(tx: Tx, payment: Payment) -> Iterator[TopUp]:
    """Top-ups of that amount and time that it may have paid, whoever its payer is: they have no
    receipt, or one that may as well be another's. What paid a credited one is in a wallet.

    Of the latter the first ``LOOKED_AT`` are looked into: that others are there is enough.
    """
    window = payment_matching.began_between(tx, payment)
    for topup in tx.topups.without_receipt(payment.amount, None, *window):
        if topup.takes_payment and payment_matching.fits_in_time(tx, payment, topup):
            yield topup
    inferred = [
        topup
        for topup in tx.topups.with_inferred_receipt(payment.amount, None, *window)
        if payment_matching.fits_in_time(tx, payment, topup)
    ]
    for n, topup in enumerate(inferred):
        holder = payment_matching.holder_of(tx, topup)
        moves_to = payment_matching.chains(
            tx, holder.payment, payment_matching.bound_partner(holder)
        )
        if n >= LOOKED_AT or next(moves_to, None) is not None:
            yield topup


def match(tx: Tx, arrived: RecordedPayment, chain: Chain) -> list[PaymentEffect]:
    """Two admins found that it paid the first of them: as if it named that one, and for good."""
    followed = suspense.release(tx, arrived, chain)
    matched = tx.payments.get(arrived.payment.receipt)
    assert matched is not None, "payments are never deleted"
    tx.payments.save(replace(matched, inferred=False))  # before another may take its place
    return _led(tx, chain, followed)


def check_match(tx: Tx, arrived: RecordedPayment, reference: str) -> Chain | Refusal:
    """The top-up, with what follows from it, where this payment can be the one that paid it.

    Refusals: ``no_operation`` (reference), ``not_its_amount`` (reference, amount),
    ``has_receipt`` (reference, receipt): it has to keep that one.
    """
    topup = tx.topups.get(reference)
    if topup is None:
        return Refusal.of("no_operation", reference=reference)
    if topup.amount != arrived.amount:
        return Refusal.of("not_its_amount", reference=reference, amount=topup.amount)
    chain = _to_named(tx, topup)
    if chain is None:
        return Refusal.of("has_receipt", reference=reference, receipt=topup.receipt)
    return chain


def assign(tx: Tx, arrived: RecordedPayment, partner: str) -> Credited:
    """Two admins found whose it is: out of suspense, into the wallet."""
    assert arrived.state is PaymentState.IN_SUSPENSE, "only what is nobody's is given to somebody"
    arrived = arrived.allocated_to(PaymentState.CREDITED, partner, arrived.reference)
    tx.payments.add_credit(arrived)
    tx.payments.save(arrived)
    tx.evidence.close_reviews(arrived.reference, arrived.why)
    tx.ledger.book(suspense_assignment(arrived.reference, partner, arrived.amount))
    return Credited(arrived)


# Whose it is -----------------------------------------------------------------------------------


def _find_allocation(tx: Tx, payment: Payment) -> Chain | Partner | SuspenseReason:
    """The top-up it paid, with what follows from that; else the partner it names; else why it is
    nobody's."""
    names = payment_matching.named_by(tx, payment)
    if names.contradicts:
        return SuspenseReason.AMBIGUOUS
    if names.names_nothing_of_ours:
        return SuspenseReason.UNMATCHED
    named = names.topup
    if named is not None:
        if named.amount != payment.amount:
            return SuspenseReason.OTHER_AMOUNT
        chain = _to_named(tx, named)
        if chain is not None:
            return chain
    chains = list(payment_matching.chains(tx, payment))
    # One that is credited already lacks a payment like this one: to give it the receipt moves no
    # money, and should it be another's, the payment that is still to come will be for that one.
    # The newest: an older one could be paid by an older payment too, this one could not.
    for chain in chains:
        if chain[-1].state in CREDITED:
            return chain
    partner = None if names.partner is None else tx.people.partner(names.partner)
    if named is not None:
        holder = None if named.receipt is None else tx.payments.get(named.receipt)
        taken_back = holder is not None and holder.state is PaymentState.REVERSED
        return partner if taken_back and not chains and partner else SuspenseReason.PAID_AGAIN
    if len(chains) == 1 and len(chains[0]) == 1:
        return chains[0]
    if chains or (not payment.payer.number and _is_near(tx, payment, partner)):
        return SuspenseReason.AMBIGUOUS
    if partner is not None and _may_be_credited(tx, payment, partner):
        return SuspenseReason.AMBIGUOUS
    return SuspenseReason.UNMATCHED if partner is None else partner


def _to_named(tx: Tx, named: TopUp) -> Chain | None:
    """Nothing where it has another receipt that it has to keep: that of a payment that names it; or
    of one that came out of suspense, or was taken back, and fits no other top-up."""
    if named.receipt is None:
        return (named,)
    holder = tx.payments.get(named.receipt)
    if holder is None or not holder.inferred:
        return None
    for chain in payment_matching.chains(
        tx, holder.payment, payment_matching.bound_partner(holder)
    ):
        if chain[-1].state in CREDITED:
            return (named, *chain)
    return (named,) if holder.state is PaymentState.MATCHED else None


def _is_near(tx: Tx, payment: Payment, partner: Partner | None) -> bool:
    """Whether it may have paid a top-up, as far as can be said where nobody knows the payer."""
    return any(
        partner is None or partner.code == topup.partner for topup in possible_topups(tx, payment)
    )


def _may_be_credited(tx: Tx, payment: Payment, partner: Partner) -> bool:
    """Whether a line of the statement without M-PESA's code was credited that may be this one."""
    if payment.source == STATEMENT:
        return False
    until = payment.paid_at + POSTED_WITHIN
    return tx.payments.proved_by_line(partner.code, payment.amount, payment.paid_at, until)


# What is kept ----------------------------------------------------------------------------------


def _keep(tx: Tx, random: Random, notification: BankNotification) -> str:
    return draw_unique(
        lambda: new_reference("NT", random),
        lambda reference: tx.payments.store_notification(reference, notification),
    )


def _new_reference(tx: Tx, random: Random) -> str:
    return draw_unique(
        lambda: new_reference("PB", random),
        lambda reference: tx.payments.of_reference(reference) is None,
    )
