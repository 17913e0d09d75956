"""A partner's operations: the list, newest first, and one in detail. Read-only."""

from __future__ import annotations

from datetime import datetime

from bot.context import TurnContext
from bot.handlers import float, listing, pay, topup
from bot.handlers.declaring import Handlers
from bot.handlers.state_words import check_acts, say_reason, say_state
from flows.engine.host import View
from services import history, spending
from services.domain.adjustment import Adjustment
from services.domain.float_purchase import Purchase
from services.domain.ids import Reference
from services.domain.operation import Operation, OperationType
from services.domain.partner import Right
from services.domain.payment import RecordedPayment
from services.domain.payout import Payout, is_payout
from services.domain.payout_batch import Batch
from services.domain.refusal import Refusal
from services.domain.spending import Spending
from services.domain.topup import TopUp

HANDLERS = Handlers()


@HANDLERS.view("history", needs=Right.VIEW, shows=("lines", "partner"))
def operations(turn: TurnContext, cursor: str | None) -> View:
    return operations_of(turn, turn.person.partner.code, cursor, "history.list")


def operations_of(turn: TurnContext, partner: str, cursor: str | None, node: str) -> View:
    """``node`` is the one whose texts say that the history is empty."""
    page = history.page(turn.tx, partner, cursor)
    lines = [_line(turn, operation) for operation in page.operations]
    references = [operation.reference for operation in page.operations]
    text, items = listing.listed(turn, references, lines, f"{node}.empty")
    return View({"partner": partner, "lines": text}, items, page.older, page.newer)


def _line(turn: TurnContext, operation: Operation) -> str:
    kind = "line-float" if operation.type is OperationType.FLOAT else "line"
    if operation.type is OperationType.ADJUSTMENT:
        adjustment = turn.tx.adjustments.get(operation.reference)
        assert adjustment is not None, "a listed adjustment has its proposal"
        kind = f"line-{adjustment.resolution}"
    if operation.type is OperationType.REVERSAL:
        kind = "line-reversal"
    if operation.type is OperationType.PAYMENT:
        kind = "line-payment"
    if operation.type is OperationType.PAYOUT:
        kind = "line-payout"
    facts = {
        "at": operation.begun_at,
        "reference": operation.reference,
        "amount": operation.amount,
        "state": say_state(turn, operation.reference, operation.state),
    }
    return turn.say(f"history.list.{kind}", facts)


@HANDLERS.view(
    "operation",
    needs=Right.VIEW,
    shows=("begun", "reason", "receipt", "reference", "settled", "state", "what"),
)
def operation(turn: TurnContext, reference: Reference) -> View | None:
    return operation_of(turn, turn.person.partner.code, reference)


def operation_of(
    turn: TurnContext, partner: str, reference: str, *, masked: bool = False
) -> View | None:
    """``None`` if the partner has no such operation. ``masked`` shortens the payer's number for
    readers who need not see all of it."""
    topup = turn.tx.topups.get(reference)
    if topup is not None and topup.partner == partner:
        return _topup(turn, topup, topup.phone.masked if masked else str(topup.phone))
    adjustment = turn.tx.adjustments.get(reference)
    if adjustment is not None and adjustment.partner == partner:
        return _adjustment(turn, adjustment)
    recorded = turn.tx.payments.of_reference(reference)
    if recorded is not None and recorded.partner == partner:
        return _payment(turn, recorded)
    reversal = turn.tx.payments.reversed_by(reference)
    if reversal is not None and reversal.partner == partner:
        return _reversal(turn, reference, reversal)
    spent = spending.get(turn.tx, reference)
    if spent is None or spent.partner != partner:
        return None
    if isinstance(spent, Payout):
        return _payout(turn, spent, spent.recipient.masked if masked else str(spent.recipient))
    if isinstance(spent, Batch):
        return _batch(turn, spent)
    return _purchase(turn, spent)


