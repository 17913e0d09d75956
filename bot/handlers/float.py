"""Handlers of the float flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers import approvals as approval_handlers
from bot.handlers.declaring import Handlers
from bot.handlers.outcomes import outcome_facts
from bot.handlers.suggested_values import SUGGESTED, with_usual_amounts
from bot.handlers.wrong_codes import code_exit, report_wrong_code
from flows.engine.host import Exit, OperationStarted, Recalled, View
from flows.engine.texts import Texts
from services import (
    approvals,
    float_by_pin,
    float_purchases,
    float_quotes,
    float_settlement,
    spending,
)
from services.approvals import AwaitingApproval
from services.domain.approval import Decision
from services.domain.business_days import time_of_day
from services.domain.float_purchase import HOLDS, Purchase, PurchaseState
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.partner import Right
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall, binding
from services.float_quotes import Requoted
from services.otp import NotPassed
from services.spending import CodeSent

HANDLERS = Handlers()

USUAL_AMOUNTS = tuple(Money(shillings * 100) for shillings in (5_000, 10_000, 50_000))
# Refusals after which a different amount may be accepted.
AMOUNT_REFUSED = frozenset(
    {"float_least", "float_most", "float_most_ussd", "float_day", "float_day_desk"}
)
UNDECIDED = frozenset({PurchaseState.AUTHORISED, PurchaseState.SUBMITTING})
APPROVED = UNDECIDED | {PurchaseState.UNKNOWN, PurchaseState.SUCCEEDED, PurchaseState.FAILED}


@HANDLERS.suggestion("float_amounts", needs=Right.MOVE_MONEY)
def amounts(turn: TurnContext) -> Sequence[Money]:
    recent = turn.tx.purchases.recent_amounts(turn.person.id, SUGGESTED)
    return with_usual_amounts(recent, USUAL_AMOUNTS)


@HANDLERS.use_case("request_float", needs=Right.MOVE_MONEY)
def request(turn: TurnContext, operation: Reference | None, amount: Money) -> Exit | Refusal:
    refusal = None
    if turn.on_phone_menu:  # nobody confirms what their PIN cannot approve
        refusal = float_by_pin.check_allowed(turn.tx, turn.app.policy, turn.person, amount)
    result = refusal or float_quotes.request(
        turn.tx,
        turn.app.random,
        turn.app.policy,
        turn.person,
        turn.event.channel,
        turn.event.address,
        turn.key,
        amount,
        changes=operation,
    )
    match result:
        case Refusal(code, facts) if code in AMOUNT_REFUSED:
            return Exit("again", above=turn.say(f"refusal.{code}", facts))
        case Refusal():
            return result
        case Shortfall():
            return _insufficient_funds(result)
        case Purchase():
            return Exit(
                "quoted", sets=_quote_fields(result), above=_unknown_purchase_warning(turn, result)
            )


@HANDLERS.view("quote", needs=Right.MOVE_MONEY, shows=("next", "then"))
def what_follows(turn: TurnContext, purchase: Reference) -> View:
    """What the yes does: it sends a code or asks for the PIN, or asks a colleague first."""
    quoted = turn.tx.purchases.get(purchase)
    assert quoted is not None
    partner = turn.person.partner
    way = "pin" if turn.on_phone_menu else "code"
    given = turn.tx.approvals.get(purchase)
    is_given = given is not None and given.decision is Decision.APPROVED
    if approvals.is_needed(partner, quoted.amount) and not is_given:
        way = "second_pin" if turn.on_phone_menu else "second"
    above = Money(partner.approve_above_cents or 0, partner.currency)
    return View(
        {
            "then": turn.say(f"float.confirm.then.{way}", {"above": above}),
            "next": turn.say(f"float.confirm.next.{way}"),
        }
    )


@HANDLERS.use_case("confirm_float", needs=Right.MOVE_MONEY)
def confirm(
    turn: TurnContext, operation: Reference, amount: Money, fees: Money, total: Money
) -> Exit | Refusal:
    repriced = float_quotes.reprice(turn.tx, turn.app.policy, turn.person, operation)
    if isinstance(repriced, Requoted):
        above = turn.say("float.confirm.repriced")
        return Exit("requoted", sets=_quote_fields(repriced.purchase), above=above)
    result = repriced or _confirmed(turn, operation, amount, fees, total)
    match result:
        case Refusal():
            return result
        case Shortfall():
            return _insufficient_funds(result)
        case Requoted(purchase):
            return Exit(
                "requoted", sets=_quote_fields(purchase), above=turn.say("float.confirm.requoted")
            )
        case AwaitingApproval():
            return _awaiting_approval(turn, result)
        case Purchase():
            return Exit("pin")
        case CodeSent():
            send_code(turn, result)
            return Exit("sent")


def _confirmed(
    turn: TurnContext, operation: Reference, amount: Money, fees: Money, total: Money
) -> CodeSent[Purchase] | Purchase | AwaitingApproval[Purchase] | Requoted | Shortfall | Refusal:
    """``CodeSent``, or the purchase that the PIN may approve now."""
    app, person, shown = turn.app, turn.person, (amount, fees, total)
    if turn.on_phone_menu:
        return float_by_pin.confirm(turn.tx, app.policy, person, operation, *shown)
    return float_purchases.confirm(
        turn.tx, app.keys, app.random, app.policy, person, operation, *shown
    )


def _awaiting_approval(turn: TurnContext, awaits: AwaitingApproval[Purchase]) -> Exit:
    if awaits.fresh:
        approval_handlers.notify_approvers(turn, awaits)
    above = None if awaits.fresh else turn.say("float.awaits.not_yet")
    return Exit("awaits", sets={"until": awaits.approval.ends_at}, above=above)


@HANDLERS.code_check(
    "check_float_code",
    needs=Right.MOVE_MONEY,
    shows=("reference", "sent_to", "until"),
    tells=("amount", "at", "balance", "fees", "float", "reason", "reference", "total"),
)
def check_code(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app = turn.app
    result = float_purchases.authorise(turn.tx, app.keys, app.policy, turn.person, operation, code)
    match result:
        case Refusal():
            return Exit("cancelled")
        case NotPassed():
            purchase = turn.tx.purchases.get(operation)
            assert purchase is not None
            report_wrong_code(turn, binding(purchase), result, code)
            return Refusal.of("wrong_code", left=result.tries_left)
        case Purchase():
            if result.state is PurchaseState.AUTHORISED:
                return Exit("right")
            if result.state is PurchaseState.OTP_LOCKED:
                locked = NotPassed(OtpStatus.LOCKED)
                report_wrong_code(turn, binding(result), locked, code)
            return exit_of_ended(turn, result)


@HANDLERS.action("resend_float_code", needs=Right.MOVE_MONEY)
def resend_code(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    app, purchase = turn.app, float_quotes.own_purchase(turn.tx, turn.person, operation)
    if purchase is None:
        return Refusal("float_over")
    result = spending.resend(
        turn.tx, app.keys, app.random, turn.person, purchase, limits=app.policy.code_limits
    )
    match result:
        case Refusal():
            return result
        case Purchase():
            return exit_of_ended(turn, result)
        case CodeSent():
            send_code(turn, result)
            return None


@HANDLERS.action("float_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    purchase = float_quotes.own_purchase(turn.tx, turn.person, operation)
    if purchase is None:
        return Exit("cancelled")
    purchase = spending.as_of_now(turn.tx, purchase)
    return None if purchase.state is PurchaseState.OTP_SENT else exit_of_ended(turn, purchase)


@HANDLERS.use_case(
    "buy_float",
    needs=Right.MOVE_MONEY,
    waits=True,
    shows=("reference", "status"),
    tells=("amount", "at", "balance", "fees", "float", "reason", "reference", "total"),
)
def buy(
    turn: TurnContext, operation: Reference | None, amount: Money, fees: Money, total: Money
) -> OperationStarted | Refusal:
    """The code was right and the money is held: hand the purchase over to the worker."""
    purchase = None if operation is None else turn.tx.purchases.get(operation)
    quote = None if purchase is None else purchase.quote
    if (
        purchase is None
        or quote is None
        or purchase.state is not PurchaseState.AUTHORISED
        or purchase.person_id != turn.person.id
        or (quote.amount, quote.fees, quote.total) != (amount, fees, total)
    ):
        return Refusal("float_over")
    return OperationStarted(purchase.reference)


@HANDLERS.action("cancel_float", needs=Right.VIEW)
def cancel(turn: TurnContext, operation: Reference) -> None:
    spending.cancel(turn.tx, turn.person, operation)


def check(turn: TurnContext, operation: Reference) -> Refusal | None:
    purchase = turn.tx.purchases.get(operation)
    if purchase is None:
        return None
    if purchase.state in HOLDS and not purchase.can_be_queried:
        return Refusal("asked_already")
    float_settlement.query_now(turn.tx, operation)
    return None


@HANDLERS.action("check_float", needs=Right.VIEW)
def check_outcome(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    """How it has ended, for whoever asks instead of waiting; until then as ``check``."""
    purchase = turn.tx.purchases.get(operation)
    if purchase is None:
        return None
    if purchase.state in UNDECIDED:
        return check(turn, operation)
    return _ended(turn, purchase)


@HANDLERS.action("float_stands", needs=Right.VIEW)
def exit_if_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    """How it has ended, for whoever comes back to it; the bank is not asked."""
    purchase = turn.tx.purchases.get(operation)
    if purchase is None or purchase.state in UNDECIDED:
        return None
    return _ended(turn, purchase)


def _ended(turn: TurnContext, purchase: Purchase) -> Exit:
    return Exit(outcome_exit(purchase), outcome_facts(turn.tx, turn.app.texts, purchase))


def outcome_exit(purchase: Purchase) -> str:
    """The exit that the outcome takes from the waiting Do node."""
    return purchase.state.value.lower()


@HANDLERS.progress("FL", needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    purchase = turn.tx.purchases.get(operation)
    assert purchase is not None
    if purchase.state in APPROVED:
        return {
            "reference": operation,
            "status": turn.say(f"float_status.{purchase.state}"),
        }
    code = turn.tx.otps.newest(operation)
    until = time_of_day(turn.tx.now if code is None else code.expires_at)
    return {"reference": operation, "sent_to": turn.code_destination(), "until": until}


@HANDLERS.recall("FL", needs=Right.VIEW)
def recall(turn: TurnContext, operation: Reference) -> Recalled:
    purchase = turn.tx.purchases.get(operation)
    assert purchase is not None, "what has a partner is stored"
    return Recalled("float", {"reference": operation, "amount": purchase.amount})


def status(texts: Texts, language: str, purchase: Purchase) -> str:
    """The line of the live message that shows the purchase's progress."""
    return texts.say(language, f"float_status.{purchase.state}")


