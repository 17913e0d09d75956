"""What a reference names, by its prefix, with a summary and its timeline entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from bot.context import TurnContext
from bot.handlers.admin.timeline_entries import (
    AUDIT_MAX,
    EntryKind,
    TimelineEntry,
    audit_entries,
    audit_entries_about,
    bank_entries,
    ledger_entries,
    recorded_entries,
)
from bot.handlers.admin.wording import actor_name, person_name, proposal_words
from bot.handlers.batch_words import progress_line
from bot.handlers.state_words import say_reason, say_state
from services.domain.adjustment import Adjustment
from services.domain.audit import by_key
from services.domain.float_purchase import Purchase
from services.domain.payment import RecordedPayment, StoredNotification
from services.domain.payout import Payout
from services.domain.payout_batch import Batch
from services.domain.phone import Phone, mask_phones
from services.domain.reconciliation import Finding
from services.domain.spending import Spending
from services.domain.topup import TopUp

BODY_SHOWN = 600  # characters of a notification


class Timeline(NamedTuple):
    """A summary of the subject, and its entries, not sorted yet."""

    summary: str
    entries: Sequence[TimelineEntry]
    can_be_queried: bool = False


def find_timeline(turn: TurnContext, reference: str) -> Timeline | None:
    """``None`` if nothing has this reference."""
    tx = turn.tx
    match reference[:2]:
        case "TU":
            topup = tx.topups.get(reference)
            return None if topup is None else _operation(turn, topup)
        case "FL":
            purchase = tx.purchases.get(reference)
            return None if purchase is None else _operation(turn, purchase)
        case "PO":
            payout = tx.payouts.get(reference)
            return None if payout is None else _operation(turn, payout)
        case "BA":
            batch = tx.payout_batches.get(reference)
            return None if batch is None else _operation(turn, batch)
        case "AD":
            adjustment = tx.adjustments.get(reference)
            return None if adjustment is None else _adjustment(turn, adjustment)
        case "PB":
            payment = tx.payments.of_reference(reference)
            return None if payment is None else _payment(turn, payment)
        case "RC":
            finding = tx.reconciliations.finding(reference)
            return _short_code_line(turn, reference) if finding is None else _finding(turn, finding)
        case "RV":
            reversal = tx.payments.reversed_by(reference)
            return None if reversal is None else _reversal(turn, reference, reversal)
        case "NT":
            notification = tx.payments.kept(reference)
            return None if notification is None else _notification(turn, notification)
        case "PR":
            return _proposal(turn, reference)
        case "IN":
            return _invite(turn, reference)
        case "ST":
            return _document(turn, reference)
    return None


def _operation(turn: TurnContext, operation: TopUp | Spending) -> Timeline:
    facts: dict[str, Any] = {
        "code": operation.partner,
        "amount": operation.amount,
        "phone": _phone(operation).masked,
        "state": say_state(turn, operation.reference, operation.state),
    }
    receipt, bank_id = None, None
    match operation:
        case TopUp():
            what = turn.say("trace.what.topup", facts)
            receipt, bank_id = operation.receipt, operation.bank_id
        case Payout():
            facts |= {"fees": operation.quote.fees}
            what = turn.say("trace.what.payout", facts)
            receipt, bank_id = operation.receipt, operation.conversation_id
        case Batch():
            facts |= {"fees": operation.quote.fees, "count": operation.rows}
            facts |= {"digest": operation.digest, "name": operation.name or "-"}
            what = turn.say("trace.what.batch", facts)
        case Purchase():
            quote, bank_id = operation.quote, operation.bank_id
            what = turn.say("trace.what.float", facts | {"fees": quote.fees, "total": quote.total})
    if operation.reason is not None:
        why = say_reason(turn.app.texts, turn.language, operation.reference, operation.reason)
        what += turn.say("trace.what.reason", {"reason": why})
    if isinstance(operation, Batch):
        what += progress_line(turn.app.texts, turn.language, turn.tx, operation)
    if bank_id is not None:
        whose = "mpesa" if isinstance(operation, Payout) else "bank"
        what += turn.say(f"trace.what.{whose}", {"bank": bank_id})
    if receipt is not None:
        what += turn.say("trace.what.receipt", {"receipt": receipt})
    begun = turn.say(
        "trace.line.begun",
        {"who": _beginner(turn, operation), "channel": operation.channel},
    )
    entries = [
        TimelineEntry(operation.created_at, EntryKind.BEGUN, begun),
        *bank_entries(turn, operation),
    ]
    if operation.settled_at is not None:
        now = turn.say("trace.line.state", facts)
        entries.append(TimelineEntry(operation.settled_at, EntryKind.STATE, now))
    return Timeline(what, entries, operation.can_be_queried)


def _phone(operation: TopUp | Spending) -> Phone:
    """Whom it concerns: a payout its recipient."""
    return operation.recipient if isinstance(operation, Payout) else operation.phone


def _beginner(turn: TurnContext, operation: TopUp | Spending) -> str:
    """Who began it; a partner's system is known by its key."""
    if turn.app.channel(operation.channel).events:
        return actor_name(turn, by_key(operation.address))
    return person_name(turn, operation.person_id)


