"""A payment that the bank reversed: a correcting transfer, which never takes a wallet below zero.

Runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import Account, AccountKind, payment_reversal, suspense_reversal
from services.domain.money import Money
from services.domain.payment import PaymentState, RecordedPayment
from services.ports import Random, Tx


@dataclass(frozen=True, slots=True)
class Reversed:
    """The bank reversed a payment: the partner and the admins should be told.

    ``due`` is what the wallet could not cover: the partner owes it. ``reference`` is the reversal's
    own; for a payment in suspense, the payment's.
    """

    reference: str
    recorded: RecordedPayment
    due: Money


def reverse(
    tx: Tx, random: Random, recorded: RecordedPayment, source: str, detail: str
) -> Reversed:
    """Take the money out of the wallet as far as available, and record the rest as owed."""
    assert recorded.state is not PaymentState.REVERSED, "a payment is taken back once"
    before = recorded
    recorded = replace(recorded, state=PaymentState.REVERSED)
    if before.partner is None:
        tx.payments.save(recorded)
        tx.evidence.add(recorded.reference, "reversed", source, detail)
        tx.evidence.close_reviews(recorded.reference, recorded.why)
        tx.proposals.supersede(recorded.reference)
        tx.ledger.book(suspense_reversal(recorded.reference, recorded.amount))
        return Reversed(recorded.reference, recorded, Money(0, recorded.amount.currency))
    available = tx.ledger.balance(Account(before.partner, AccountKind.WALLET)).available
    reference = _add(tx, random, recorded)
    tx.payments.save(recorded)
    tx.evidence.add(reference, "reversed", source, detail)
    legs = payment_reversal(reference, before.partner, recorded.amount, available)
    tx.ledger.book(*legs)
    due = sum(
        (leg.amount for leg in legs if leg.debit.kind is AccountKind.RECEIVABLE),
        Money(0, recorded.amount.currency),
    )
    if due.cents:
        tx.evidence.open_review(reference, "receivable")
    return Reversed(reference, recorded, due)


def _add(tx: Tx, random: Random, recorded: RecordedPayment) -> str:
    return draw_unique(
        lambda: new_reference("RV", random),
        lambda reference: tx.payments.add_reversal(reference, recorded),
    )
