"""Handlers of the top-up flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.context import AppContext, TurnContext
from bot.handlers import statement, wrong_codes
from bot.handlers.declaring import Handlers
from bot.handlers.outcomes import outcome_facts
from bot.handlers.suggested_values import SUGGESTED, with_usual_amounts
from bot.handlers.wrong_codes import own_live_code, refuse_code
from flows.engine.host import Exit, OperationStarted, Recalled
from flows.engine.texts import Texts
from services import otp, topup_settlement, topups
from services.domain.business_days import time_of_day
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.otp import Purpose
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.topup import PaymentMethod, TopUp, TopUpState
from services.otp import Passed

HANDLERS = Handlers()
UNDECIDED = frozenset({TopUpState.CREATED, TopUpState.SENDING, TopUpState.PENDING})
BY_HAND_EXITS = {
    TopUpState.PAID: "by_hand_paid",
    TopUpState.PAID_LATE: "by_hand_late",
    TopUpState.NOT_PAID: "lapsed",
}


USUAL_AMOUNTS = tuple(Money(shillings * 100) for shillings in (500, 1_000, 5_000))
WAYS = {PaymentMethod.PAYBILL: "paybill", PaymentMethod.QR: "QR"}  # as the flow's options put it


@HANDLERS.suggestion("amounts", needs=Right.MOVE_MONEY)
def amounts(turn: TurnContext) -> Sequence[Money]:
    recent = turn.tx.topups.recent_amounts(turn.person.id, SUGGESTED)
    return with_usual_amounts(recent, USUAL_AMOUNTS)


@HANDLERS.suggestion("phones", needs=Right.VIEW)
def phones(turn: TurnContext) -> Sequence[Phone]:
    """Numbers that paid recently, without the person's own."""
    own = turn.person
    recent = turn.tx.topups.recent_phones(own.id, SUGGESTED + 1)
    return [phone for phone in recent if phone != own.phone][:SUGGESTED]


@HANDLERS.use_case("secure_topup", needs=Right.MOVE_MONEY)
def secure(turn: TurnContext, amount: Money, phone: Phone) -> Exit | Refusal:
    if not topups.needs_code(turn.app.policy, amount):
        return Exit("open")
    app = turn.app
    if turn.on_phone_menu:
        asked = topups.ask_for_pin(turn.tx, app.random, app.policy, turn.person, amount, phone)
        if isinstance(asked, Refusal):
            return asked
        return Exit("pin", sets={"reference": asked.operation})
    issued = topups.issue_code(
        turn.tx, app.keys, app.random, app.policy, turn.person, amount, phone
    )
    if isinstance(issued, Refusal):
        return issued
    turn.send_code(issued, "sms.topup_code", {"amount": amount, "phone": phone})
    return Exit("sent", sets={"reference": issued.otp.binding.operation})


@HANDLERS.code_check(
    "check_topup_code",
    needs=Right.MOVE_MONEY,
    shows=("sent_to", "until"),
    tells=("amount", "at", "balance", "phone", "reason", "reference"),
)
def check_code(
    turn: TurnContext, operation: Reference, code: str, amount: Money, phone: Phone
) -> Exit | Refusal:
    binding = topups.code_binding(turn.person, operation, amount, phone)
    answer = otp.validate(turn.tx, turn.app.keys, binding, code, limits=turn.app.policy.code_limits)
    if isinstance(answer, Passed):
        return Exit("right")
    return refuse_code(turn, binding, answer, code)


