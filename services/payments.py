"""Payments to the paybill: record each one and find what it paid.

Each function runs inside a transaction and makes no outside calls. A payment is credited once,
whatever the source and however often reported, to the top-up that it names or surely paid, else to
the partner that it names; the rest goes to suspense for the admins, never to a wallet by its amount
alone (docs/architecture.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from services import payment_matching, suspense, topup_settlement
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import payment_credit, suspense_credit
from services.domain.operation import OperationType
from services.domain.partner import Partner
from services.domain.payment import (
    STATEMENT,
    BankNotification,
    Payment,
    PaymentState,
    RecordedPayment,
    SuspenseReason,
)
from services.domain.topup import CREDITED
from services.payment_matching import Chain, NamedTargets
from services.ports import Random, Tx
from services.topup_settlement import TopUpChange

POSTED_WITHIN = timedelta(days=4)  # until the end of a line's day: a long weekend after its payment

# Why a person must review it: one receipt has two amounts, or two partners.
DIFFERS = "payment_differs"
NAMES_ANOTHER = "names_another"


@dataclass(frozen=True, slots=True)
class Credited:
    """A payment was credited to a partner's wallet on its own: its owners should be told."""

    recorded: RecordedPayment


@dataclass(frozen=True, slots=True)
class HeldInSuspense:
    """A payment has no known owner yet: the admins should be told."""

    recorded: RecordedPayment


@dataclass(frozen=True, slots=True)
class RefusedNotification:
    """A notification was refused, with its reason: the admins should be told. It is stored under
    ``reference``."""

    reference: str
    notification: BankNotification


PaymentEffect = TopUpChange | Credited | HeldInSuspense | RefusedNotification


def record(tx: Tx, random: Random, payment: Payment) -> list[PaymentEffect]:
    """Record that money arrived; returns nothing if that changes nothing for anybody."""
    known = known_payment(tx, payment)
    if known is not None:
        if known.amount != payment.amount:
            _differs(tx, known, payment, str(payment.amount), DIFFERS)
            return []
        return _says_more(tx, known, payment)
    recorded = RecordedPayment(
        _new_reference(tx, random), payment, PaymentState.IN_SUSPENSE, tx.now
    )
    tx.payments.add(recorded)
    tx.reconciliations.reopen_day(payment.day)
    return _allocate(tx, recorded)


def known_payment(tx: Tx, payment: Payment) -> RecordedPayment | None:
    """The same payment: by its receipt, or by the bank's number if one has no receipt."""
    known = tx.payments.get(payment.receipt)
    if known is not None or payment.bank_reference is None:
        return known
    return tx.payments.of_bank(payment.bank_reference, has_receipt=not payment.has_receipt)


def _allocate(tx: Tx, recorded: RecordedPayment) -> list[PaymentEffect]:
    """Book it as what it turns out to be."""
    reference, payment = recorded.reference, recorded.payment
    match _find_allocation(tx, payment):
        case tuple() as chain:
            return _pay(tx, recorded, chain)
        case Partner(code=partner):
            recorded = recorded.allocated_to(PaymentState.CREDITED, partner, reference)
            tx.payments.add_credit(recorded)
            tx.payments.save(recorded)
            tx.evidence.add(reference, "paid", payment.source, payment.receipt)
            tx.ledger.book(payment_credit(reference, partner, payment.amount))
            return [Credited(recorded)]
        case SuspenseReason() as why:
            recorded = replace(recorded, why=why)
            tx.payments.save(recorded)
            tx.evidence.add(reference, "paid", payment.source, payment.receipt)
            tx.evidence.open_review(reference, why)
            tx.proposals.supersede(reference)  # made about its previous state
            tx.ledger.book(suspense_credit(reference, payment.amount))
            return [HeldInSuspense(recorded)]


