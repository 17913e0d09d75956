"""A small file that a turn makes itself and sends beside its answer."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.statement import check_rate, reserve_document
from services.domain.business_days import business_day
from services.domain.document import DocumentFormat, Period
from services.domain.refusal import Refusal


def send_file(turn: TurnContext, name: str, content: bytes, caption: str) -> Refusal | None:
    """Refusals: those of ``check_rate``."""
    refusal = check_rate(turn)
    if refusal is not None:
        return refusal
    today = business_day(turn.tx.now)
    partner = turn.person.partner.code
    reference = reserve_document(turn, partner, DocumentFormat.CSV, Period(today, today))
    turn.tx.documents.made(reference, name, content)
    row = turn.tx.outbox.add(*turn.sender, kind="notice", text=caption, document=reference)
    turn.rows.append(row)
    return None
