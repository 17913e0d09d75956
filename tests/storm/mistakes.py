"""Deliberate mistakes injected into the running program, which a storm must detect.

Each is a mistake that similar systems made, or that a hasty change could introduce here.
``caught_by`` are the invariants that may detect it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from bot.notify import notify
from bot.security.keyring import Keyring
from bot.workers.payments import PaymentIntake
from bot.workers.topups import TopUpWorker
from services import (
    float_purchases,
    float_settlement,
    otp,
    payment_matching,
    payments,
    suspense,
    topups,
)
from services.domain.bank import Accepted, StillOpen, Unknown
from services.domain.money import Money
from services.domain.payment import SuspenseReason, Verdict
from services.domain.topup import TopUpState
from services.gateways.ncba import payment_notification
from services.otp import Passed
from storage.stores.audit import AuditStore
from storage.stores.evidence import EvidenceStore
from storage.stores.ledger import LedgerStore
from storage.stores.payments import PaymentStore
from storage.stores.sessions import SessionStore

Make = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Mistake:
    name: str
    make: Make
    caught_by: frozenset[str]


def _instead(target: Any, name: str, wrong: Callable[..., Any]) -> Make:
    """``wrong`` receives the original function and the call's arguments."""

    def make() -> AbstractContextManager[Any]:
        right = getattr(target, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            return wrong(right, *args, **kwargs)

        return mock.patch.object(target, name, called)

    return make


def _all(*makes: Make) -> Make:
    @contextmanager
    def make() -> Iterator[None]:
        with ExitStack() as stack:
            for part in makes:
                stack.enter_context(part())
            yield

    return make


def _credited_on_accepted(right: Any, tx: Any, claimed: Any, answer: Any, *rest: Any) -> Any:
    change = right(tx, claimed, answer, *rest)
    if isinstance(answer, Accepted):
        topup = tx.topups.get(claimed.reference)
        return topups._paid(tx, topup, "accepted", "ncba.initiate")
    return change


def _sent_again(right: Any, tx: Any, claimed: Any, answer: Any, *rest: Any) -> Any:
    """A timeout is taken for "nothing sent", and the prompt is requested again."""
    topup = tx.topups.get(claimed.reference)
    if isinstance(answer, Unknown) and topup.state is TopUpState.SENDING:
        tx.topups.save(replace(topup, state=TopUpState.CREATED, due_at=tx.now))
        return None
    return right(tx, claimed, answer, *rest)


def _timeout_is_failed(right: Any, tx: Any, claimed: Any, answer: Any, *rest: Any) -> Any:
    if isinstance(answer, Unknown):
        purchase = tx.purchases.get(claimed.reference)
        return float_settlement._fail(tx, purchase, "bank_down", "no answer", "ncba.float")
    return right(tx, claimed, answer, *rest)


def _failed_by_age(right: Any, tx: Any, claimed: Any, answer: Any, *rest: Any) -> Any:
    purchase = tx.purchases.get(claimed.reference)
    if isinstance(answer, StillOpen) and purchase.state.value == "UNKNOWN":
        return float_settlement._fail(tx, purchase, "bank_down", "too old", "hazina")
    return right(tx, claimed, answer, *rest)


def _leg_short(right: Any, *args: Any) -> Any:
    return right(*args)[1:]


def _other_amount(right: Any, *args: Any) -> Any:
    return replace(right(*args), amount=right(*args).amount + Money(1))


def _other_partner(right: Any, reference: str, partner: str, amount: Money) -> Any:
    return right(reference, "P00" if partner != "P00" else "P01", amount)


def _dearer(right: Any, reference: str, partner: str, quote: Any) -> Any:
    """The fee is read again after the bank answered, and has changed by then."""
    return right(reference, partner, replace(quote, processing_fee=quote.processing_fee + Money(1)))


def _holds_are_there_to_spend(right: Any, store: Any, *args: Any) -> Any:
    balance = right(store, *args)
    return replace(balance, available=balance.posted)


def _any_hash(right: Any, given: str, ours: str) -> bool:
    return True


def _by_amount_alone(right: Any, tx: Any, payment: Any, within: Any, look: Any) -> Any:
    if look == tx.topups.with_inferred_receipt:
        return []
    found = tx.topups.without_receipt(
        payment.amount, None, since=payment.paid_at.replace(year=2020), until=payment.paid_at
    )
    return [topup for topup in found if topup.awaits_evidence][:1]


def _to_somebody(right: Any, tx: Any, payment: Any) -> Any:
    found = right(tx, payment)
    return tx.people.partner("P00") if found is SuspenseReason.UNMATCHED else found


def _to_its_partner(right: Any, tx: Any, arrived: Any, chain: Any) -> Any:
    return [payments.assign(tx, arrived, chain[0].partner)]


def _answered_before(right: Any, cashier: Any, notification: Any) -> Any:
    """Every third notification is acknowledged and forgotten."""

    async def answer() -> bool:
        if int(notification.digest[0], 16) % 3 == 0:
            return notification.verdict is Verdict.TAKEN
        answered: bool = await right(cashier, notification)
        return answered

    return answer()


def _twice(right: Any, teller: Any, tx: Any, *rest: Any) -> Any:
    return [*right(teller, tx, *rest), *right(teller, tx, *rest)]


def _nothing(right: Any, *args: Any, **kwargs: Any) -> Any:
    return None


def _no_rows(right: Any, *args: Any) -> Any:
    return []


def _in_clear(right: Any, keys: Any, text: str) -> str:
    return text


def _always_passes(right: Any, tx: Any, keys: Any, binding: Any, code: str) -> Any:
    answer = right(tx, keys, binding, code)
    newest = tx.otps.newest(binding.operation)
    if newest is not None and newest.status.value == "pending":
        tx.otps.end(newest.id, otp.OtpStatus.USED)
        return Passed()
    return answer


def _unhashed(right: Any, store: Any, partner: str, actor: str, act: str, *rest: Any) -> None:
    """An attacker who knows the trigger removes it and puts it back."""
    right(store, partner, actor, act, *rest)
    (guard,) = store._conn.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'audit_log_no_update'"
    ).fetchone()
    store._conn.execute("DROP TRIGGER audit_log_no_update")
    store._conn.execute("UPDATE audit_log SET actor = 'nobody' WHERE act = 'suspended'")
    store._conn.execute("UPDATE audit_log SET facts = '{}' WHERE n = 2")
    store._conn.execute(guard)


