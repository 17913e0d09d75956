"""What a credit on the statement proves: a payment, a top-up without receipt, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services import payment_matching, payments, topup_settlement
from services.domain.bank_line import BankLine
from services.domain.business_days import start_of_day
from services.domain.partner import Partner
from services.domain.payment import STATEMENT, Payer, Payment, RecordedPayment, stand_in_receipt
from services.domain.statement_repeats import is_copy, is_same_movement
from services.domain.topup import CREDITED
from services.ports import Random, Tx
from services.reconciliation.effects import LineEffect
from services.reconciliation.matches import (
    BOOKED_AFTER,
    has_line,
    known_payments,
    mentioned_payments,
    named_topup,
)


def settle_credit(
    tx: Tx, random: Random, key: str, line: BankLine, *, is_doubted: bool
) -> list[LineEffect]:
    if line.may_be_reversal:
        return []  # of a debit, or the reversal of a reversal: a person must review it
    own = [one for one in line.receipts if tx.people.partner(one) is None]
    known = known_payments(tx, line.numbers)
    waiting = [recorded for recorded in known if not has_line(tx, recorded)]
    unknown = [one for one in own if tx.payments.get(one) is None]
    if not waiting and len(unknown) == 1:
        return [] if is_doubted else _book(tx, random, key, line, unknown[0])
    if known or unknown:
        return [] if len(unknown) > 1 else _bring(tx, random, key, line, waiting)
    if mentioned := mentioned_payments(tx, line):
        return _bring(tx, random, key, line, mentioned)
    topup = named_topup(tx, line)
    if topup is None:
        return [] if is_doubted else _of_partner(tx, random, key, line)
    if topup.amount != line.amount:
        return []
    if topup.receipt is not None:
        paid_by = tx.payments.get(topup.receipt)
        if paid_by is not None and not paid_by.inferred:
            tx.reconciliations.match(key, paid_by.reference)
        return []
    change = None
    if topup.state not in CREDITED:
        if is_doubted or _is_known_otherwise(tx, line, tx.people.partner(topup.partner)):
            return []
        change = topup_settlement.settle_without_receipt(tx, topup, line.said, STATEMENT)
    tx.reconciliations.match(key, topup.reference)
    return [] if change is None else [change]


def _bring(
    tx: Tx, random: Random, key: str, line: BankLine, known: Sequence[RecordedPayment]
) -> list[LineEffect]:
    """The line of a payment reported before."""
    if not known or known[0].amount != line.amount:
        return []
    if not tx.reconciliations.match(key, known[0].reference):
        return []
    return list(payments.record(tx, random, _payment(tx, line, known[0].payment.receipt)))


def _book(tx: Tx, random: Random, key: str, line: BankLine, receipt: str) -> list[LineEffect]:
    """A payment not reported before, unless a line of another day may have reported it."""
    if _is_of_other_day(tx, line):
        return []
    payment = _payment(tx, line, receipt)
    named = None if payment.topup is None else tx.topups.get(payment.topup)
    if named is not None:
        if named.receipt is not None and _waits_for_line(tx, named.receipt):
            return []  # it has one receipt, and this may be the bank's own number for it
    elif _is_known_otherwise(tx, line, payment_matching.partner_of(tx, payment)):
        return []
    effects = payments.record(tx, random, payment)
    recorded = tx.payments.get(receipt)
    assert recorded is not None, "it has just been recorded"
    tx.reconciliations.match(key, recorded.reference)
    return list(effects)


def _of_partner(tx: Tx, random: Random, key: str, line: BankLine) -> list[LineEffect]:
    """A payment without M-PESA's code, whose payer named a partner: the line itself proves it. An
    identical further line may be the bank's mistake."""
    if line.is_of_the_bank or is_copy(key) or not _names_partner(tx, line):
        return []
    return _book(tx, random, key, line, stand_in_receipt(key))


def _names_partner(tx: Tx, line: BankLine) -> bool:
    """In a reference field, as a whole: free text may contain any word."""
    readings = (
        Payment("", line.amount, tx.now, one, Payer(""), STATEMENT) for one in line.references
    )
    return any(payment_matching.partner_of(tx, one) is not None for one in readings)


def _waits_for_line(tx: Tx, receipt: str) -> bool:
    """Whether a payment is matched for certain, and no line has confirmed it yet."""
    holder = tx.payments.get(receipt)
    if holder is None or holder.inferred:
        return False
    start = start_of_day(holder.payment.day)
    return holder in tx.reconciliations.payments_without_line(start, start + timedelta(days=1))


def _is_known_otherwise(tx: Tx, line: BankLine, partner: Partner | None) -> bool:
    """Whether the bank may have reported it under another number: which word of a line is M-PESA's
    receipt is not known (facts: NCBA 5), and its day may be a later one. Then a person must review
    it."""
    start = start_of_day(line.day - BOOKED_AFTER)
    end = start_of_day(line.day + timedelta(days=1))
    return any(
        known.amount == line.amount and (partner is None or known.partner in (None, partner.code))
        for known in tx.reconciliations.payments_without_line(start, end)
    )


def _is_of_other_day(tx: Tx, line: BankLine) -> bool:
    """Whether a line already counted on another day, earlier or later, shares a number with it."""
    first, last = line.day - BOOKED_AFTER, line.day + BOOKED_AFTER
    return any(
        known.day != line.day and known.is_credit and is_matched and is_same_movement(known, line)
        for _, known, is_matched in tx.reconciliations.lines_between(first, last, line.amount)
    )


def _payment(tx: Tx, line: BankLine, receipt: str) -> Payment:
    """What a line says about a payment. It gives a day without a time: the end of the day is used,
    so that every prompt of that day can be what it paid."""
    paid_at = start_of_day(line.day + timedelta(days=1)) - timedelta(seconds=1)
    readings = (
        Payment(receipt, line.amount, paid_at, one, Payer(""), STATEMENT) for one in line.words
    )
    named = (
        one.account_reference for one in readings if payment_matching.named_by(tx, one).partners
    )
    account = next(named, line.said)
    return Payment(receipt, line.amount, paid_at, account, Payer(line.payer), STATEMENT)
