"""What a person has begun on this account and what is not decided yet, as its flow shows it."""

from __future__ import annotations

from bot.context import TurnContext
from flows.engine.host import Begun
from services.domain.approval import Decision
from services.domain.float_purchase import PurchaseState


def newest(turn: TurnContext) -> Begun | None:
    """A prompt, a purchase that is with the bank, or one that a colleague was asked about."""
    tx, person = turn.tx, turn.person
    reference = tx.operations.under_way(person.partner.code, person.id, *turn.sender)
    topup = None if reference is None else tx.topups.get(reference)
    if topup is not None:
        values = {"amount": topup.amount, "phone": topup.phone}
        return Begun("topup", "push", values, topup.reference)
    purchase = None if reference is None else tx.purchases.get(reference)
    if purchase is None:
        return None
    quote = purchase.quote
    values = {"amount": quote.amount, "fees": quote.fees, "total": quote.total}
    facts = {**values, "purchase": purchase.reference}
    if purchase.state is not PurchaseState.AWAITING_APPROVAL:
        return Begun("float", "buy", facts, purchase.reference)
    approval = tx.approvals.get(purchase.reference)
    assert approval is not None, "what waits was asked for"
    agreed = approval.decision is Decision.APPROVED
    above = turn.say("float.awaits.agreed") if agreed else None
    return Begun("float", "awaits", {**facts, "until": approval.ends_at}, above=above)