def _adjustment(turn: TurnContext, adjustment: Adjustment) -> Timeline:
    facts = {
        "code": adjustment.partner,
        "amount": adjustment.amount,
        "reason": mask_phones(adjustment.reason),
    }
    what = turn.say(f"trace.what.{adjustment.resolution}", facts)
    reference = adjustment.reference
    return Timeline(what, [*ledger_entries(turn, reference), *audit_entries_about(turn, reference)])


def _payment(turn: TurnContext, recorded: RecordedPayment) -> Timeline:
    payment = recorded.payment
    facts = {
        "amount": payment.amount,
        "payer": payment.payer.masked,
        "account": mask_phones(payment.account_reference),
        "receipt": payment.receipt,
        "state": turn.say(f"state.{recorded.state}"),
    }
    what = turn.say("trace.what.payment", facts)
    if recorded.operation is not None:
        paid = {"operation": recorded.operation, "code": recorded.partner}
        what += turn.say("trace.what.paid", paid)
    return Timeline(what, list(recorded_entries(turn, recorded.reference)))


def _finding(turn: TurnContext, found: Finding) -> Timeline:
    facts = {
        "day": found.day,
        "amount": found.amount,
        "why": found.kind,
        "about": found.about or "-",
        "said": mask_phones(found.said),
    }
    return Timeline(turn.say("trace.what.finding", facts), list(recorded_entries(turn, found.id)))


def _short_code_line(turn: TurnContext, reference: str) -> Timeline | None:
    """A payment on the short code's statement that is no payout of ours."""
    line = turn.tx.short_code_lines.of_finding(reference)
    if line is None:
        return None
    facts = {
        "day": line.day,
        "amount": line.amount,
        "receipt": line.receipt,
        "party": mask_phones(line.party) or "-",
    }
    what = turn.say("trace.what.short_code_line", facts)
    return Timeline(what, list(recorded_entries(turn, reference)))


def _reversal(turn: TurnContext, reference: str, recorded: RecordedPayment) -> Timeline:
    facts = {
        "code": recorded.partner,
        "amount": recorded.amount,
        "receipt": recorded.payment.receipt,
        "operation": recorded.operation,
    }
    return Timeline(turn.say("trace.what.reversal", facts), list(recorded_entries(turn, reference)))


def _notification(turn: TurnContext, notification: StoredNotification) -> Timeline:
    facts = {
        "why": notification.verdict,
        "times": notification.times,
        "receipt": notification.receipt or "-",
        "body": mask_phones(notification.body)[:BODY_SHOWN],
    }
    return Timeline(
        turn.say("trace.what.notification", facts),
        list(recorded_entries(turn, notification.reference)),
    )


def _proposal(turn: TurnContext, reference: str) -> Timeline | None:
    proposal = turn.tx.proposals.get(reference)
    if proposal is None:
        return None
    facts = {
        "code": proposal.partner,
        "what": proposal_words(turn.app.texts, turn.language, proposal),
        "about": proposal.about,
        "amount": proposal.amount,
        "reason": mask_phones(proposal.reason),
        "status": turn.say(f"deciding.status.{proposal.status}"),
    }
    rows = turn.tx.audit.about(proposal.about, AUDIT_MAX)
    named = [row for row in rows if f'"proposal":"{proposal.id}"' in row.facts]
    return Timeline(turn.say("trace.what.proposal", facts), audit_entries(turn, named))


def _invite(turn: TurnContext, reference: str) -> Timeline | None:
    invite = turn.tx.invites.get(reference)
    if invite is None:
        return None
    facts = {
        "code": invite.partner,
        "who": invite.name,
        "role": invite.role,
        "status": turn.say(f"trace.invite.{invite.status}"),
        "until": invite.expires_at,
    }
    return Timeline(turn.say("trace.what.invite", facts), audit_entries_about(turn, reference))


def _document(turn: TurnContext, reference: str) -> Timeline | None:
    document = turn.tx.documents.get(reference)
    if document is None:
        return None
    facts = {
        "code": document.partner or turn.say("trace.what.all"),
        "format": document.format,
        "first": document.first_day,
        "last": document.last_day,
        "state": turn.say(f"trace.document.{document.state}"),
    }
    return Timeline(turn.say("trace.what.document", facts), audit_entries_about(turn, reference))
