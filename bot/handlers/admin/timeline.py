"""All that is known of one reference, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby
from typing import Any, NamedTuple

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name, person_name, proposal_words, readable, stamp
from bot.handlers.signatures import Action, ViewBuilder
from flows.engine.host import View
from services import float_settlement, topup_settlement
from services.domain.adjustment import Adjustment
from services.domain.audit import AuditRow
from services.domain.float_purchase import Purchase
from services.domain.ledger import Phase
from services.domain.payment import RecordedPayment, StoredNotification
from services.domain.phone import mask_phones
from services.domain.reconciliation import Finding
from services.domain.topup import TopUp

CALLS_MAX = 200  # a top-up has some ninety in its day; the newest of what was asked for longer
EVIDENCE_MAX = 50  # pieces
AUDIT_MAX = 50  # rows
BODY_SHOWN = 600  # characters of a notification
LINES_MAX = 3_300  # characters of lines: with what stands above them less than 4,000


class EntryKind(IntEnum):
    """What comes first of what was committed in one moment."""

    BEGUN = 0
    AUDIT = 1  # people act before what they set off
    HELD = 2  # money, before the bank is called
    CALL = 3
    EVIDENCE = 4
    BOOKED = 5
    REVIEW = 6
    STATE = 7


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """``key`` names what is said once where it comes several times in a row."""

    at: datetime
    kind: EntryKind
    text: str
    key: tuple[str, ...] = ()
    milliseconds: int = 0


class Timeline(NamedTuple):
    """``what`` it is, and what happened to it; in no order yet."""

    summary: str
    entries: Sequence[TimelineEntry]
    can_be_queried: bool = False


def timeline(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    reference = args["reference"]
    trace = find(turn, reference)
    assert trace is not None, "only what was found can be opened"
    entries = sorted(trace.entries, key=lambda one: (one.at, one.kind))
    lines = shortened(turn, list(_lines(turn, entries)))
    facts = {"reference": reference, "what": trace.summary, "lines": "\n".join(lines)}
    return View(facts, acts=frozenset({"check"}) if trace.can_be_queried else frozenset())


def find(turn: TurnContext, reference: str) -> Timeline | None:
    """``None`` where there is nothing of that reference."""
    tx = turn.tx
    match reference[:2]:
        case "TU":
            topup = tx.topups.get(reference)
            return None if topup is None else _operation(turn, topup)
        case "FL":
            purchase = tx.purchases.get(reference)
            return None if purchase is None else _operation(turn, purchase)
        case "AD":
            adjustment = tx.adjustments.get(reference)
            return None if adjustment is None else _adjustment(turn, adjustment)
        case "PB":
            arrived = tx.payments.of_reference(reference)
            return None if arrived is None else _payment(turn, arrived)
        case "RC":
            left = tx.reconciliations.finding(reference)
            return None if left is None else _finding(turn, left)
        case "RV":
            reversal = tx.payments.reversed_by(reference)
            return None if reversal is None else _reversal(turn, reference, reversal)
        case "NT":
            kept = tx.payments.kept(reference)
            return None if kept is None else _notification(turn, kept)
        case "PR":
            return _proposal(turn, reference)
        case "IN":
            return _invite(turn, reference)
        case "ST":
            return _document(turn, reference)
    return None


# What it is --------------------------------------------------------------------------------------


def _operation(turn: TurnContext, operation: TopUp | Purchase) -> Timeline:
    facts: dict[str, Any] = {
        "code": operation.partner,
        "amount": operation.amount,
        "phone": operation.phone.masked,
        "state": turn.say(f"state.{operation.state}"),
    }
    if isinstance(operation, TopUp):
        what = turn.say("trace.what.topup", facts)
        receipt = operation.receipt
    else:
        quote = operation.quote
        what = turn.say("trace.what.float", facts | {"fees": quote.fees, "total": quote.total})
        receipt = None
    if operation.reason is not None:
        what += turn.say("trace.what.reason", {"reason": turn.say(f"reason.{operation.reason}")})
    if operation.bank_id is not None:
        what += turn.say("trace.what.bank", {"bank": operation.bank_id})
    if receipt is not None:
        what += turn.say("trace.what.receipt", {"receipt": receipt})
    begun = turn.say(
        "trace.line.begun",
        {"who": person_name(turn, operation.person_id), "channel": operation.channel},
    )
    entries = [
        TimelineEntry(operation.created_at, EntryKind.BEGUN, begun),
        *_outside(turn, operation),
    ]
    if operation.settled_at is not None:
        now = turn.say("trace.line.state", facts)
        entries.append(TimelineEntry(operation.settled_at, EntryKind.STATE, now))
    return Timeline(what, entries, operation.can_be_queried)


def _adjustment(turn: TurnContext, adjustment: Adjustment) -> Timeline:
    facts = {
        "code": adjustment.partner,
        "amount": adjustment.amount,
        "reason": mask_phones(adjustment.reason),
    }
    what = turn.say(f"trace.what.{adjustment.resolution}", facts)
    reference = adjustment.reference
    return Timeline(what, [*_legs(turn, reference), *_acts(turn, reference)])


def _payment(turn: TurnContext, arrived: RecordedPayment) -> Timeline:
    payment = arrived.payment
    facts = {
        "amount": payment.amount,
        "payer": payment.payer.masked,
        "account": mask_phones(payment.account_reference),
        "receipt": payment.receipt,
        "state": turn.say(f"state.{arrived.state}"),
    }
    what = turn.say("trace.what.payment", facts)
    if arrived.operation is not None:
        paid = {"operation": arrived.operation, "code": arrived.partner}
        what += turn.say("trace.what.paid", paid)
    return Timeline(what, list(_known(turn, arrived.reference)))


def _finding(turn: TurnContext, found: Finding) -> Timeline:
    facts = {
        "day": found.day,
        "amount": found.amount,
        "why": readable(found.kind),
        "about": found.about or "-",
        "said": mask_phones(found.said),
    }
    return Timeline(turn.say("trace.what.finding", facts), list(_known(turn, found.id)))


def _reversal(turn: TurnContext, reference: str, arrived: RecordedPayment) -> Timeline:
    facts = {
        "code": arrived.partner,
        "amount": arrived.amount,
        "receipt": arrived.payment.receipt,
        "operation": arrived.operation,
    }
    return Timeline(turn.say("trace.what.reversal", facts), list(_known(turn, reference)))


def _notification(turn: TurnContext, kept: StoredNotification) -> Timeline:
    facts = {
        "why": readable(kept.verdict),
        "times": kept.times,
        "receipt": kept.receipt or "-",
        "body": mask_phones(kept.body)[:BODY_SHOWN],
    }
    return Timeline(turn.say("trace.what.notification", facts), list(_known(turn, kept.reference)))


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
    return Timeline(turn.say("trace.what.proposal", facts), _said(turn, named))


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
    return Timeline(turn.say("trace.what.invite", facts), _acts(turn, reference))


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
    return Timeline(turn.say("trace.what.document", facts), _acts(turn, reference))


# What happened -----------------------------------------------------------------------------------


def _outside(turn: TurnContext, operation: TopUp | Purchase) -> Iterator[TimelineEntry]:
    reference = operation.reference
    store = turn.tx.evidence
    for call in store.calls(reference, CALLS_MAX):
        key = (call.call, call.answer)
        yield TimelineEntry(call.at, EntryKind.CALL, "", key, call.milliseconds)
    yield from _known(turn, reference)


def _known(turn: TurnContext, reference: str) -> Iterator[TimelineEntry]:
    """Evidence, bookings, what admins looked at and what they did."""
    store = turn.tx.evidence
    for said in store.last(reference, EVIDENCE_MAX):
        facts = {
            "source": said.source,
            "kind": readable(said.kind),
            "said": mask_phones(said.said),
        }
        yield TimelineEntry(said.at, EntryKind.EVIDENCE, turn.say("trace.line.evidence", facts))
    yield from _legs(turn, reference)
    for review in store.reviews(reference):
        why = {"why": readable(review.why)}
        yield TimelineEntry(review.opened_at, EntryKind.REVIEW, turn.say("trace.line.review", why))
        if review.closed_at is not None:
            yield TimelineEntry(
                review.closed_at, EntryKind.REVIEW, turn.say("trace.line.closed", why)
            )
    yield from _acts(turn, reference)


def _legs(turn: TurnContext, reference: str) -> Iterator[TimelineEntry]:
    for at, leg in turn.tx.ledger.legs(reference):
        facts = {
            "phase": turn.say(f"trace.phase.{leg.phase}"),
            "amount": leg.amount,
            "debit": readable(leg.debit.kind),
            "credit": readable(leg.credit.kind),
        }
        kind = EntryKind.HELD if leg.phase is Phase.PENDING else EntryKind.BOOKED
        yield TimelineEntry(at, kind, turn.say("trace.line.leg", facts))


def _acts(turn: TurnContext, reference: str) -> list[TimelineEntry]:
    """What was done about it, as the audit log has it."""
    return _said(turn, turn.tx.audit.about(reference, AUDIT_MAX))


def _said(turn: TurnContext, rows: Sequence[AuditRow]) -> list[TimelineEntry]:
    entries = []
    for row in rows:
        facts = {"who": actor_name(turn, row.actor), "act": readable(row.act)}
        entries.append(TimelineEntry(row.at, EntryKind.AUDIT, turn.say("trace.line.audit", facts)))
    return entries


# As it is read -----------------------------------------------------------------------------------


def _lines(turn: TurnContext, entries: Sequence[TimelineEntry]) -> Iterator[str]:
    """One line each; calls that went the same way one after the other share one."""
    for key, run in groupby(entries, key=lambda one: one.key):
        if not key:
            yield from (f"{stamp(one.at)}  {one.text}" for one in run)
            continue
        calls = list(run)
        facts = {
            "call": key[0],
            "outcome": readable(key[1]),
            "ms": max(one.milliseconds for one in calls),
            "count": len(calls),
            "until": stamp(calls[-1].at),
        }
        said = turn.say("trace.line.call" if len(calls) == 1 else "trace.line.calls", facts)
        yield f"{stamp(calls[0].at)}  {said}"


def shortened(turn: TurnContext, lines: Sequence[str]) -> list[str]:
    """How it began and how it ended, where all of it is too long for one message."""
    if sum(len(line) + 1 for line in lines) <= LINES_MAX:
        return list(lines)
    first, last = _fitting(lines), _fitting(lines[::-1])[::-1]
    count = len(lines) - len(first) - len(last)
    return [*first, turn.say("trace.line.left_out", {"count": count}), *last]


def _fitting(lines: Sequence[str]) -> list[str]:
    """As many as fill half of the room."""
    room, fitting = LINES_MAX // 2, []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        fitting.append(line)
    return fitting


def ask_bank(turn: TurnContext, reference: str) -> None:
    """The bank is asked again at once, where it can say something new; that leaves a trace."""
    if reference.startswith("FL"):
        asked: TopUp | Purchase | None = float_settlement.query_now(turn.tx, reference)
    else:
        asked = topup_settlement.query_now(turn.tx, reference)
    if asked is not None:
        turn.audit(asked.partner, "bank_asked", reference)


VIEWS: dict[str, ViewBuilder] = {"timeline": timeline}
ACTIONS: dict[str, Action] = {"ask_bank": ask_bank}
