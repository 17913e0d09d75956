"""Faulty replacements for functions of the program: each takes the original, then its arguments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services import float_settlement, otp, payment_assignment, topup_settlement
from services.domain.bank import Accepted, StillOpen, Unknown
from services.domain.money import Money
from services.domain.payment import SuspenseReason, Verdict
from services.domain.topup import TopUpState
from services.otp import Passed
from storage.postgres.connection import PostgresConnection

A_SECOND = timedelta(seconds=1)


def credited_on_accepted(right: Any, tx: Any, claimed: Any, answer: Any, *rest: Any) -> Any:
    change = right(tx, claimed, answer, *rest)
    if isinstance(answer, Accepted):
        topup = tx.topups.get(claimed.reference)
        return topup_settlement._paid(tx, topup, "accepted", "ncba.initiate")
    return change


def sent_again(right: Any, tx: Any, claimed: Any, answer: Any, *rest: Any) -> Any:
    """A timeout is taken for "nothing sent", and the prompt is requested again: a second later,
    so that a bank that answers nothing at all does not stop the clock."""
    topup = tx.topups.get(claimed.reference)
    if isinstance(answer, Unknown) and topup.state is TopUpState.SENDING:
        tx.topups.save(replace(topup, state=TopUpState.CREATED, due_at=tx.now + A_SECOND))
        return None
    return right(tx, claimed, answer, *rest)


def timeout_is_failed(right: Any, tx: Any, claimed: Any, answer: Any, *rest: Any) -> Any:
    if isinstance(answer, Unknown):
        purchase = tx.purchases.get(claimed.reference)
        return float_settlement._fail(tx, purchase, "bank_down", "no answer", "ncba.float")
    return right(tx, claimed, answer, *rest)


def failed_by_age(right: Any, tx: Any, claimed: Any, answer: Any, *rest: Any) -> Any:
    purchase = tx.purchases.get(claimed.reference)
    if isinstance(answer, StillOpen) and purchase.state.value == "UNKNOWN":
        return float_settlement._fail(tx, purchase, "bank_down", "too old", "hazina")
    return right(tx, claimed, answer, *rest)


def leg_short(right: Any, *args: Any) -> Any:
    return right(*args)[1:]


def other_amount(right: Any, *args: Any) -> Any:
    return replace(right(*args), amount=right(*args).amount + Money(1))


def other_partner(right: Any, reference: str, partner: str, amount: Money) -> Any:
    return right(reference, "P00" if partner != "P00" else "P01", amount)


def dearer(right: Any, reference: str, partner: str, quote: Any) -> Any:
    """The fee is read again after the bank answered, and has changed by then."""
    return right(reference, partner, replace(quote, processing_fee=quote.processing_fee + Money(1)))


def holds_are_there_to_spend(right: Any, store: Any, *args: Any) -> Any:
    balance = right(store, *args)
    return replace(balance, available=balance.posted)


def any_hash(right: Any, given: str, ours: str) -> bool:
    return True


def by_amount_alone(right: Any, tx: Any, payment: Any, within: Any, look: Any) -> Any:
    if look == tx.topups.with_inferred_receipt:
        return []
    found = tx.topups.without_receipt(
        payment.amount, None, since=payment.paid_at.replace(year=2020), until=payment.paid_at
    )
    return [topup for topup in found if topup.awaits_evidence][:1]


def to_somebody(right: Any, tx: Any, payment: Any) -> Any:
    found = right(tx, payment)
    return tx.people.partner("P00") if found is SuspenseReason.UNMATCHED else found


def to_its_partner(right: Any, tx: Any, arrived: Any, chain: Any) -> Any:
    return [payment_assignment.assign(tx, arrived, chain[0].partner)]


def answered_before(right: Any, intake: Any, notification: Any) -> Any:
    """Every third notification is acknowledged and forgotten."""

    async def answer() -> bool:
        if int(notification.digest[0], 16) % 3 == 0:
            return notification.verdict is Verdict.TAKEN
        answered: bool = await right(intake, notification)
        return answered

    return answer()


def twice(right: Any, api: Any, tx: Any, *rest: Any) -> Any:
    return [*right(api, tx, *rest), *right(api, tx, *rest)]


def nothing(right: Any, *args: Any, **kwargs: Any) -> Any:
    return None


def no_rows(right: Any, *args: Any) -> Any:
    return []


def in_clear(right: Any, keys: Any, text: str) -> str:
    return text


def always_passes(right: Any, tx: Any, keys: Any, binding: Any, code: str, **limits: Any) -> Any:
    answer = right(tx, keys, binding, code, **limits)
    newest = tx.otps.newest(binding.operation)
    if newest is not None and newest.status.value == "pending":
        tx.otps.end(newest.id, otp.OtpStatus.USED)
        return Passed()
    return answer


def unhashed(right: Any, store: Any, partner: str, actor: str, act: str, *rest: Any) -> None:
    """An attacker who knows the trigger removes it and puts it back."""
    right(store, partner, actor, act, *rest)
    if isinstance(store._conn, PostgresConnection):
        remove = "ALTER TABLE audit_log DISABLE TRIGGER audit_log_no_update"
        put_back = "ALTER TABLE audit_log ENABLE TRIGGER audit_log_no_update"
    else:
        remove = "DROP TRIGGER audit_log_no_update"
        (put_back,) = store._conn.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'audit_log_no_update'"
        ).fetchone()
    store._conn.execute(remove)
    store._conn.execute("UPDATE audit_log SET actor = 'nobody' WHERE act = 'suspended'")
    store._conn.execute("UPDATE audit_log SET facts = '{}' WHERE n = 2")
    store._conn.execute(put_back)


def sending_again(right: Any, tx: Any, lease: Any, sends: int, queries: int) -> Any:
    """After a crash, requests that were being sent are sent again."""
    tx.conn.execute(
        "UPDATE wallet_transactions SET state = 'CREATED', standing = 'ready' WHERE type = 'topup'"
        " AND state = 'SENDING' AND due_at <= ?",
        (tx.now_ms,),
    )
    return right(tx, lease, sends, queries)


def paid_is_paid(right: Any, topup: Any, state: TopUpState, **changes: Any) -> Any:
    wanted = TopUpState.PAID if state is TopUpState.PAID_LATE else state
    return replace(topup, state=wanted, **changes)


def always_new(right: Any, store: Any, *args: Any) -> bool:
    right(store, *args)
    return True


def other_fingerprint(right: Any, store: Any, receipt: str) -> None:
    """The receipt is not looked up, so every notification is a new payment."""


async def done() -> None:
    """No query is sent."""
