"""Money decided by hand: what admins propose, and what another admin makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin import timeline
from bot.handlers.admin.partners import get
from bot.handlers.admin.wording import proposal_words, readable
from bot.handlers.signatures import Suggester, UseCase, ViewBuilder
from flows.engine.host import Exit, View
from services import balances, payment_matching, proposal_decisions, proposals
from services.domain.adjustment import Adjustment
from services.domain.float_purchase import Purchase
from services.domain.payment import RecordedPayment
from services.domain.phone import mask_phones
from services.domain.proposal import Proposal, Resolution
from services.domain.refusal import Refusal
from services.domain.topup import CREDITED, TopUp
from services.proposals import ReviewItem

PAGE = 8  # proposals of one page
SUGGESTED = 6  # unknown operations offered as buttons
EVIDENCE_SHOWN = 3  # pieces
TOPUPS_SHOWN = 5  # that a payment may have paid
ADMIN_LANGUAGE = "en"  # what every admin is told in


# Propose ---------------------------------------------------------------------------------------


def find_unknown(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    found = proposals.find(turn.tx, args["reference"])
    match found:
        case Refusal():
            return found
        case RecordedPayment():
            return Exit("suspended", sets={"amount": found.amount})
        case ReviewItem():
            return Exit("finding")
    return Exit("found", sets={"code": found.partner, "amount": found.amount})


def unknown_operation(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    """What is known of an operation that nobody knows the outcome of."""
    reference = args["reference"]
    operation = turn.tx.topups.get(reference) or turn.tx.purchases.get(reference)
    assert operation is not None, "it was found before this is shown"
    lines = [
        turn.say("resolve.outcome.line", said._asdict())
        for said in turn.tx.evidence.last(reference, EVIDENCE_SHOWN)
    ]
    return View(
        {
            "reference": reference,
            "code": operation.partner,
            "what": _operation(turn, operation),
            "state": turn.say(f"state.{operation.state}"),
            "since": operation.settled_at or operation.created_at,
            "evidence": "\n".join(lines) or turn.say("resolve.outcome.nothing"),
        }
    )


def payment_in_suspense(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    """What is known of a payment that is nobody's."""
    arrived = turn.tx.payments.of_reference(args["reference"])
    assert arrived is not None, "it was found before this is shown"
    assert arrived.why is not None
    payment = arrived.payment
    may_be_of = [
        turn.say(
            f"resolve.payment.{_lacks(topup)}",
            {"topup": topup.reference, "code": topup.partner, "phone": topup.phone.masked},
        )
        for topup in islice(payment_matching.possible_topups(turn.tx, payment), TOPUPS_SHOWN)
    ]
    return View(
        {
            "reference": arrived.reference,
            "amount": payment.amount,
            "payer": payment.payer.masked,
            "account": payment.account_reference or "-",
            "receipt": payment.receipt,
            "at": payment.paid_at,
            "why": readable(arrived.why),
            "may_be_of": "".join(f"{line}\n" for line in may_be_of),
        }
    )


def _lacks(topup: TopUp) -> str:
    """Why a payment may be a top-up's, as the text's key has it."""
    if topup.receipt is not None:
        return "inferred"
    return "credited" if topup.state in CREDITED else "open"


