"""Money decided by hand: a second admin approves or declines a proposal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.partners import get
from bot.handlers.admin.proposal_facts import ADMIN_LANGUAGE, named_topup, proposal_facts
from bot.handlers.admin.wording import proposal_words
from bot.handlers.signatures import UseCase, ViewBuilder
from flows.engine.host import Exit, View
from services import balances, proposal_decisions
from services.domain.adjustment import Adjustment
from services.domain.proposal import Proposal
from services.domain.refusal import Refusal

PAGE = 8  # proposals of one page


def listed(turn: TurnContext, _: Mapping[str, Any], cursor: str | None) -> View:
    """Open proposals, newest first. The cursor is the last of the previous page, if any."""
    found = turn.tx.proposals.open_page(cursor, PAGE + 1)
    page = found[:PAGE]
    lines = [turn.say("deciding.list.line", proposal_facts(turn, proposal)) for proposal in page]
    return View(
        {"lines": "\n".join(lines) or turn.say("deciding.list.empty")},
        [(proposal.id, proposal.id) for proposal in page],
        page[-1].id if len(found) > PAGE else None,
        "" if cursor else None,
    )


def detail(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    proposal = turn.tx.proposals.get(args["proposal"])
    assert proposal is not None, "only proposals that are there can be opened"
    return View(proposal_facts(turn, proposal))


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
    facts = {
        "code": proposal.partner,
        "about": proposal.about,
        "outcome": what,
        "amount": proposal.amount,
        "reason": proposal.reason,
    }
    return Exit(choice, sets=facts)


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
    _record_decision(turn, result.proposal, "approved")
    for effect in result.effects:
        if isinstance(effect, Adjustment):
            _notify_owners(turn, effect)
        else:
            turn.outcomes.append(effect)
    return Exit("approved")


def decline(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    proposal = proposal_decisions.decline(turn.tx, turn.actor, args["proposal"])
    if isinstance(proposal, Refusal):
        return proposal
    _record_decision(turn, proposal, "declined")
    return Exit("declined")


def _record_decision(turn: TurnContext, proposal: Proposal, decision: str) -> None:
    facts = {
        "proposal": proposal.id,
        "proposed_by": proposal.proposed_by,
        "outcome": proposal.resolution,
        "amount": proposal.amount,
        **named_topup(proposal),
    }
    turn.audit(proposal.partner, f"{proposal.kind}_{decision}", proposal.about, facts)
    turn.notify_admins(
        f"notice.proposal_{decision}", proposal_facts(turn, proposal, ADMIN_LANGUAGE)
    )


def _notify_owners(turn: TurnContext, adjustment: Adjustment) -> None:
    """Notify a partner's owners of every adjustment of its wallet, with the reason."""
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
        for channel, address in turn.app.accounts_to_tell(turn.tx, owner):
            turn.queue_notice(channel, address, text)


USE_CASES: dict[str, UseCase] = {
    "open_proposal": open_proposal,
    "approve_proposal": approve,
    "decline_proposal": decline,
}
VIEWS: dict[str, ViewBuilder] = {"proposals": listed, "proposal": detail}