@HANDLERS.action("check_operation", needs=Right.VIEW)
def check(turn: TurnContext, operation: Reference) -> Refusal | None:
    """Query the bank, or M-PESA, for an operation of any kind."""
    if operation.startswith("FL"):
        return float.check(turn, operation)
    if is_payout(operation):
        return pay.check(turn, operation)
    topup.check(turn, operation)
    return None


def _topup(turn: TurnContext, topup: TopUp, phone: str) -> View:
    key = "by_hand" if topup.by_hand else "topup"  # no prompt was sent
    what = turn.say(f"history.detail.{key}", {"amount": topup.amount, "phone": phone})
    return _detail(turn, topup, what, topup.created_at, topup.receipt)


def _purchase(turn: TurnContext, purchase: Purchase) -> View:
    quote = purchase.quote
    facts = {"amount": quote.amount, "fees": quote.fees, "total": quote.total}
    what = turn.say("history.detail.float", facts)
    return _detail(turn, purchase, what, purchase.created_at, None)


def _payout(turn: TurnContext, payout: Payout, phone: str) -> View:
    quote, name = payout.quote, payout.recipient_name
    facts = {"amount": quote.amount, "fees": quote.fees, "phone": phone}
    what = turn.say("history.detail.payout", facts)
    if name is not None:
        what = turn.say("history.detail.payout_to", {**facts, "name": name})
    return _detail(turn, payout, what, payout.created_at, payout.receipt)


def _batch(turn: TurnContext, batch: Batch) -> View:
    facts = {"count": batch.rows, "amount": batch.amount, "fees": batch.quote.fees}
    what = turn.say("history.detail.batch", facts)
    return _detail(turn, batch, what, batch.created_at, None)


def _adjustment(turn: TurnContext, adjustment: Adjustment) -> View:
    facts = {
        "reference": adjustment.reference,
        "what": turn.say(f"history.detail.{adjustment.resolution}", {"amount": adjustment.amount}),
        "state": turn.say("state.POSTED"),
        "reason": turn.say("history.detail.reason", {"reason": adjustment.reason}),
        "begun": adjustment.booked_at,
        "settled": "",
        "receipt": "",
    }
    return View(facts)


def _reversal(turn: TurnContext, reference: str, recorded: RecordedPayment) -> View:
    operation = turn.tx.operations.of_reference(reference)
    assert operation is not None
    facts = {
        "reference": reference,
        "what": turn.say("history.detail.reversal", {"amount": recorded.amount}),
        "state": turn.say("state.POSTED"),
        "reason": "",
        "begun": operation.operation.begun_at,
        "settled": "",
        "receipt": turn.say("history.detail.receipt", {"receipt": recorded.payment.receipt}),
    }
    return View(facts)


def _payment(turn: TurnContext, recorded: RecordedPayment) -> View:
    receipt = {"receipt": recorded.payment.receipt}
    facts = {
        "reference": recorded.reference,
        "what": turn.say("history.detail.payment", {"amount": recorded.amount}),
        "state": turn.say(f"state.{recorded.state}"),
        "reason": "",
        "begun": recorded.payment.paid_at,
        "settled": "",
        "receipt": turn.say("history.detail.receipt", receipt),
    }
    return View(facts)


def _detail(
    turn: TurnContext, operation: TopUp | Spending, what: str, begun: datetime, receipt: str | None
) -> View:
    reason = settled = receipt_words = ""
    if operation.reason is not None:
        words = say_reason(turn.app.texts, turn.language, operation.reference, operation.reason)
        reason = turn.say("history.detail.reason", {"reason": words})
    if receipt is not None:
        receipt_words = turn.say("history.detail.receipt", {"receipt": receipt})
    if operation.settled_at is not None:
        settled = turn.say("history.detail.settled", {"settled": operation.settled_at})
    facts = {
        "reference": operation.reference,
        "what": what,
        "state": say_state(turn, operation.reference, operation.state),
        "reason": reason,
        "begun": begun,
        "settled": settled,
        "receipt": receipt_words,
    }
    acts = check_acts(operation.reference, may_ask=operation.can_be_queried)
    return View(facts, acts=acts)
