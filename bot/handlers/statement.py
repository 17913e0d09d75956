"""Handlers that request a statement or chart; the document worker makes it after the commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.context import ADMIN_FACTOR, TurnContext
from flows.engine.host import OperationStarted
from services.domain.business_days import business_day
from services.domain.document import Document, DocumentFormat, Period
from services.domain.ids import draw_unique, new_reference
from services.domain.refusal import Refusal
from services.domain.topup import TopUp

HOUR = timedelta(hours=1)
WAITING_MAX = 5  # unfinished documents of one account
HOUR_MAX = 20  # documents an hour for one account
PARTNER_HOUR_MAX = 60  # documents an hour for all of a partner's people together


def request(
    turn: TurnContext, args: Mapping[str, Any], _: str | None
) -> OperationStarted | Refusal:
    return queue_document(
        turn, turn.person.partner.code, DocumentFormat(args["format"]), args["period"]
    )


def export(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> OperationStarted | Refusal:
    """Admins may export any partner's statement; this is audited."""
    code = args["code"]
    asked = queue_document(turn, code, DocumentFormat(args["format"]), args["period"])
    if isinstance(asked, OperationStarted):
        facts = {"format": args["format"], "period": str(args["period"])}
        turn.audit(code, "exported", code, facts)
    return asked


def queue_qr(turn: TurnContext, topup: TopUp) -> None:
    """Request the QR picture, which is sent separately: the top-up does not wait for it."""
    today = business_day(turn.tx.now)
    _add(turn, topup.partner, DocumentFormat.QR, Period(today, today), topup.reference)
    turn.wake("documents")


def queue_document(
    turn: TurnContext, partner: str | None, format_: DocumentFormat, period: Period
) -> OperationStarted | Refusal:
    """Refuses with ``no_files``, where none can be sent, ``documents_wait``, ``documents_hour`` or
    ``documents_partner``."""
    if not turn.app.channel(turn.event.channel).files:
        return Refusal("no_files")
    return _check_rate(turn) or _add(turn, partner, format_, period)


def _check_rate(turn: TurnContext) -> Refusal | None:
    """Limit requests: each takes a database reader and a thread, and is stored for days."""
    documents, since = turn.tx.documents, turn.tx.now - HOUR
    asked = documents.asked_for(*turn.sender, since)
    if asked.waiting >= WAITING_MAX:
        return Refusal.of("documents_wait", waiting=asked.waiting)
    most = HOUR_MAX * (ADMIN_FACTOR if turn.is_admin else 1)
    if asked.documents >= most:
        return Refusal.of("documents_hour", most=most)
    if turn.linked_person is None or turn.is_admin:
        return None
    code = turn.linked_person.partner.code
    if documents.asked_by_partner(code, since) >= PARTNER_HOUR_MAX:
        return Refusal.of("documents_partner", partner=code, most=PARTNER_HOUR_MAX)
    return None


def _add(
    turn: TurnContext,
    partner: str | None,
    format_: DocumentFormat,
    period: Period,
    topup: str | None = None,
) -> OperationStarted:
    """Queue the document for the worker, which makes it once this turn is committed."""

    def drawn() -> Document:
        return Document(
            reference=new_reference("ST", turn.app.random),
            partner=partner,
            channel=turn.event.channel,
            address=turn.event.address,
            language=turn.language,
            format=format_,
            first_day=period.first,
            last_day=period.last,
            topup=topup,
        )

    return OperationStarted(draw_unique(drawn, turn.tx.documents.add).reference)


def progress(turn: TurnContext, operation: str) -> Mapping[str, Any]:
    document = turn.tx.documents.get(operation)
    state = "FAILED" if document is None else document.state
    return {"reference": operation, "status": turn.say(f"document_status.{state}")}
