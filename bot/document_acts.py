"""Asking for a statement or a chart: it is made by the clerk, after the commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.desk import Turn
from flows.host import Exit, Waiting
from services.domain.days import business_day
from services.domain.document import Document, DocumentFormat, Period
from services.domain.ids import new_reference
from services.domain.refusal import Refusal
from services.domain.topup import TopUp

REFERENCE_DRAWS = 16


def request(turn: Turn, args: Mapping[str, Any], _: str | None) -> Exit | Waiting | Refusal:
    return _request(turn, turn.person.partner.code, args)


def export(turn: Turn, args: Mapping[str, Any], _: str | None) -> Exit | Waiting | Refusal:
    """An admin asks for any partner's; that leaves a trace."""
    code = args["code"]
    facts = {"format": args["format"], "period": str(args["period"])}
    turn.audit(code, "exported", code, facts)
    return _request(turn, code, args)


def _request(turn: Turn, partner: str, args: Mapping[str, Any]) -> Waiting:
    return ask(turn, partner, DocumentFormat(args["format"]), args["period"])


def ask_qr(turn: Turn, topup: TopUp) -> None:
    """The picture comes by itself; the top-up does not wait for it."""
    today = business_day(turn.tx.now)
    ask(turn, topup.partner, DocumentFormat.QR, Period(today, today), topup.reference)
    turn.wake("documents")


def ask(
    turn: Turn,
    partner: str | None,
    format_: DocumentFormat,
    period: Period,
    topup: str | None = None,
) -> Waiting:
    """The clerk makes it once this turn is committed."""
    for _draw in range(REFERENCE_DRAWS):
        document = Document(
            reference=new_reference("ST", turn.desk.random),
            partner=partner,
            channel=turn.event.channel,
            address=turn.event.address,
            language=turn.language,
            format=format_,
            first_day=period.first,
            last_day=period.last,
            topup=topup,
        )
        if turn.tx.documents.add(document):
            return Waiting(document.reference)
    raise RuntimeError("no free reference found")


def progress(turn: Turn, operation: str) -> Mapping[str, Any]:
    document = turn.tx.documents.get(operation)
    state = "FAILED" if document is None else document.state
    return {"reference": operation, "status": turn.say(f"document_status.{state}")}