@HANDLERS.action("resend_topup_code", needs=Right.MOVE_MONEY)
def resend_code(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    before = own_live_code(turn, operation)
    if isinstance(before, Exit):
        return before
    app = turn.app
    issued = otp.generate(
        turn.tx,
        app.keys,
        app.random,
        before.binding,
        turn.person.phone,
        limits=app.policy.code_limits,
    )
    if isinstance(issued, Refusal):
        return issued
    facts = {"amount": before.binding.amount, "phone": Phone(before.binding.destination)}
    turn.send_code(issued, "sms.topup_code", facts)
    return None


@HANDLERS.action("topup_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    return wrong_codes.exit_if_code_ended(turn, operation)


@HANDLERS.action("cancel_topup", needs=Right.VIEW)
def cancel(turn: TurnContext, operation: Reference) -> None:
    before = turn.tx.otps.newest(operation)
    if before is not None and before.binding.person_id == turn.person.id:
        otp.revoke(turn.tx, operation)


@HANDLERS.use_case(
    "start_topup",
    needs=Right.MOVE_MONEY,
    waits=True,
    shows=("reference", "status"),
    tells=("amount", "at", "balance", "phone", "reason", "reference"),
)
def start(
    turn: TurnContext, operation: Reference | None, amount: Money, phone: Phone
) -> Exit | OperationStarted | Refusal:
    return _start(turn, operation, amount, phone, again=False)


@HANDLERS.use_case(
    "start_another_topup",
    needs=Right.MOVE_MONEY,
    waits=True,
    shows=("reference", "status"),
    tells=("amount", "at", "balance", "phone", "reason", "reference"),
)
def start_another(
    turn: TurnContext, operation: Reference | None, amount: Money, phone: Phone
) -> Exit | OperationStarted | Refusal:
    return _start(turn, operation, amount, phone, again=True)


def _start(
    turn: TurnContext, secured: Reference | None, amount: Money, phone: Phone, *, again: bool
) -> Exit | OperationStarted | Refusal:
    result = topups.start(
        turn.tx,
        turn.app.random,
        turn.person,
        turn.event.channel,
        turn.event.address,
        turn.key,
        amount,
        phone,
        policy=turn.app.policy,
        secured=secured,
        again=again,
        after=topups.SCREEN_FREE_AFTER if turn.on_phone_menu else timedelta(0),
    )
    match result:
        case topups.Duplicate():
            return Exit("duplicate")
        case Refusal():
            return result
        case TopUp():
            return OperationStarted(result.reference)


@HANDLERS.use_case(
    "expect_topup",
    needs=Right.MOVE_MONEY,
    waits=True,
    shows=("account", "paybill", "reference", "status"),
    tells=("amount", "at", "balance", "phone", "reason", "reference"),
)
def expect(turn: TurnContext, amount: Money, way: str) -> OperationStarted | Refusal:
    method = next(method for method, named in WAYS.items() if named == way)
    by_hand, files = turn.app.policy.by_hand, turn.app.channel(turn.event.channel).files
    if by_hand is None or (method is PaymentMethod.QR and not (by_hand.has_till and files)):
        return Refusal("not_by_hand")
    event = turn.event
    topup = topups.start_by_hand(
        turn.tx,
        turn.app.random,
        turn.person,
        event.channel,
        event.address,
        turn.key,
        amount,
        method,
    )
    if isinstance(topup, Refusal):
        return topup
    if method is PaymentMethod.QR:
        statement.queue_qr(turn, topup)
    return OperationStarted(topup.reference)


def check(turn: TurnContext, operation: Reference) -> None:
    topup_settlement.query_now(turn.tx, operation)


@HANDLERS.action("check_topup", needs=Right.VIEW)
def check_outcome(turn: TurnContext, operation: Reference) -> Exit | None:
    """How it has ended, for whoever asks instead of waiting; until then the bank is asked."""
    topup = turn.tx.topups.get(operation)
    if topup is None:
        return None
    if topup.state in UNDECIDED:
        topup_settlement.query_now(turn.tx, operation)
        return None
    return _ended(turn, topup)


@HANDLERS.action("topup_stands", needs=Right.VIEW)
def exit_if_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    """How it has ended, for whoever comes back to it; the bank is not asked."""
    topup = turn.tx.topups.get(operation)
    return None if topup is None or topup.state in UNDECIDED else _ended(turn, topup)


def _ended(turn: TurnContext, topup: TopUp) -> Exit:
    return Exit(outcome_exit(topup), outcome_facts(turn.tx, turn.app.texts, topup))


def outcome_exit(topup: TopUp) -> str:
    """The exit that the outcome takes from the waiting Do node."""
    if topup.by_hand and topup.state in BY_HAND_EXITS:
        return BY_HAND_EXITS[topup.state]
    if topup.state is TopUpState.NOT_PAID and topup.due_at is not None:
        return "not_paid_so_far"
    return topup.state.value.lower()


@HANDLERS.progress("TU", needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    topup = turn.tx.topups.get(operation)
    if topup is not None:
        facts = {
            "reference": operation,
            "status": turn.say(f"status.{_status(topup)}"),
        }
        return {**facts, **pay_to(turn.app, topup)}
    code = turn.tx.otps.newest(operation)
    if code is None:  # a PIN is asked for
        return {"reference": operation}
    return {"sent_to": turn.code_destination(), "until": time_of_day(code.expires_at)}


@HANDLERS.recall("TU", needs=Right.VIEW)
def recall(turn: TurnContext, operation: Reference) -> Recalled:
    """Of one whose code or PIN was never typed in, that alone knows what it was for."""
    topup = turn.tx.topups.get(operation)
    values: dict[str, Any] = {"reference": operation}
    if topup is not None:
        values["amount"] = topup.amount
        values |= {"way": WAYS[topup.way]} if topup.by_hand else {"phone": topup.phone}
        return Recalled("topup", values)
    code = turn.tx.otps.newest(operation)
    asked = turn.tx.desk_pins.asked(operation, Purpose.WALLET_TOPUP)
    binding = asked if code is None else code.binding
    assert binding is not None, "what has a partner is a top-up, or a code or PIN was asked for"
    values |= {"amount": binding.amount, "phone": Phone(binding.destination)}
    return Recalled("topup", values)


def pay_to(app: AppContext, topup: TopUp) -> Mapping[str, Any]:
    """What the payer types into M-PESA for a top-up without a prompt."""
    by_hand = app.policy.by_hand
    if not topup.by_hand or by_hand is None:
        return {}
    return {"paybill": by_hand.paybill_no, "account": by_hand.account_of(topup)}


def status(texts: Texts, language: str, topup: TopUp) -> str:
    """The line of the live message that shows the top-up's progress."""
    return texts.say(language, f"status.{_status(topup)}")


def _status(topup: TopUp) -> str:
    if topup.by_hand and topup.state is TopUpState.PENDING:
        return topup.way
    return "slow" if topup.slow and topup.state is TopUpState.PENDING else topup.state
