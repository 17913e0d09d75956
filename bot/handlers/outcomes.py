"""What the last text of an operation shows, in its receipt and to whoever asks how it ended."""

from __future__ import annotations

from typing import Any

from bot.handlers.batch_words import counts_facts
from bot.handlers.state_words import say_reason
from flows.engine.texts import Texts
from services import balances
from services.domain.float_purchase import Purchase
from services.domain.payout import Payout
from services.domain.payout_batch import Batch
from services.domain.spending import Spending
from services.domain.topup import TopUp
from services.ports import Tx

FLOWS = {Purchase: "float", Payout: "pay", Batch: "batch"}  # in which each is begun


def outcome_facts(tx: Tx, texts: Texts, operation: TopUp | Spending) -> dict[str, Any]:
    partner = tx.people.partner(operation.partner)
    assert partner is not None
    seen = balances.of(tx, partner)
    facts: dict[str, Any] = {
        "reference": operation.reference,
        "amount": operation.amount,
        "at": tx.now,
        "balance": seen.wallet.posted,
        "float": seen.float.posted,
    }
    if isinstance(operation, TopUp):
        facts["phone"] = operation.phone
    else:
        facts |= {"fees": operation.quote.fees, "total": operation.quote.total}
    if isinstance(operation, Payout):
        facts |= _paid_whom(texts, operation)
    if isinstance(operation, Batch):
        counts = tx.payout_batches.counts(operation.reference)
        facts |= {"count": operation.rows, **counts_facts(counts), "float": seen.float.available}
    if operation.reason is not None:
        facts["reason"] = say_reason(
            texts, operation.language, operation.reference, operation.reason
        )
    return facts


def _paid_whom(texts: Texts, payout: Payout) -> dict[str, Any]:
    """The recipient, with the name and the code that M-PESA gave, or nothing in their places."""
    name, receipt, language = payout.recipient_name, payout.receipt, payout.language
    return {
        "payee": payout.recipient,
        "name": "" if name is None else texts.say(language, "pay.receipt.name", {"name": name}),
        "mpesa": ""
        if receipt is None
        else texts.say(language, "pay.receipt.code", {"receipt": receipt}),
    }
