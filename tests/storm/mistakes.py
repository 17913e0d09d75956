"""Deliberate mistakes injected into the running program, which a storm must detect.

Each is a mistake that similar systems made, or that a hasty change could introduce here.
``caught_by`` are the invariants that may detect it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from bot.calls import reading, webhooks
from bot.calls.cursor import Cursor
from bot.http.api import json_body
from bot.notify import notifier
from bot.security.keyring import Keyring
from bot.turns.calls import Calls
from bot.turns.hops import Hops
from bot.turns.phone_answers import PhoneAnswers
from bot.workers.money_worker import MoneyWorker
from bot.workers.payments import PaymentIntake
from bot.workers.webhooks import WebhookWorker
from services import (
    api_keys,
    desk_pins,
    float_purchases,
    float_settlement,
    payment_assignment,
    payment_matching,
    payments,
    suspense,
    topup_settlement,
)
from services.gateways.ncba import payment_notification
from storage.stores.api_answers import ApiAnswerStore
from storage.stores.audit import AuditStore
from storage.stores.evidence import EvidenceStore
from storage.stores.ledger import LedgerStore
from storage.stores.partner_events import PartnerEventStore
from storage.stores.payments import PaymentStore
from storage.stores.public_operations import OperationChanges
from storage.stores.sessions import SessionStore
from storage.stores.webhook_deliveries import WebhookDeliveryStore
from tests.storm import faulty, faulty_api, faulty_ussd

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


def _caught(*names: str) -> frozenset[str]:
    return frozenset(names)


_TOLD = _caught("told", "faults")
_SAME_PAGE = _caught("same page", "replay", "unseen")
_SAME_ANSWER = _caught("same answer", "one operation per key")
MISTAKES = (
    Mistake(
        "credit on accepted",
        _instead(topup_settlement, "record_initiate", faulty.credited_on_accepted),
        _caught("bank", "faults"),
    ),
    Mistake(
        "send a prompt again after a timeout",
        _instead(topup_settlement, "record_initiate", faulty.sent_again),
        _caught("one money call", "attention", "faults", "arrows"),
    ),
    Mistake(
        "call a timeout of a purchase failed",
        _instead(float_settlement, "record_purchase", faulty.timeout_is_failed),
        _caught("bank", "attention", "evidence"),
    ),
    Mistake(
        "call an unknown purchase failed by its age",
        _instead(float_settlement, "record_status", faulty.failed_by_age),
        _caught("bank"),
    ),
    Mistake(
        "send again what a crash cut off",
        _instead(topup_settlement, "claim", faulty.sending_again),
        _caught("one money call", "faults", "attention"),
    ),
    Mistake(
        "drop a hold",
        _instead(float_purchases, "float_holds", faulty.leg_short),
        _caught("purchase legs", "faults"),
    ),
    Mistake(
        "let only some holds go",
        _instead(float_settlement, "float_voided", faulty.leg_short),
        _caught("purchase legs"),
    ),
    Mistake(
        "post only some holds",
        _instead(float_settlement, "float_posted", faulty.leg_short),
        _caught("purchase legs"),
    ),
    Mistake(
        "read the fee again at the bank's answer",
        _instead(float_settlement, "float_posted", faulty.dearer),
        _caught("faults", "purchase legs", "purchases", "bank"),
    ),
    Mistake(
        "credit a cent too much",
        _instead(topup_settlement, "topup_credit", faulty.other_amount),
        _caught("topups", "bank"),
    ),
    Mistake(
        "credit another partner",
        _instead(topup_settlement, "topup_credit", faulty.other_partner),
        _caught("topups"),
    ),
    Mistake(
        "credit a payment with a cent too much",
        _instead(payments, "payment_credit", faulty.other_amount),
        _caught("payments", "bank"),
    ),
    Mistake(
        "spend what is held",
        _instead(LedgerStore, "balance", faulty.holds_are_there_to_spend),
        _caught("faults", "ledger", "server error"),
    ),
    Mistake(
        "believe every notification",
        _instead(payment_notification, "equal_in_constant_time", faulty.any_hash),
        _caught("bank"),
    ),
    Mistake(
        "match a payment by its amount alone",
        _instead(payment_matching, "_fitting", faulty.by_amount_alone),
        _caught("owner", "bank"),
    ),
    Mistake(
        "give to somebody what is nobody's",
        _instead(payments, "_find_allocation", faulty.to_somebody),
        _caught("owner"),
    ),
    Mistake(
        "credit what two admins found to have paid a top-up",
        _instead(payment_assignment, "match", faulty.to_its_partner),
        _caught("proposals"),
    ),
    Mistake(
        "leave in suspense what was credited on other evidence",
        _instead(suspense, "release_for", faulty.nothing),
        _caught("bank"),
    ),
    Mistake(
        "take each notification for a new payment",
        _instead(PaymentStore, "get", faulty.other_fingerprint),
        _caught("faults", "bank"),
    ),
    Mistake(
        "answer the bank before the commit",
        _instead(PaymentIntake, "record_notification", faulty.answered_before),
        _caught("bank"),
    ),
    Mistake(
        "skip the dedupe of events",
        _instead(SessionStore, "mark_handled", faulty.always_new),
        _caught("faults", "replay"),
    ),
    Mistake("tell an outcome twice", _instead(notifier.Notifier, "topup", faulty.twice), _TOLD),
    Mistake("never tell an outcome", _instead(notifier.Notifier, "topup", faulty.no_rows), _TOLD),
    Mistake(
        "keep codes in clear",
        _all(
            _instead(Keyring, "seal", faulty.in_clear), _instead(Keyring, "unseal", faulty.in_clear)
        ),
        _caught("secrets"),
    ),
    Mistake(
        "let any code pass",
        _instead(float_purchases.otp, "validate", faulty.always_passes),
        _caught("code"),
    ),
    Mistake(
        "touch the audit log",
        _instead(AuditStore, "add", faulty.unhashed),
        _caught("audit"),
    ),
    Mistake(
        "credit without noting the evidence",
        _instead(EvidenceStore, "add", faulty.nothing),
        _caught("topups", "purchase legs", "evidence"),
    ),
    Mistake(
        "open no review",
        _instead(EvidenceStore, "open_review", faulty.nothing),
        _caught("attention", "payments", "stuck", "proposals"),
    ),
    Mistake(
        "leave reviews open",
        _instead(EvidenceStore, "close_reviews", faulty.nothing),
        _caught("attention", "payments", "proposals"),
    ),
    Mistake(
        "call late payments paid in time",
        _instead(topup_settlement.TopUp, "transition_to", faulty.paid_is_paid),
        _caught("arrows"),
    ),
    Mistake(
        "forget to ask the bank",
        _instead(MoneyWorker, "_query", lambda right, *args: faulty.done()),
        _caught("stuck", "bank", "told"),
    ),
    Mistake(
        "keep no answer with its key",
        _instead(Calls, "_store", faulty.nothing),
        _SAME_ANSWER,
    ),
    Mistake(
        "keep the answer in a transaction of its own",
        _all(
            _instead(Calls, "_store", faulty_api.stored_later),
            _instead(Calls, "handle", faulty_api.then_stored),
        ),
        _SAME_ANSWER | _caught("server error", "faults"),
    ),
    Mistake(
        "render a replay afresh",
        _instead(ApiAnswerStore, "get", faulty_api.rendered_afresh),
        _SAME_ANSWER,
    ),
    Mistake(
        "take one call's key for another call's",
        _instead(json_body, "canonical", faulty_api.without_path),
        _SAME_ANSWER,
    ),
    Mistake(
        "take a key for any body",
        _instead(Calls, "_fingerprint", lambda right, *args: ""),
        _SAME_ANSWER,
    ),
    Mistake(
        "show another partner's operations",
        _instead(reading, "find", faulty_api.whoever_owns_it),
        _caught("access"),
    ),
    Mistake(
        "know an API key by its id alone",
        _instead(api_keys, "authenticate", faulty_api.by_id_alone),
        _caught("access"),
    ),
    Mistake(
        "tell nothing of one state",
        _instead(PartnerEventStore, "_add", faulty_api.silent_of_not_paid),
        _caught("partner events", "feed"),
    ),
    Mistake(
        "raise no version for what changes beside the status",
        _instead(OperationChanges, "take", faulty_api.only_new_statuses),
        _caught("partner events", "feed"),
    ),
    Mistake(
        "leave out the first event of a page",
        _instead(PartnerEventStore, "page", faulty_api.without_its_first),
        _caught("feed"),
    ),
    Mistake(
        "do not say which key began an operation",
        _instead(PartnerEventStore, "caused_by", faulty_api.caused_by_nobody),
        _caught("one operation per key"),
    ),
    Mistake(
        "begin a page of the history one too far",
        _instead(Cursor, "after", faulty_api.one_too_far),
        _caught("history"),
    ),
    Mistake(
        "send events of one operation at once",
        _all(
            _instead(WebhookDeliveryStore, "_take", faulty_api.taken_out_of_turn),
            _instead(WebhookDeliveryStore, "_move_later_ones", faulty.nothing),
        ),
        _caught("webhooks"),
    ),
    Mistake(
        "count a lost answer as taken",
        _instead(WebhookWorker, "_answer", faulty_api.silence_is_taken),
        _caught("webhooks"),
    ),
    Mistake(
        "show a webhook's secret again",
        _instead(webhooks, "listed", faulty_api.shown_again),
        _caught("secrets"),
    ),
    Mistake(
        "decide the same hop twice",
        _instead(Hops, "_typed_since", faulty_ussd.decided_again),
        _SAME_PAGE,
    ),
    Mistake(
        "let any other text act",
        _instead(Hops, "_typed_since", faulty_ussd.whatever_came),
        _SAME_PAGE,
    ),
    Mistake(
        "let what is dialled behind a code confirm",
        _instead(PhoneAnswers, "begin", faulty_ussd.tail_confirms),
        _caught("unseen"),
    ),
    Mistake(
        "let the answer after a lost hop confirm",
        _instead(PhoneAnswers, "answer", faulty_ussd.all_of_them),
        _caught("unseen"),
    ),
    Mistake(
        "know a session by its id alone",
        _instead(Hops, "_dispute", faulty_ussd.for_whoever_asks),
        _caught("access"),
    ),
    Mistake(
        "let any desk PIN pass",
        _instead(desk_pins, "check", faulty_ussd.any_pin),
        _caught("code"),
    ),
    Mistake(
        "keep what was typed on a phone",
        _instead(Hops, "_digest", faulty_ussd.in_clear),
        _caught("secrets"),
    ),
)
