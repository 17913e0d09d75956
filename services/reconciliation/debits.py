"""What a debit on the statement proves: float that was bought, or a payment reversed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services import float_settlement, payment_assignment, payment_matching, reversals
from services.domain.bank_line import BankLine
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.payment import STATEMENT, PaymentState, RecordedPayment
from services.domain.refusal import Refusal
from services.ports import Random, Tx
from services.reconciliation.effects import LineEffect
from services.reconciliation.matches import (
    BOOKED_AFTER,
    known_payments,
    mentioned_payments,
    named_purchase,
)

# After a debit: the time in which the bank may return the money
GIVEN_BACK_WITHIN = timedelta(days=7)


def settle_debit(
    tx: Tx, random: Random, key: str, line: BankLine, later: Sequence[BankLine] | None
) -> list[LineEffect]:
    purchase = named_purchase(tx, line)
    if purchase is not None:
        return _bought(tx, key, line, purchase, later)
    if not line.is_reversal:
        return []  # a charge for a payment, or a sweep, takes nothing from its partner
    recorded = _taken_back(tx, line)
    if recorded is None or recorded.amount != line.amount:
        return []
    if recorded.state is PaymentState.REVERSED:
        return []
    if (doubled := _doubled_credit(tx, line, recorded)) is not None:
        tx.reconciliations.match(doubled, f"{recorded.reference}:doubled:{key}")
        tx.reconciliations.match(key, f"{recorded.reference}:undoubled:{key}")
        return []
    if _may_yet_settle(tx, recorded):
        return []  # evidence will show whom it is taken from; the line is read again
    reversal = reversals.reverse(tx, random, recorded, STATEMENT, line.said)
    tx.reconciliations.match(key, f"{recorded.reference}:reversed")
    return [reversal]


def _bought(
    tx: Tx, key: str, line: BankLine, purchase: Purchase, later: Sequence[BankLine] | None
) -> list[LineEffect]:
    """Evidence that float was bought, unless the bank has returned the money, or may have: a
    bounced transfer comes back on the same or the next day."""
    if purchase.amount != line.amount or line.did_not_complete or _is_given_back(tx, line, later):
        return []
    if purchase.state is PurchaseState.SUCCEEDED:
        tx.reconciliations.match(key, purchase.reference)
        return []
    if purchase.state not in (PurchaseState.SUBMITTING, PurchaseState.UNKNOWN):
        return []
    if later is None and not tx.reconciliations.has_lines_after(line.day):
        return []
    settled = float_settlement.settle_bought(tx, purchase, line.said, STATEMENT)
    tx.reconciliations.match(key, purchase.reference)
    return [settled]


def _is_given_back(tx: Tx, debit: BankLine, later: Sequence[BankLine] | None) -> bool:
    """Whether credits naming such debits leave the bank with less than one of them: a transfer may
    bounce in parts, or less a charge."""
    names = {form for one in debit.ours for form in (one, one.replace("-", ""))}
    until = debit.day + GIVEN_BACK_WITHIN
    naming = tx.reconciliations.lines_naming
    debits = [one for one in naming(debit.day, until, names) if not one.is_credit]
    for one in (*debits, debit):
        names.update(number for number in one.given_back_by if tx.people.partner(number) is None)
    stored = naming(debit.day, until, names)
    known = {line.identity for line in stored}
    more = [line for line in later or () if line.identity not in known and line.says_any(names)]
    returned = sum(line.amount.cents for line in (*stored, *more) if line.is_credit)
    taken = sum(line.amount.cents for line in debits)
    return returned > 0 and taken - returned < debit.amount.cents


def _taken_back(tx: Tx, line: BankLine) -> RecordedPayment | None:
    """The one payment a debit may reverse: the one it says it reverses, else the only one it names
    at all. If it names several, known or not, a person must review it."""
    reversed_numbers = line.reversed_numbers
    known = (
        known_payments(tx, reversed_numbers) if reversed_numbers else mentioned_payments(tx, line)
    )
    if len(known) != 1:
        return None
    named = {
        one for one in reversed_numbers or line.mixed_mentions if tx.people.partner(one) is None
    }
    return None if named - {known[0].payment.receipt} else known[0]


def _doubled_credit(tx: Tx, line: BankLine, recorded: RecordedPayment) -> str | None:
    """A second line of that payment, which this one reverses: the bank had it in twice."""
    since = recorded.payment.day - BOOKED_AFTER
    for key, known, is_matched in tx.reconciliations.lines_between(since, line.day, line.amount):
        mentions = recorded.payment.receipt in known.mentions
        if known.is_credit and not is_matched and mentions and not known.may_be_reversal:
            return key
    return None


def _may_yet_settle(tx: Tx, recorded: RecordedPayment) -> bool:
    """It is in suspense, and may prove to have paid a top-up: by evidence about that one, or by
    decision of the admins if the payer is unknown."""
    if recorded.state is not PaymentState.IN_SUSPENSE:
        return False
    if isinstance(payment_assignment.find_in_suspense(tx, recorded.reference), Refusal):
        return True
    payment = recorded.payment
    return not payment.payer.number and any(
        True for _ in payment_matching.possible_topups(tx, payment)
    )