def _says_more(tx: Tx, known: RecordedPayment, payment: Payment) -> list[PaymentEffect]:
    """A later report names the top-up it paid, which releases it from suspense. A payment that is
    in a wallet already, while the report names another owner or none, moves only by decision of the
    admins."""
    named = payment_matching.named_by(tx, payment)
    if known.state is not PaymentState.IN_SUSPENSE:
        if known.partner not in (None, named.partner) and _is_elsewhere(known, named):
            paid = named.topup.reference if named.topup else payment.account_reference
            detail = f"paid {paid} of {named.partner or 'nobody'}"
            _differs(tx, known, payment, detail, NAMES_ANOTHER)
        return []
    if named.topup is None or named.topup.amount != payment.amount:
        return []
    if known.why is SuspenseReason.RECEIPT_OF_PAYOUT:
        return []
    chain = payment_matching.chain_to_named(tx, named.topup)
    return [] if chain is None else settle_chain(tx, chain, suspense.release(tx, known, chain))


def _is_elsewhere(known: RecordedPayment, named: NamedTargets) -> bool:
    """It would not have been placed there, given what is reported now."""
    return bool(named.partners) or (named.names_nothing_of_ours and known.inferred)


def _differs(tx: Tx, known: RecordedPayment, payment: Payment, detail: str, why: str) -> None:
    """A person must review it, including whoever was about to approve a dismissal."""
    tx.evidence.add(known.reference, "differs", payment.source, detail)
    if why not in tx.evidence.open_review_reasons(known.reference):
        tx.proposals.supersede(known.reference)
        tx.evidence.open_review(known.reference, why)


def _pay(tx: Tx, recorded: RecordedPayment, chain: Chain) -> list[PaymentEffect]:
    """It paid the first top-up of the chain; book what follows."""
    recorded = replace(recorded, state=PaymentState.MATCHED)
    return settle_chain(tx, chain, payment_matching.apply_chain(tx, recorded, chain))


def settle_chain(
    tx: Tx, chain: Chain, moved: tuple[RecordedPayment, RecordedPayment | None]
) -> list[PaymentEffect]:
    """Book the end of a chain. If the last top-up had an inferred receipt that it cannot keep, that
    payment is placed again."""
    last, displaced = moved
    if displaced is not None:
        released = replace(displaced, state=PaymentState.IN_SUSPENSE, inferred=False)
        return _allocate(tx, replace(released, partner=None, operation=None))
    change = topup_settlement.apply_payment(tx, chain[-1], last.payment)
    return [] if change is None else [change]


def _find_allocation(tx: Tx, payment: Payment) -> Chain | Partner | SuspenseReason:
    """The top-up it paid, with its chain; else the partner it names; else why it has no owner."""
    if _is_of_payout(tx, payment):
        return SuspenseReason.RECEIPT_OF_PAYOUT
    names = payment_matching.named_by(tx, payment)
    if names.contradicts:
        return SuspenseReason.AMBIGUOUS
    if names.names_nothing_of_ours:
        return SuspenseReason.UNMATCHED
    named = names.topup
    if named is not None:
        if named.amount != payment.amount:
            return SuspenseReason.OTHER_AMOUNT
        chain = payment_matching.chain_to_named(tx, named)
        if chain is not None:
            return chain
    chains = list(payment_matching.chains(tx, payment))
    # A credited top-up without a receipt lacks a payment like this one: giving it the receipt moves
    # no money, and if it belongs to another, the payment still to come will be for that one. The
    # newest: an older one could also be paid by an older payment, this one could not.
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


def _is_of_payout(tx: Tx, payment: Payment) -> bool:
    """Whether its receipt is that of a payout: one receipt pays for one operation, so that whoever
    told of it is wrong about the money or about the receipt."""
    held = tx.operations.of_receipt(payment.receipt, 1)
    return any(found.operation.type is OperationType.PAYOUT for found in held)


def _is_near(tx: Tx, payment: Payment, partner: Partner | None) -> bool:
    """Whether it may have paid a top-up, as far as can be told with an unknown payer."""
    return any(
        partner is None or partner.code == topup.partner
        for topup in payment_matching.possible_topups(tx, payment)
    )


def _may_be_credited(tx: Tx, payment: Payment, partner: Partner) -> bool:
    """Whether a statement line without M-PESA's code was credited that may be this payment."""
    if payment.source == STATEMENT:
        return False
    until = payment.paid_at + POSTED_WITHIN
    return tx.payments.proved_by_line(partner.code, payment.amount, payment.paid_at, until)


def _new_reference(tx: Tx, random: Random) -> str:
    return draw_unique(
        lambda: new_reference("PB", random),
        lambda reference: tx.payments.of_reference(reference) is None,
    )