def _sending_again(right: Any, tx: Any, lease: Any, sends: int, queries: int) -> Any:
    """After a crash, requests that were being sent are sent again."""
    tx.conn.execute(
        "UPDATE wallet_transactions SET state = 'CREATED' WHERE type = 'topup'"
        " AND state = 'SENDING' AND due_at <= ?",
        (tx.now_ms,),
    )
    return right(tx, lease, sends, queries)


def _paid_is_paid(right: Any, topup: Any, state: TopUpState, **changes: Any) -> Any:
    wanted = TopUpState.PAID if state is TopUpState.PAID_LATE else state
    return replace(topup, state=wanted, **changes)


def _always_new(right: Any, store: Any, *args: Any) -> bool:
    right(store, *args)
    return True


def _other_fingerprint(right: Any, store: Any, receipt: str) -> None:
    """The receipt is not looked up, so every notification is a new payment."""


def _caught(*names: str) -> frozenset[str]:
    return frozenset(names)


_TOLD = _caught("told", "faults")
MISTAKES = (
    Mistake(
        "credit on accepted",
        _instead(topups, "record_initiate", _credited_on_accepted),
        _caught("bank", "faults"),
    ),
    Mistake(
        "send a prompt again after a timeout",
        _instead(topups, "record_initiate", _sent_again),
        _caught("one money call", "attention", "faults", "arrows"),
    ),
    Mistake(
        "call a timeout of a purchase failed",
        _instead(float_settlement, "record_purchase", _timeout_is_failed),
        _caught("bank", "attention", "evidence"),
    ),
    Mistake(
        "call an unknown purchase failed by its age",
        _instead(float_settlement, "record_status", _failed_by_age),
        _caught("bank"),
    ),
    Mistake(
        "send again what a crash cut off",
        _instead(topups, "claim", _sending_again),
        _caught("one money call", "faults", "attention"),
    ),
    Mistake(
        "drop a hold",
        _instead(float_purchases, "float_holds", _leg_short),
        _caught("purchase legs", "faults"),
    ),
    Mistake(
        "let only some holds go",
        _instead(float_settlement, "float_voided", _leg_short),
        _caught("purchase legs"),
    ),
    Mistake(
        "post only some holds",
        _instead(float_settlement, "float_posted", _leg_short),
        _caught("purchase legs"),
    ),
    Mistake(
        "read the fee again at the bank's answer",
        _instead(float_settlement, "float_posted", _dearer),
        _caught("faults", "purchase legs", "purchases", "bank"),
    ),
    Mistake(
        "credit a cent too much",
        _instead(topups, "topup_credit", _other_amount),
        _caught("topups", "bank"),
    ),
    Mistake(
        "credit another partner",
        _instead(topups, "topup_credit", _other_partner),
        _caught("topups"),
    ),
    Mistake(
        "credit a payment with a cent too much",
        _instead(payments, "payment_credit", _other_amount),
        _caught("payments", "bank"),
    ),
    Mistake(
        "spend what is held",
        _instead(LedgerStore, "balance", _holds_are_there_to_spend),
        _caught("faults", "ledger"),
    ),
    Mistake(
        "believe every notification",
        _instead(payment_notification, "same", _any_hash),
        _caught("bank"),
    ),
    Mistake(
        "match a payment by its amount alone",
        _instead(payment_matching, "_fitting", _by_amount_alone),
        _caught("owner", "bank"),
    ),
    Mistake(
        "give to somebody what is nobody's",
        _instead(payments, "_find_allocation", _to_somebody),
        _caught("owner"),
    ),
    Mistake(
        "credit what two admins found to have paid a top-up",
        _instead(payments, "match", _to_its_partner),
        _caught("proposals"),
    ),
    Mistake(
        "leave in suspense what was credited on other evidence",
        _instead(suspense, "release_for", _nothing),
        _caught("bank"),
    ),
    Mistake(
        "take each notification for a new payment",
        _instead(PaymentStore, "get", _other_fingerprint),
        _caught("faults", "bank"),
    ),
    Mistake(
        "answer the bank before the commit",
        _instead(PaymentIntake, "notified", _answered_before),
        _caught("bank"),
    ),
    Mistake(
        "skip the dedupe of events",
        _instead(SessionStore, "decide", _always_new),
        _caught("faults", "replay"),
    ),
    Mistake("tell an outcome twice", _instead(notify.Notifier, "topup", _twice), _TOLD),
    Mistake("never tell an outcome", _instead(notify.Notifier, "topup", _no_rows), _TOLD),
    Mistake(
        "keep codes in clear",
        _all(_instead(Keyring, "seal", _in_clear), _instead(Keyring, "unseal", _in_clear)),
        _caught("secrets"),
    ),
    Mistake(
        "let any code pass",
        _instead(float_purchases.otp, "validate", _always_passes),
        _caught("code"),
    ),
    Mistake(
        "touch the audit log",
        _instead(AuditStore, "add", _unhashed),
        _caught("audit"),
    ),
    Mistake(
        "credit without noting the evidence",
        _instead(EvidenceStore, "add", _nothing),
        _caught("topups", "purchase legs", "evidence"),
    ),
    Mistake(
        "open no review",
        _instead(EvidenceStore, "open_review", _nothing),
        _caught("attention", "payments", "stuck", "proposals"),
    ),
    Mistake(
        "leave reviews open",
        _instead(EvidenceStore, "close_reviews", _nothing),
        _caught("attention", "payments", "proposals"),
    ),
    Mistake(
        "call late payments paid in time",
        _instead(topups.TopUp, "transition_to", _paid_is_paid),
        _caught("arrows"),
    ),
    Mistake(
        "forget to ask about prompts",
        _instead(TopUpWorker, "_query", lambda right, *args: _done()),
        _caught("stuck", "bank", "told"),
    ),
)


async def _done() -> None:
    """No query is sent."""