def finding(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    """Why somebody should look at it, and what is known of it."""
    reference = args["reference"]
    trace = timeline.find(turn, reference)
    whys = turn.tx.evidence.open_review_reasons(reference)
    return View(
        {
            "reference": reference,
            "why": ", ".join(readable(why) for why in whys),
            "what": reference if trace is None else trace.summary,
        }
    )


def _operation(turn: TurnContext, operation: TopUp | Purchase) -> str:
    if isinstance(operation, TopUp):
        facts: dict[str, Any] = {"amount": operation.amount, "phone": operation.phone.masked}
        return turn.say("history.detail.topup", facts)
    quote = operation.quote
    facts = {"amount": quote.amount, "fees": quote.fees, "total": quote.total}
    return turn.say("history.detail.float", facts)


def propose_resolution(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    outcome = Resolution(args["outcome"])
    proposal = proposals.propose_resolution(
        turn.tx, turn.app.random, turn.actor, args["reference"], outcome, args["reason"]
    )
    return _proposed(turn, proposal)


def propose_assignment(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    proposal = proposals.propose_assignment(
        turn.tx, turn.app.random, turn.actor, args["reference"], args["code"], args["reason"]
    )
    return _proposed(turn, proposal)


def find_match(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    found = proposals.find_match(turn.tx, args["reference"], args["topup"])
    if isinstance(found, TopUp):
        return Exit("found", sets={"code": found.partner})
    if found.facts.get("reference") == args["topup"]:  # another one may fit
        return Exit("again", above=turn.say(f"refusal.{found.code}", found.facts))
    return found


def propose_match(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    proposal = proposals.propose_match(
        turn.tx, turn.app.random, turn.actor, args["reference"], args["topup"], args["reason"]
    )
    return _proposed(turn, proposal)


def propose_dismissal(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    proposal = proposals.propose_dismissal(
        turn.tx, turn.app.random, turn.actor, args["reference"], args["reason"]
    )
    return _proposed(turn, proposal)


def propose_adjustment(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    outcome = Resolution(args["direction"])
    proposal = proposals.propose_adjustment(
        turn.tx,
        turn.app.random,
        turn.actor,
        args["code"],
        outcome,
        args["amount"],
        args["reason"],
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
        **_named(proposal),
    }
    turn.audit(proposal.partner, f"{proposal.kind}_proposed", proposal.about, facts)
    turn.notify_admins("notice.proposed", _facts(turn, proposal, ADMIN_LANGUAGE))
    return Exit("proposed", sets={"proposal": proposal.id})


def _named(proposal: Proposal) -> dict[str, str]:
    return {} if proposal.topup is None else {"topup": proposal.topup}


def unknowns(turn: TurnContext, _: Mapping[str, Any]) -> Sequence[str]:
    return turn.tx.proposals.unresolved(SUGGESTED)


# Decide ----------------------------------------------------------------------------------------


def listed(turn: TurnContext, _: Mapping[str, Any], cursor: str | None) -> View:
    """Open ones, newest first; the cursor is the last one of the page before, or nothing."""
    found = turn.tx.proposals.open_page(cursor, PAGE + 1)
    page = found[:PAGE]
    lines = [turn.say("deciding.list.line", _facts(turn, proposal)) for proposal in page]
    return View(
        {"lines": "\n".join(lines) or turn.say("deciding.list.empty")},
        [(proposal.id, proposal.id) for proposal in page],
        page[-1].id if len(found) > PAGE else None,
        "" if cursor else None,
    )


def one(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    proposal = turn.tx.proposals.get(args["proposal"])
    assert proposal is not None, "only proposals that are there can be opened"
    return View(_facts(turn, proposal))


def _facts(turn: TurnContext, proposal: Proposal, language: str | None = None) -> dict[str, Any]:
    """What may be said of a proposal, to the person of this turn or in another language."""
    texts, language = turn.app.texts, language or turn.language
    return {
        "proposal": proposal.id,
        "what": proposal_words(texts, language, proposal),
        "code": proposal.partner,
        "about": proposal.about,
        "amount": proposal.amount,
        "reason": proposal.reason,
        "by": proposal.proposed_by,
        "at": proposal.proposed_at,
        "status": texts.say(language, f"deciding.status.{proposal.status}"),
    }


def open_proposal(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    choice = args["choice"]
    proposal = proposal_decisions.find_decidable(
        turn.tx,
        turn.actor,
        args["proposal"],
        approves=choice == "approve",
        admins=turn.app.admin_names,
    )
    if isinstance(proposal, Refusal):
        return proposal
    what = proposal.resolution.value
    if proposal.topup is not None:
        what = proposal_words(turn.app.texts, turn.language, proposal)
    said = {
        "code": proposal.partner,
        "about": proposal.about,
        "outcome": what,
        "amount": proposal.amount,
        "reason": proposal.reason,
    }
    return Exit(choice, sets=said)


def approve(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    event = turn.event
    result = proposal_decisions.approve(
        turn.tx,
        turn.actor,
        event.channel,
        event.address,
        args["proposal"],
        admins=turn.app.admin_names,
    )
    if isinstance(result, Refusal):
        return result
    _decided(turn, result.proposal, "approved")
    for one in result.effects:
        if isinstance(one, Adjustment):
            _tell_owners(turn, one)
        else:
            turn.outcomes.append(one)
    return Exit("approved")


def decline(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    proposal = proposal_decisions.decline(turn.tx, turn.actor, args["proposal"])
    if isinstance(proposal, Refusal):
        return proposal
    _decided(turn, proposal, "declined")
    return Exit("declined")


def _decided(turn: TurnContext, proposal: Proposal, decision: str) -> None:
    facts = {
        "proposal": proposal.id,
        "proposed_by": proposal.proposed_by,
        "outcome": proposal.resolution,
        "amount": proposal.amount,
        **_named(proposal),
    }
    turn.audit(proposal.partner, f"{proposal.kind}_{decision}", proposal.about, facts)
    turn.notify_admins(f"notice.proposal_{decision}", _facts(turn, proposal, ADMIN_LANGUAGE))


def _tell_owners(turn: TurnContext, adjustment: Adjustment) -> None:
    """A partner's owners hear of every correction of its wallet, and why."""
    seen = balances.of(turn.tx, get(turn, adjustment.partner))
    facts = {
        "reference": adjustment.reference,
        "partner": adjustment.partner,
        "amount": adjustment.amount,
        "reason": adjustment.reason,
        "balance": seen.wallet.posted,
    }
    for owner in turn.tx.people.owners(adjustment.partner):
        text = turn.app.texts.say(owner.language, f"notice.adjusted_{adjustment.resolution}", facts)
        for channel, address in turn.tx.people.addresses(owner.id):
            turn.queue_notice(channel, address, text)


USE_CASES: dict[str, UseCase] = {
    "find_unknown": find_unknown,
    "propose_resolution": propose_resolution,
    "propose_assignment": propose_assignment,
    "find_match": find_match,
    "propose_match": propose_match,
    "propose_dismissal": propose_dismissal,
    "propose_adjustment": propose_adjustment,
    "open_proposal": open_proposal,
    "approve_proposal": approve,
    "decline_proposal": decline,
}
VIEWS: dict[str, ViewBuilder] = {
    "unknown": unknown_operation,
    "suspended": payment_in_suspense,
    "finding": finding,
    "proposals": listed,
    "proposal": one,
}
SUGGESTERS: dict[str, Suggester] = {"unknowns": unknowns}
