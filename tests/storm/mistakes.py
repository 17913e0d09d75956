"""Deliberate mistakes injected into the running program, which a storm must detect.

Each is a mistake that similar systems made, or that a hasty change could introduce here.
"""

from __future__ import annotations

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
    otp,
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
from tests.storm.mistake import Mistake, all_of, caught, instead
from tests.storm.payout_mistakes import PAYOUT_MISTAKES

_TOLD = caught("told", "faults")
_SAME_PAGE = caught("same page", "replay", "unseen")
_SAME_ANSWER = caught("same answer", "one operation per key")
MISTAKES = (
    Mistake(
        "credit on accepted",
        instead(topup_settlement, "record_initiate", faulty.credited_on_accepted),
        caught("bank", "faults"),
    ),
    Mistake(
        "send a prompt again after a timeout",
        instead(topup_settlement, "record_initiate", faulty.sent_again),
        caught("one money call", "attention", "faults", "arrows"),
    ),
    Mistake(
        "call a timeout of a purchase failed",
        instead(float_settlement, "record_purchase", faulty.timeout_is_failed),
        caught("bank", "attention", "evidence"),
    ),
    Mistake(
        "call an unknown purchase failed by its age",
        instead(float_settlement, "record_status", faulty.failed_by_age),
        caught("bank"),
    ),
    Mistake(
        "send again what a crash cut off",
        instead(topup_settlement, "claim", faulty.sending_again),
        caught("one money call", "faults", "attention"),
    ),
    Mistake(
        "drop a hold",
        instead(float_purchases, "float_holds", faulty.leg_short),
        caught("purchase legs", "faults"),
    ),
    Mistake(
        "let only some holds go",
        instead(float_settlement, "float_voided", faulty.leg_short),
        caught("purchase legs"),
    ),
    Mistake(
        "post only some holds",
        instead(float_settlement, "float_posted", faulty.leg_short),
        caught("purchase legs"),
    ),
    Mistake(
        "read the fee again at the bank's answer",
        instead(float_settlement, "float_posted", faulty.dearer),
        caught("faults", "purchase legs", "purchases", "bank"),
    ),
    Mistake(
        "credit a cent too much",
        instead(topup_settlement, "topup_credit", faulty.other_amount),
        caught("topups", "bank"),
    ),
    Mistake(
        "credit another partner",
        instead(topup_settlement, "topup_credit", faulty.other_partner),
        caught("topups"),
    ),
    Mistake(
        "credit a payment with a cent too much",
        instead(payments, "payment_credit", faulty.other_amount),
        caught("payments", "bank"),
    ),
    Mistake(
        "spend what is held",
        instead(LedgerStore, "balance", faulty.holds_are_there_to_spend),
        caught("faults", "ledger", "float held", "server error"),
    ),
    Mistake(
        "believe every notification",
        instead(payment_notification, "equal_in_constant_time", faulty.any_hash),
        caught("bank"),
    ),
    Mistake(
        "match a payment by its amount alone",
        instead(payment_matching, "_fitting", faulty.by_amount_alone),
        caught("owner", "bank"),
    ),
    Mistake(
        "give to somebody what is nobody's",
        instead(payments, "_find_allocation", faulty.to_somebody),
        caught("owner"),
    ),
    Mistake(
        "credit what two admins found to have paid a top-up",
        instead(payment_assignment, "match", faulty.to_its_partner),
        caught("proposals"),
    ),
    Mistake(
        "leave in suspense what was credited on other evidence",
        instead(suspense, "release_for", faulty.nothing),
        caught("bank"),
    ),
    Mistake(
        "take each notification for a new payment",
        instead(PaymentStore, "get", faulty.other_fingerprint),
        caught("faults", "bank"),
    ),
    Mistake(
        "answer the bank before the commit",
        instead(PaymentIntake, "record_notification", faulty.answered_before),
        caught("bank"),
    ),
    Mistake(
        "skip the dedupe of events",
        instead(SessionStore, "mark_handled", faulty.always_new),
        caught("faults", "replay"),
    ),
    Mistake("tell an outcome twice", instead(notifier.Notifier, "topup", faulty.twice), _TOLD),
    Mistake("never tell an outcome", instead(notifier.Notifier, "topup", faulty.no_rows), _TOLD),
    Mistake(
        "keep codes in clear",
        all_of(
            instead(Keyring, "seal", faulty.in_clear), instead(Keyring, "unseal", faulty.in_clear)
        ),
        caught("secrets"),
    ),
    Mistake(
        "let any code pass",
        instead(otp, "validate", faulty.always_passes),
        caught("code"),
    ),
    Mistake(
        "touch the audit log",
        instead(AuditStore, "add", faulty.unhashed),
        caught("audit"),
    ),
    Mistake(
        "credit without noting the evidence",
        instead(EvidenceStore, "add", faulty.nothing),
        caught("topups", "purchase legs", "payout legs", "evidence"),
    ),
    Mistake(
        "open no review",
        instead(EvidenceStore, "open_review", faulty.nothing),
        caught("attention", "payments", "stuck", "proposals"),
    ),
    Mistake(
        "leave reviews open",
        instead(EvidenceStore, "close_reviews", faulty.nothing),
        caught("attention", "payments", "payout attention", "proposals"),
    ),
    Mistake(
        "call late payments paid in time",
        instead(topup_settlement.TopUp, "transition_to", faulty.paid_is_paid),
        caught("arrows"),
    ),
    Mistake(
        "forget to ask the bank",
        instead(MoneyWorker, "_query", lambda right, *args: faulty.done()),
        caught("stuck", "bank", "told"),
    ),
    Mistake(
        "keep no answer with its key",
        instead(Calls, "_store", faulty.nothing),
        _SAME_ANSWER,
    ),
    Mistake(
        "keep the answer in a transaction of its own",
        all_of(
            instead(Calls, "_store", faulty_api.stored_later),
            instead(Calls, "handle", faulty_api.then_stored),
        ),
        _SAME_ANSWER | caught("server error", "faults"),
    ),
    Mistake(
        "render a replay afresh",
        instead(ApiAnswerStore, "get", faulty_api.rendered_afresh),
        _SAME_ANSWER,
    ),
    Mistake(
        "take one call's key for another call's",
        instead(json_body, "canonical", faulty_api.without_path),
        _SAME_ANSWER,
    ),
    Mistake(
        "take a key for any body",
        instead(Calls, "_fingerprint", lambda right, *args: ""),
        _SAME_ANSWER,
    ),
    Mistake(
        "show another partner's operations",
        instead(reading, "find", faulty_api.whoever_owns_it),
        caught("access"),
    ),
    Mistake(
        "know an API key by its id alone",
        instead(api_keys, "authenticate", faulty_api.by_id_alone),
        caught("access"),
    ),
    Mistake(
        "tell nothing of one state",
        instead(PartnerEventStore, "_add", faulty_api.silent_of_not_paid),
        caught("partner events", "feed"),
    ),
    Mistake(
        "raise no version for what changes beside the status",
        instead(OperationChanges, "take", faulty_api.only_new_statuses),
        caught("partner events", "feed"),
    ),
    Mistake(
        "leave out the first event of a page",
        instead(PartnerEventStore, "page", faulty_api.without_its_first),
        caught("feed"),
    ),
    Mistake(
        "do not say which key began an operation",
        instead(PartnerEventStore, "caused_by", faulty_api.caused_by_nobody),
        caught("one operation per key"),
    ),
    Mistake(
        "begin a page of the history one too far",
        instead(Cursor, "after", faulty_api.one_too_far),
        caught("history"),
    ),
    Mistake(
        "send events of one operation at once",
        all_of(
            instead(WebhookDeliveryStore, "_take", faulty_api.taken_out_of_turn),
            instead(WebhookDeliveryStore, "_move_later_ones", faulty.nothing),
        ),
        caught("webhooks"),
    ),
    Mistake(
        "count a lost answer as taken",
        instead(WebhookWorker, "_answer", faulty_api.silence_is_taken),
        caught("webhooks"),
    ),
    Mistake(
        "show a webhook's secret again",
        instead(webhooks, "listed", faulty_api.shown_again),
        caught("secrets"),
    ),
    Mistake(
        "decide the same hop twice",
        instead(Hops, "_typed_since", faulty_ussd.decided_again),
        _SAME_PAGE,
    ),
    Mistake(
        "let any other text act",
        instead(Hops, "_typed_since", faulty_ussd.whatever_came),
        _SAME_PAGE,
    ),
    Mistake(
        "let what is dialled behind a code confirm",
        instead(PhoneAnswers, "begin", faulty_ussd.tail_confirms),
        caught("unseen"),
    ),
    Mistake(
        "let the answer after a lost hop confirm",
        instead(PhoneAnswers, "answer", faulty_ussd.all_of_them),
        caught("unseen"),
    ),
    Mistake(
        "know a session by its id alone",
        instead(Hops, "_dispute", faulty_ussd.for_whoever_asks),
        caught("access"),
    ),
    Mistake(
        "let any desk PIN pass",
        instead(desk_pins, "check", faulty_ussd.any_pin),
        caught("code"),
    ),
    Mistake(
        "keep what was typed on a phone",
        instead(Hops, "_digest", faulty_ussd.in_clear),
        caught("secrets"),
    ),
    *PAYOUT_MISTAKES,
)
