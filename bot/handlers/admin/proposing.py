"""Money decided by hand: an admin proposes a resolution, assignment, match or adjustment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.proposal_facts import ADMIN_LANGUAGE, named_topup, proposal_facts
from bot.handlers.admin.timeline_subjects import find_timeline
from bot.handlers.declaring import Handlers
from bot.handlers.state_words import say_state
from flows.engine.host import Exit, View
from services import payment_matching, proposals, spending
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.payment import RecordedPayment
from services.domain.payout import Payout
from services.domain.phone import mask_phones
from services.domain.proposal import Proposal, Resolution
from services.domain.refusal import Refusal
from services.domain.spending import Spending
from services.domain.topup import CREDITED, TopUp
from services.proposals import ReviewItem

HANDLERS = Handlers()

SUGGESTED = 6  # unknown operations offered as buttons
EVIDENCE_SHOWN = 3  # latest pieces of evidence
TOPUPS_SHOWN = 5  # top-ups that a payment may have paid


@HANDLERS.use_case("find_unknown", needs=Right.ADMIN)
def find_unknown(turn: TurnContext, reference: Reference) -> Exit | Refusal:
    found = proposals.find(turn.tx, reference)
    match found:
        case Refusal():
            return found
        case RecordedPayment():
            return Exit("suspended", sets={"amount": found.amount})
        case ReviewItem():
            return Exit("finding")
    return Exit("found", sets={"code": found.partner, "amount": found.amount})


@HANDLERS.view(
    "unknown",
    needs=Right.ADMIN,
    shows=("code", "evidence", "first", "reference", "since", "state", "what"),
)
def unknown_operation(turn: TurnContext, reference: Reference) -> View:
    """What is known of an operation whose outcome is unknown."""
    operation = turn.tx.topups.get(reference) or spending.get(turn.tx, reference)
    assert operation is not None, "it was found before this is shown"
    lines = [
        turn.say("resolve.outcome.line", evidence._asdict())
        for evidence in turn.tx.evidence.last(reference, EVIDENCE_SHOWN)
    ]
    is_payout = isinstance(operation, Payout)
    return View(
        {
            "reference": reference,
            "code": operation.partner,
            "what": _operation_words(turn, operation),
            "state": say_state(turn, reference, operation.state),
            "since": operation.settled_at or operation.created_at,
            "evidence": "\n".join(lines) or turn.say("resolve.outcome.nothing"),
            "first": turn.say(f"resolve.outcome.{'ask_payout' if is_payout else 'ask_bank'}"),
        }
    )


@HANDLERS.view(
    "suspended",
    needs=Right.ADMIN,
    shows=("account", "amount", "at", "may_be_of", "payer", "receipt", "reference", "why"),
)
def payment_in_suspense(turn: TurnContext, reference: Reference) -> View:
    """What is known of a payment in suspense."""
    recorded = turn.tx.payments.of_reference(reference)
    assert recorded is not None, "it was found before this is shown"
    assert recorded.why is not None
    payment = recorded.payment
    may_be_of = [
        turn.say(
            f"resolve.payment.{_match_kind(topup)}",
            {"topup": topup.reference, "code": topup.partner, "phone": topup.phone.masked},
        )
        for topup in islice(payment_matching.possible_topups(turn.tx, payment), TOPUPS_SHOWN)
    ]
    return View(
        {
            "reference": recorded.reference,
            "amount": payment.amount,
            "payer": payment.payer.masked,
            "account": payment.account_reference or "-",
            "receipt": payment.receipt,
            "at": payment.paid_at,
            "why": recorded.why,
            "may_be_of": "".join(f"{line}\n" for line in may_be_of),
        }
    )


def _match_kind(topup: TopUp) -> str:
    """Why the payment may belong to the top-up, as the text key names it."""
    if topup.receipt is not None:
        return "inferred"
    return "credited" if topup.state in CREDITED else "open"


@HANDLERS.view("finding", needs=Right.ADMIN, shows=("reference", "what", "why"))
def finding(turn: TurnContext, reference: Reference) -> View:
    """Why a reference has an open review, and what is known of it."""
    trace = find_timeline(turn, reference)
    whys = turn.tx.evidence.open_review_reasons(reference)
    return View(
        {
            "reference": reference,
            "why": ", ".join(turn.phrase("why", why) for why in whys),
            "what": reference if trace is None else trace.summary,
        }
    )


def _operation_words(turn: TurnContext, operation: TopUp | Spending) -> str:
    if isinstance(operation, TopUp):
        facts: dict[str, Any] = {"amount": operation.amount, "phone": operation.phone.masked}
        return turn.say("history.detail.topup", facts)
    quote = operation.quote
    facts = {"amount": quote.amount, "fees": quote.fees, "total": quote.total}
    if isinstance(operation, Payout):
        facts["phone"] = operation.recipient.masked
        return turn.say("history.detail.payout", facts)
    return turn.say("history.detail.float", facts)


@HANDLERS.use_case("propose_resolution", needs=Right.ADMIN)
def propose_resolution(
    turn: TurnContext, reference: Reference, outcome: str, reason: str
) -> Exit | Refusal:
    proposal = proposals.propose_resolution(
        turn.tx, turn.app.random, turn.actor, reference, Resolution(outcome), reason
    )
    return _proposed(turn, proposal)


@HANDLERS.use_case("propose_assignment", needs=Right.ADMIN)
def propose_assignment(
    turn: TurnContext, reference: Reference, code: str, reason: str
) -> Exit | Refusal:
    proposal = proposals.propose_assignment(
        turn.tx, turn.app.random, turn.actor, reference, code, reason
    )
    return _proposed(turn, proposal)


@HANDLERS.use_case("find_match", needs=Right.ADMIN)
def find_match(turn: TurnContext, reference: Reference, topup: Reference) -> Exit | Refusal:
    found = proposals.find_match(turn.tx, reference, topup)
    if isinstance(found, TopUp):
        return Exit("found", sets={"code": found.partner})
    if found.facts.get("reference") == topup:  # another top-up may match
        return Exit("again", above=turn.say(f"refusal.{found.code}", found.facts))
    return found


@HANDLERS.use_case("propose_match", needs=Right.ADMIN)
def propose_match(
    turn: TurnContext, reference: Reference, topup: Reference, reason: str
) -> Exit | Refusal:
    proposal = proposals.propose_match(
        turn.tx, turn.app.random, turn.actor, reference, topup, reason
    )
    return _proposed(turn, proposal)


@HANDLERS.use_case("propose_dismissal", needs=Right.ADMIN)
def propose_dismissal(turn: TurnContext, reference: Reference, reason: str) -> Exit | Refusal:
    proposal = proposals.propose_dismissal(turn.tx, turn.app.random, turn.actor, reference, reason)
    return _proposed(turn, proposal)


@HANDLERS.use_case("propose_adjustment", needs=Right.ADMIN)
def propose_adjustment(
    turn: TurnContext, code: str, direction: str, amount: Money, reason: str
) -> Exit | Refusal:
    outcome = Resolution(direction)
    proposal = proposals.propose_adjustment(
        turn.tx,
        turn.app.random,
        turn.actor,
        code,
        outcome,
        amount,
        reason,
    )
    return _proposed(turn, proposal)


def _proposed(turn: TurnContext, proposal: Proposal | Refusal) -> Exit | Refusal:
    if isinstance(proposal, Refusal):
        return proposal
    facts = {
        "proposal": proposal.id,
        "outcome": proposal.resolution,
        "amount": proposal.amount,
        "reason": mask_phones(proposal.reason),
        **named_topup(proposal),
    }
    turn.audit(proposal.partner, f"{proposal.kind}_proposed", proposal.about, facts)
    turn.notify_admins("notice.proposed", proposal_facts(turn, proposal, ADMIN_LANGUAGE))
    return Exit("proposed", sets={"proposal": proposal.id})


@HANDLERS.suggestion("unknowns", needs=Right.ADMIN)
def unknowns(turn: TurnContext) -> Sequence[str]:
    return turn.tx.proposals.unresolved(SUGGESTED)
