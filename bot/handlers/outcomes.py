"""What the last text of an operation shows, in its receipt and to whoever asks how it ended."""

from __future__ import annotations

from typing import Any

from flows.engine.texts import Texts
from services import balances
from services.domain.float_purchase import Purchase
from services.domain.topup import TopUp
from services.ports import Tx


def outcome_facts(tx: Tx, texts: Texts, operation: TopUp | Purchase) -> dict[str, Any]:
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
    if operation.reason is not None:
        facts["reason"] = texts.say(operation.language, f"reason.{operation.reason}")
    return facts
