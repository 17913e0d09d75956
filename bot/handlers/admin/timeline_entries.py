"""What happened to a reference: bank calls, evidence, ledger legs, reviews and people's acts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name
from services.domain.audit import AuditRow
from services.domain.ledger import Phase
from services.domain.phone import mask_phones
from services.domain.spending import Spending
from services.domain.topup import TopUp

CALLS_MAX = 200  # newest calls; a top-up has some ninety in its day
EVIDENCE_MAX = 50  # pieces
AUDIT_MAX = 50  # rows


class EntryKind(IntEnum):
    """The order of entries that were committed at the same moment."""

    BEGUN = 0
    AUDIT = 1  # a person's act comes before what it causes
    HELD = 2  # money is held before the bank is called
    CALL = 3
    EVIDENCE = 4
    BOOKED = 5
    REVIEW = 6
    STATE = 7


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Consecutive entries with the same non-empty ``key`` are shown as one line."""

    at: datetime
    kind: EntryKind
    text: str
    key: tuple[str, ...] = ()
    milliseconds: int = 0


def bank_entries(turn: TurnContext, operation: TopUp | Spending) -> Iterator[TimelineEntry]:
    reference = operation.reference
    store = turn.tx.evidence
    for call in store.calls(reference, CALLS_MAX):
        key = (call.call, call.answer)
        yield TimelineEntry(call.at, EntryKind.CALL, "", key, call.milliseconds)
    yield from recorded_entries(turn, reference)


def recorded_entries(turn: TurnContext, reference: str) -> Iterator[TimelineEntry]:
    """Evidence, ledger legs, reviews and audit rows."""
    store = turn.tx.evidence
    for evidence in store.last(reference, EVIDENCE_MAX):
        facts = {
            "source": evidence.source,
            "kind": evidence.kind,
            "said": mask_phones(evidence.said),
        }
        yield TimelineEntry(evidence.at, EntryKind.EVIDENCE, turn.say("trace.line.evidence", facts))
    yield from ledger_entries(turn, reference)
    for review in store.reviews(reference):
        why = {"why": review.why}
        yield TimelineEntry(review.opened_at, EntryKind.REVIEW, turn.say("trace.line.review", why))
        if review.closed_at is not None:
            yield TimelineEntry(
                review.closed_at, EntryKind.REVIEW, turn.say("trace.line.closed", why)
            )
    yield from audit_entries_about(turn, reference)


def ledger_entries(turn: TurnContext, reference: str) -> Iterator[TimelineEntry]:
    for at, leg in turn.tx.ledger.legs(reference):
        facts = {
            "phase": turn.say(f"trace.phase.{leg.phase}"),
            "amount": leg.amount,
            "debit": leg.debit.kind,
            "credit": leg.credit.kind,
        }
        kind = EntryKind.HELD if leg.phase is Phase.PENDING else EntryKind.BOOKED
        yield TimelineEntry(at, kind, turn.say("trace.line.leg", facts))


def audit_entries_about(turn: TurnContext, reference: str) -> list[TimelineEntry]:
    """What people did about it, from the audit log."""
    return audit_entries(turn, turn.tx.audit.about(reference, AUDIT_MAX))


def audit_entries(turn: TurnContext, rows: Sequence[AuditRow]) -> list[TimelineEntry]:
    entries = []
    for row in rows:
        facts = {"who": actor_name(turn, row.actor), "act": row.act}
        entries.append(TimelineEntry(row.at, EntryKind.AUDIT, turn.say("trace.line.audit", facts)))
    return entries
