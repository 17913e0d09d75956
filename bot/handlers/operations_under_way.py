"""What a person has begun on this account and what is not decided yet, as its flow shows it."""

from __future__ import annotations

from typing import Any

from bot.context import TurnContext
from flows.engine.host import Begun
from services import spending
from services.domain.approval import Decision
from services.domain.payout import Payout
from services.domain.payout_batch import Batch
from services.domain.spending import SpendingState, is_in


def newest(turn: TurnContext) -> Begun | None:
    """A prompt, a purchase or payout that is with the bank, or one that a colleague was asked
    about."""
    tx, person = turn.tx, turn.person
    reference = tx.operations.under_way(person.partner.code, person.id, *turn.sender)
    topup = None if reference is None else tx.topups.get(reference)
    if topup is not None:
        values = {"amount": topup.amount, "phone": topup.phone}
        return Begun("topup", "push", values, topup.reference)
    spent = None if reference is None else spending.get(tx, reference)
    if spent is None or isinstance(spent, Batch):  # a file is sent in a chat only
        return None
    quote = spent.quote
    facts: dict[str, Any] = {"amount": quote.amount, "fees": quote.fees, "total": quote.total}
    if isinstance(spent, Payout):
        flow, waits = "pay", "send"
        facts |= {"payout": spent.reference, "payee": spent.recipient}
    else:
        flow, waits = "float", "buy"
        facts |= {"purchase": spent.reference}
    if not is_in(spent, SpendingState.AWAITING_APPROVAL):
        return Begun(flow, waits, facts, spent.reference)
    approval = tx.approvals.get(spent.reference)
    assert approval is not None, "what waits was asked for"
    agreed = approval.decision is Decision.APPROVED
    above = turn.say(f"{flow}.awaits.agreed") if agreed else None
    return Begun(flow, "awaits", {**facts, "until": approval.ends_at}, above=above)
