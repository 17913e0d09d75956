"""Handlers of the float flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers import spendings
from bot.handlers.declaring import Handlers
from bot.handlers.suggested_values import SUGGESTED, with_usual_amounts
from bot.handlers.wrong_codes import code_facts
from flows.engine.host import Exit, OperationStarted, Recalled, View
from flows.engine.texts import Texts
from services import (
    float_by_pin,
    float_purchases,
    float_quotes,
    float_settlement,
    spending,
)
from services.approvals import AwaitingApproval
from services.domain.float_purchase import HOLDS, Purchase, PurchaseState
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.float_quotes import Requoted
from services.spending import CodeSent

HANDLERS = Handlers()

USUAL_AMOUNTS = tuple(Money(shillings * 100) for shillings in (5_000, 10_000, 50_000))
# Refusals after which a different amount may be accepted.
AMOUNT_REFUSED = frozenset(
    {"float_least", "float_most", "float_most_ussd", "float_day", "float_day_desk"}
)
APPROVED = HOLDS | {PurchaseState.SUCCEEDED, PurchaseState.FAILED}


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
            return spendings.short(result)
        case Purchase():
            return Exit(
                "quoted", sets=_quote_fields(result), above=_unknown_purchase_warning(turn, result)
            )


@HANDLERS.view("quote", needs=Right.MOVE_MONEY, shows=("next", "then"))
def what_follows(turn: TurnContext, purchase: Reference) -> View:
    """What the yes does: it sends a code or asks for the PIN, or asks a colleague first."""
    quoted = turn.tx.purchases.get(purchase)
    assert quoted is not None
    way = "pin" if turn.on_phone_menu else "code"
    if spendings.is_for_a_colleague(turn, quoted):
        way = "second_pin" if turn.on_phone_menu else "second"
    above = spendings.alone_up_to(turn)
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
            return spendings.short(result)
        case Requoted(purchase):
            return Exit(
                "requoted", sets=_quote_fields(purchase), above=turn.say("float.confirm.requoted")
            )
        case AwaitingApproval():
            return spendings.awaits(turn, "float", result)
        case Purchase():
            return Exit("pin")
        case CodeSent():
            spendings.send_code(turn, result)
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


@HANDLERS.code_check(
    "check_float_code",
    needs=Right.MOVE_MONEY,
    shows=("reference", "sent_to", "until"),
    tells=("amount", "at", "balance", "fees", "float", "reason", "reference", "total"),
)
def check_code(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app = turn.app
    result = float_purchases.authorise(turn.tx, app.keys, app.policy, turn.person, operation, code)
    return spendings.code_was_checked(turn, operation, code, result)


@HANDLERS.action("resend_float_code", needs=Right.MOVE_MONEY)
def resend_code(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    return spendings.resend_code(turn, operation, "float_over")


@HANDLERS.action("float_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    return spendings.exit_if_code_ended(turn, operation)


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
    return spendings.outcome(turn, operation) or check(turn, operation)


@HANDLERS.action("float_stands", needs=Right.VIEW)
def exit_if_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    """How it has ended, for whoever comes back to it; the bank is not asked."""
    return spendings.outcome(turn, operation)


@HANDLERS.progress("FL", needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    purchase = turn.tx.purchases.get(operation)
    assert purchase is not None
    if purchase.state in APPROVED:
        return {
            "reference": operation,
            "status": turn.say(f"float_status.{purchase.state}"),
        }
    return {"reference": operation, **code_facts(turn, operation)}


@HANDLERS.recall("FL", needs=Right.VIEW)
def recall(turn: TurnContext, operation: Reference) -> Recalled:
    purchase = turn.tx.purchases.get(operation)
    assert purchase is not None, "what has a partner is stored"
    return Recalled("float", {"reference": operation, "amount": purchase.amount})


def status(texts: Texts, language: str, purchase: Purchase) -> str:
    """The line of the live message that shows the purchase's progress."""
    return texts.say(language, f"float_status.{purchase.state}")


def _unknown_purchase_warning(turn: TurnContext, quoted: Purchase) -> str | None:
    """Warn if a purchase of the same amount has an unknown outcome: it may have succeeded."""
    unknown = turn.tx.purchases.unknown(quoted.partner, quoted.amount)
    if unknown is None:
        return None
    return turn.say("float.confirm.unknown_open", {"reference": unknown.reference})


def _quote_fields(purchase: Purchase) -> Mapping[str, Any]:
    quote = purchase.quote
    return {"purchase": purchase.reference, "fees": quote.fees, "total": quote.total}
