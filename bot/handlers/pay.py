"""Handlers of the pay flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.context import TurnContext
from bot.handlers import spendings
from bot.handlers.declaring import Handlers
from bot.handlers.suggested_values import SUGGESTED, with_usual_amounts
from bot.handlers.wrong_codes import code_facts
from flows.engine.host import Exit, Labelled, OperationStarted, Recalled, View
from flows.engine.texts import Texts
from services import payout_freeze, payout_quotes, payout_settlement, payouts, spending
from services.approvals import AwaitingApproval
from services.domain.ids import Reference
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.payout import HOLDS, Payout, PayoutState
from services.domain.payout_tariff import payout_quote
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.spending import CodeSent

HANDLERS = Handlers()

USUAL_AMOUNTS = tuple(Money(shillings * 100) for shillings in (500, 1_000, 5_000))
# Refusals after which a different amount may be accepted.
AMOUNT_REFUSED = frozenset(
    {"pay_least", "pay_most", "pay_day", "pay_recipient_day", "pay_recipient_new"}
)
APPROVED = HOLDS | {PayoutState.PAID, PayoutState.RETURNED, PayoutState.PAID_AFTER_RETURN}


@HANDLERS.suggestion("payees", needs=Right.MOVE_MONEY)
def payees(turn: TurnContext) -> Sequence[Labelled]:
    partner = turn.person.partner.code
    return [
        Labelled(phone, label_of(turn, phone))
        for phone in turn.tx.payouts.recent_recipients(partner, SUGGESTED)
    ]


def label_of(turn: TurnContext, phone: Phone) -> str:
    """The saved name, or the one that M-PESA gave, before the number."""
    name = known_name(turn, phone)
    return str(phone) if name is None else f"{name} {phone}"


def known_name(turn: TurnContext, phone: Phone) -> str | None:
    partner = turn.person.partner.code
    saved = turn.tx.recipients.of_phone(partner, phone)
    if saved is not None:
        return saved.name
    last = turn.tx.payouts.last_paid(partner, phone)
    return None if last is None else last.recipient_name


@HANDLERS.suggestion("paid_amounts", needs=Right.MOVE_MONEY)
def amounts(turn: TurnContext, payee: Phone) -> Sequence[Money]:
    recent = turn.tx.payouts.recent_amounts(turn.person.partner.code, payee, SUGGESTED)
    return with_usual_amounts(recent, USUAL_AMOUNTS)


@HANDLERS.use_case("request_payout", needs=Right.MOVE_MONEY)
def request(
    turn: TurnContext, operation: Reference | None, payee: Phone, amount: Money
) -> Exit | Refusal:
    result = payout_quotes.request(
        turn.tx,
        turn.app.random,
        turn.app.policy,
        turn.person,
        turn.event.channel,
        turn.event.address,
        turn.key,
        payee,
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
        case Payout():
            return Exit("quoted", sets=_quote_fields(result))


@HANDLERS.view(
    "payout_quote", needs=Right.MOVE_MONEY, shows=("alike", "float_after", "next", "then", "who")
)
def what_follows(turn: TurnContext, payout: Reference, payee: Phone, amount: Money) -> View:
    """Who is paid as far as is known, whether it looks like a repetition, and what the yes does.

    All of it is about what is shown: back at an earlier quote, the stored one is another.
    """
    stored = turn.tx.payouts.get(payout)
    assert stored is not None
    quoted = replace(stored, recipient=payee, quote=payout_quote(amount))
    way = "second" if spendings.is_for_a_colleague(turn, quoted) else "code"
    above = spendings.alone_up_to(turn)
    float_ = turn.tx.ledger.balance(Account(quoted.partner, AccountKind.FLOAT))
    return View(
        {
            "who": _who(turn, quoted.recipient),
            "alike": _alike(turn, quoted),
            "float_after": float_.available - quoted.quote.total,
            "then": turn.say(f"pay.confirm.then.{way}", {"above": above}),
            "next": turn.say(f"pay.confirm.next.{way}"),
        }
    )


def _who(turn: TurnContext, recipient: Phone) -> str:
    """The name on the last receipt of that number: M-PESA names nobody before it has paid."""
    last = turn.tx.payouts.last_paid(turn.person.partner.code, recipient)
    if last is None:
        return turn.say("pay.confirm.who.never")
    if last.recipient_name is None:
        return turn.say("pay.confirm.who.nameless", {"at": last.settled_at})
    facts = {"name": last.recipient_name, "at": last.settled_at}
    return turn.say("pay.confirm.who.named", facts)


def _alike(turn: TurnContext, quoted: Payout) -> str:
    """A warning line, if one of the same amount is under way or was paid within a day."""
    other = payout_quotes.alike(turn.tx, quoted)
    if other is None:
        return ""
    done = other.state in (PayoutState.PAID, PayoutState.PAID_AFTER_RETURN)
    facts = {
        "reference": other.reference,
        "at": other.settled_at if done else other.authorised_at or other.created_at,
    }
    return turn.say(f"pay.confirm.alike.{'paid' if done else 'under_way'}", facts)


@HANDLERS.use_case("confirm_payout", needs=Right.MOVE_MONEY)
def confirm(
    turn: TurnContext, operation: Reference, payee: Phone, amount: Money, fees: Money
) -> Exit | Refusal:
    app, person = turn.app, turn.person
    result = payouts.confirm(
        turn.tx, app.keys, app.random, app.policy, person, operation, payee, amount, fees
    )
    match result:
        case Refusal():
            return result
        case Shortfall():
            return spendings.short(result)
        case AwaitingApproval():
            return spendings.awaits(turn, "pay", result)
        case CodeSent():
            spendings.send_code(turn, result)
            return Exit("sent")


@HANDLERS.code_check(
    "check_payout_code",
    needs=Right.MOVE_MONEY,
    shows=("reference", "sent_to", "until"),
    tells=(
        *("amount", "at", "balance", "fees", "float", "mpesa", "name", "payee", "reason"),
        *("reference", "total"),
    ),
)
def check_code(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app = turn.app
    result = payouts.authorise(turn.tx, app.keys, app.policy, turn.person, operation, code)
    return spendings.code_was_checked(turn, operation, code, result)


@HANDLERS.action("resend_payout_code", needs=Right.MOVE_MONEY)
def resend_code(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    return spendings.resend_code(turn, operation, "pay_over")


@HANDLERS.action("payout_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    return spendings.exit_if_code_ended(turn, operation)


@HANDLERS.use_case(
    "send_payout",
    needs=Right.MOVE_MONEY,
    waits=True,
    shows=("reference", "status"),
    tells=(
        *("amount", "at", "balance", "fees", "float", "mpesa", "name", "payee", "reason"),
        *("reference", "total"),
    ),
)
def send(
    turn: TurnContext,
    operation: Reference | None,
    payee: Phone,
    amount: Money,
    fees: Money,
    total: Money,
) -> OperationStarted | Refusal:
    """The code was right and the float is held: hand the payout over to the worker."""
    payout = None if operation is None else turn.tx.payouts.get(operation)
    quote = None if payout is None else payout.quote
    if (
        payout is None
        or quote is None
        or payout.state is not PayoutState.AUTHORISED
        or payout.person_id != turn.person.id
        or (payout.recipient, quote.amount, quote.fees, quote.total) != (payee, amount, fees, total)
    ):
        return Refusal("pay_over")
    return OperationStarted(payout.reference)


@HANDLERS.action("cancel_payout", needs=Right.VIEW)
def cancel(turn: TurnContext, operation: Reference) -> None:
    spending.cancel(turn.tx, turn.person, operation)


def check(turn: TurnContext, operation: Reference) -> Refusal | None:
    payout = turn.tx.payouts.get(operation)
    if payout is None:
        return None
    if is_waiting(turn, payout):
        return Refusal("pay_held_back")
    if payout.state in HOLDS and not payout.can_be_queried:
        return Refusal("pay_asked_already")
    payout_settlement.query_now(turn.tx, operation)
    return None


@HANDLERS.action("check_payout", needs=Right.VIEW)
def check_outcome(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    """How it has ended, for whoever asks instead of waiting; until then as ``check``."""
    return spendings.outcome(turn, operation) or check(turn, operation)


@HANDLERS.action("payout_stands", needs=Right.VIEW)
def exit_if_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    """How it has ended, for whoever comes back to it; M-PESA is not asked."""
    return spendings.outcome(turn, operation)


@HANDLERS.progress("PO", needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    payout = turn.tx.payouts.get(operation)
    assert payout is not None
    if payout.state in APPROVED:
        key = "frozen" if is_waiting(turn, payout) else payout.state
        return {"reference": operation, "status": turn.say(f"pay_status.{key}")}
    return {"reference": operation, **code_facts(turn, operation)}


def is_waiting(turn: TurnContext, payout: Payout) -> bool:
    """Whether it is held back, and not on its way."""
    is_unsent = payout.state is PayoutState.AUTHORISED
    return is_unsent and payout_freeze.is_held_back(turn.tx, payout.partner)


@HANDLERS.recall("PO", needs=Right.VIEW)
def recall(turn: TurnContext, operation: Reference) -> Recalled:
    payout = turn.tx.payouts.get(operation)
    assert payout is not None, "what has a partner is stored"
    facts = {"reference": operation, "payee": payout.recipient, "amount": payout.amount}
    return Recalled("pay", facts)


def status(texts: Texts, language: str, payout: Payout) -> str:
    """The line of the live message that shows the payout's progress."""
    return texts.say(language, f"pay_status.{payout.state}")


def _quote_fields(payout: Payout) -> Mapping[str, Any]:
    quote = payout.quote
    return {"payout": payout.reference, "fees": quote.fees, "total": quote.total}
