"""Payment notifications from the bank: store each one, and record the payment it reports.

Runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.domain.ids import draw_unique, new_reference
from services.domain.payment import RECEIVED, BankNotification, Payment, Verdict
from services.payments import PaymentEffect, RefusedNotification, known_payment, record
from services.ports import Random, Tx

CLOCKS_DIFFER = timedelta(hours=1)  # how far the bank's clock may be ahead of ours
TOLD_WITHIN = timedelta(days=7)  # maximum age of a payment accepted without a statement line

# Between reports of one payment by two products of the bank, each with its own number
TOLD_TWICE_WITHIN = timedelta(days=1)
REFUSED_MAX = 200  # refused notifications stored per hour: more would say nothing new


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """Whether to acknowledge the notification to the bank, and what it led to."""

    accepted: bool
    effects: Sequence[PaymentEffect] = ()


def record_notification(tx: Tx, random: Random, notification: BankNotification) -> IntakeResult:
    """Store a notification, and book what it is evidence of.

    The time of a payment decides whose it is: one with an impossible time is left to the statement.
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
        payment = payment.as_signed  # a copy may contain what the bank never wrote
    accepted = notification.verdict is Verdict.TAKEN or notification.verdict in RECEIVED
    before = tx.payments.count_duplicate(notification)
    if before is not None:
        if before.verdict is Verdict.TAKEN:
            return IntakeResult(True)  # whatever today's settings would make of it
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
    """By our clock, or by our clock had nobody changed it: the bank's own time decides the day."""
    earliest, latest = sorted((tx.now, tx.steady_now))
    return earliest - TOLD_WITHIN <= made_at <= latest + CLOCKS_DIFFER


def _may_be_known(tx: Tx, payment: Payment) -> bool:
    """Whether it may be a payment already known by the other kind of number, M-PESA's or the
    bank's: then nothing is booked, and a person reviews it."""
    if known_payment(tx, payment) is not None:
        return False
    since, until = payment.paid_at - TOLD_TWICE_WITHIN, payment.paid_at + TOLD_TWICE_WITHIN
    others = tx.payments.of_other_number(payment, since, until)
    return any(payment.payer.may_be_same_as(other.payment.payer) for other in others)


def _keep(tx: Tx, random: Random, notification: BankNotification) -> str:
    return draw_unique(
        lambda: new_reference("NT", random),
        lambda reference: tx.payments.store_notification(reference, notification),
    )