def exit_of_ended(turn: TurnContext, purchase: Purchase) -> Exit:
    """The exit for a purchase that has ended, or no longer waits for its code."""
    match purchase.state:
        case PurchaseState.OTP_EXPIRED:
            return Exit("otp_expired")
        case PurchaseState.OTP_LOCKED:
            exit_name = code_exit(turn, OtpStatus.LOCKED, turn.person.phone)
            assert exit_name is not None
            return Exit(exit_name)
        case PurchaseState.REFUSED:
            reason = turn.say(f"reason.{purchase.reason}")
            return Exit("declined", {"reason": reason, "reference": purchase.reference})
        case _:
            return Exit("cancelled")


def send_code(turn: TurnContext, sent: CodeSent[Purchase]) -> None:
    quote = sent.operation.quote
    facts = {
        "amount": quote.amount,
        "fees": str(quote.fees).removeprefix(f"{quote.fees.currency} "),
        "total": str(quote.total).removeprefix(f"{quote.total.currency} "),
        "destination": sent.operation.masked_destination,
    }
    turn.send_code(sent.issued, "sms.float_code", facts)


def _unknown_purchase_warning(turn: TurnContext, quoted: Purchase) -> str | None:
    """Warn if a purchase of the same amount has an unknown outcome: it may have succeeded."""
    unknown = turn.tx.purchases.unknown(quoted.partner, quoted.amount)
    if unknown is None:
        return None
    return turn.say("float.confirm.unknown_open", {"reference": unknown.reference})


def _quote_fields(purchase: Purchase) -> Mapping[str, Any]:
    quote = purchase.quote
    return {"purchase": purchase.reference, "fees": quote.fees, "total": quote.total}


def _insufficient_funds(short: Shortfall) -> Exit:
    sets = {"total": short.total, "available": short.available, "missing": short.missing}
    return Exit("short", sets=sets)
