"""Handlers that request a statement or chart; the document worker makes it after the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.context import ADMIN_FACTOR, TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import OperationStarted
from services.domain.business_days import business_day
from services.domain.document import Document, DocumentFormat, Period
from services.domain.ids import Reference, draw_unique, new_reference
from services.domain.ledger import AccountKind
from services.domain.partner import Right
from services.domain.refusal import Refusal
from services.domain.topup import TopUp
from services.statements import month_before, month_so_far

HANDLERS = Handlers()

HOUR = timedelta(hours=1)
WAITING_MAX = 5  # unfinished documents of one account
HOUR_MAX = 20  # documents an hour for one account
PARTNER_HOUR_MAX = 60  # documents an hour for all of a partner's people together


@HANDLERS.suggestion("periods", needs=None)
def periods(turn: TurnContext) -> Sequence[Period]:
    today = business_day(turn.tx.now)
    return [month_so_far(today), month_before(today)]


@HANDLERS.use_case(
    "request_document",
    needs=Right.VIEW,
    waits=True,
    shows=("reference", "status"),
    tells=("partner", "reference"),
)
def request(
    turn: TurnContext, period: Period, format: str, account: AccountKind | None
) -> OperationStarted | Refusal:
    partner = turn.person.partner.code
    return queue_document(turn, partner, DocumentFormat(format), period, account)


@HANDLERS.use_case(
    "export_document",
    needs=Right.ADMIN,
    waits=True,
    shows=("reference", "status"),
    tells=("partner", "reference"),
)
def export(
    turn: TurnContext, code: str, period: Period, format: str, account: AccountKind | None
) -> OperationStarted | Refusal:
    """Admins may export any partner's statement; this is audited."""
    asked = queue_document(turn, code, DocumentFormat(format), period, account)
    if isinstance(asked, OperationStarted):
        facts = {"format": format, "period": str(period)}
        if account is not None:
            facts["account"] = account
        turn.audit(code, "exported", code, facts)
    return asked


def queue_qr(turn: TurnContext, topup: TopUp) -> None:
    """Request the QR picture, which is sent separately: the top-up does not wait for it."""
    today = business_day(turn.tx.now)
    period = Period(today, today)
    reserve_document(turn, topup.partner, DocumentFormat.QR, period, topup=topup.reference)
    turn.wake("documents")


def queue_document(
    turn: TurnContext,
    partner: str | None,
    format_: DocumentFormat,
    period: Period,
    account: AccountKind | None = None,
) -> OperationStarted | Refusal:
    """Of the wallet, if no ``account`` is named. Refuses with ``no_files``, where none can be sent,
    ``documents_wait``, ``documents_hour`` or ``documents_partner``."""
    if not turn.app.channel(turn.event.channel).files:
        return Refusal("no_files")
    refusal = check_rate(turn)
    return refusal or OperationStarted(reserve_document(turn, partner, format_, period, account))


def check_rate(turn: TurnContext) -> Refusal | None:
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


def reserve_document(
    turn: TurnContext,
    partner: str | None,
    format_: DocumentFormat,
    period: Period,
    account: AccountKind | None = None,
    topup: str | None = None,
) -> str:
    """Queue the document for the worker, which makes it once this turn is committed, unless the
    turn itself does. Returns its reference."""

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
            account=account or AccountKind.WALLET,
        )

    return draw_unique(drawn, turn.tx.documents.add).reference


@HANDLERS.progress("ST", needs=None)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    """Of a document that this account asked for, as an admin or as a partner's person."""
    document = turn.tx.documents.get(operation)
    is_own = document is not None and (document.channel, document.address) == turn.sender
    state = document.state if document is not None and is_own else "FAILED"
    return {"reference": operation, "status": turn.say(f"document_status.{state}")}
