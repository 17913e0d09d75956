"""Deliberate mistakes with payouts, one for each of their rules."""

from __future__ import annotations

from bot.workers import payout_results as posted_results
from services import payout_freeze, payout_quotes, payout_results, payout_settlement, payouts
from services.domain import spending
from services.domain.payout import Payout
from services.gateways.daraja import result_wire
from services.gateways.daraja.result_wire import Result
from storage.stores.payout_messages import PayoutMessageStore
from storage.stores.payouts import PayoutStore
from tests.storm import faulty_payouts
from tests.storm.mistake import Mistake, all_of, caught, instead, instead_of_property

_BOOKS = caught("bank", "returned", "told by M-PESA", "confirmed")
_LEGS = caught("payout legs", "float held", "bank", "faults")
PAYOUT_MISTAKES = (
    Mistake(
        "order a payout again after a timeout",
        instead(payout_settlement, "record_order", faulty_payouts.ordered_again),
        caught("bank", "told by M-PESA"),
    ),
    Mistake(
        "order a payout again under a new id",
        all_of(
            instead(payout_settlement, "record_order", faulty_payouts.ordered_again),
            instead_of_property(Payout, "originator_id", faulty_payouts.id_of_the_attempt),
        ),
        caught("bank"),
    ),
    Mistake(
        "call a timeout of a payout returned",
        instead(payout_settlement, "record_order", faulty_payouts.timeout_is_returned),
        _BOOKS,
    ),
    Mistake(
        "call an accepted order paid",
        instead(payout_settlement, "record_order", faulty_payouts.accepted_is_paid),
        caught("bank", "confirmed"),
    ),
    Mistake(
        "let go what an unknown payout holds",
        instead(payout_settlement, "_unknown", faulty_payouts.hold_dropped),
        _LEGS,
    ),
    Mistake(
        "believe a Result of another amount",
        instead(result_wire, "_is_amount", faulty_payouts.anything),
        _BOOKS,
    ),
    Mistake(
        "believe a Result of another phone",
        instead(result_wire, "_names", faulty_payouts.anything),
        _BOOKS,
    ),
    Mistake(
        "believe a Result that says otherwise",
        instead_of_property(Result, "says_otherwise", lambda result: False),
        _BOOKS,
    ),
    Mistake(
        "believe a Result that announces another",
        instead_of_property(Result, "is_final", lambda result: True),
        _BOOKS,
    ),
    Mistake(
        "take a query without an answer for the payment's failure",
        instead(posted_results, "judge_status", faulty_payouts.no_status_is_returned),
        _BOOKS,
    ),
    Mistake(
        "take a full queue for the payment's failure",
        instead(payout_settlement, "doubt", faulty_payouts.doubt_is_returned),
        _BOOKS,
    ),
    Mistake(
        "confirm no large payout",
        instead(payout_results, "_needs_confirming", faulty_payouts.never),
        caught("confirmed"),
    ),
    Mistake(
        "book a payout again when it is told again",
        all_of(
            instead(PayoutMessageStore, "repeated", faulty_payouts.never),
            instead(payout_settlement, "settle_paid", faulty_payouts.told_again_is_paid_again),
        ),
        _LEGS,
    ),
    Mistake(
        "ignore what is paid after its return",
        instead(payout_settlement, "settle_paid", faulty_payouts.late_is_ignored),
        _BOOKS,
    ),
    Mistake(
        "let nobody owe what is paid after its return",
        instead(payout_settlement, "payout_owed", faulty_payouts.not_owed),
        _LEGS,
    ),
    Mistake(
        "take from the float again what is paid after its return",
        instead(payout_settlement, "payout_owed", faulty_payouts.from_the_float_again),
        _LEGS,
    ),
    Mistake(
        "send what is frozen or paused",
        instead(payout_freeze, "is_held_back", faulty_payouts.never),
        caught("held back"),
    ),
    Mistake(
        "pay a new recipient without a limit",
        instead(payout_quotes, "_check_new_recipient", faulty_payouts.nothing_to_say),
        caught("new recipient"),
    ),
    Mistake(
        "send a code that binds no recipient",
        instead(spending, "destination", faulty_payouts.whoever_is_paid),
        caught("payout codes"),
    ),
    Mistake(
        "take a code for something else",
        instead(payouts.spending, "check_code", faulty_payouts.any_code_of_theirs),
        caught("payout codes", "codes"),
    ),
    Mistake(
        "return a payout that nobody has found for a day",
        instead(payout_settlement, "record_query", faulty_payouts.returned_by_its_age),
        _BOOKS,
    ),
    Mistake(
        "take the receipt of another payout",
        instead(PayoutStore, "has_receipt", faulty_payouts.never),
        caught("bank", "faults"),
    ),
    Mistake(
        "forget M-PESA's charge",
        instead(payout_settlement, "payout_posted", faulty_payouts.without_charge),
        _LEGS,
    ),
)
