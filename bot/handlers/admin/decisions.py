"""Money decided by hand: a second admin approves or declines a proposal."""

from __future__ import annotations

from collections.abc import Sequence

from bot.context import TurnContext
from bot.handlers.admin.partners import get
from bot.handlers.admin.proposal_facts import ADMIN_LANGUAGE, named_topup, proposal_facts
from bot.handlers.admin.wording import proposal_words
from bot.handlers.declaring import Handlers
from flows.engine.host import COUNTED_MAX, Exit, Place, View
from services import balances, proposal_decisions
from services.domain.adjustment import Adjustment
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.proposal import Proposal
from services.domain.refusal import Refusal

HANDLERS = Handlers()

PAGE = 8  # proposals of one page
LISTED_MAX = 10_000  # are counted for a page; more have no place


@HANDLERS.view("proposals", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """Open proposals, newest first. The cursor is the last of the previous page, if any."""
    found = turn.tx.proposals.open_page(cursor, PAGE + 1)
    page = found[:PAGE]
    lines = [turn.say("deciding.list.line", proposal_facts(turn, proposal)) for proposal in page]
    return View(
        {"lines": "\n".join(lines) or turn.say("deciding.list.empty")},
        [(proposal.id, proposal.id) for proposal in page],
        page[-1].id if len(found) > PAGE else None,
        "" if cursor else None,
        place=_place(turn, page),
    )


def _place(turn: TurnContext, page: Sequence[Proposal]) -> Place | None:
    total = turn.tx.proposals.count_open(LISTED_MAX)
    if not page or total == LISTED_MAX:
        return None
    first = turn.tx.proposals.count_open(LISTED_MAX, page[0].id)
    return Place(first, first + len(page) - 1, total)


@HANDLERS.count("proposals", needs=Right.ADMIN)
def waiting(turn: TurnContext) -> int:
    return turn.tx.proposals.count_open(COUNTED_MAX)


@HANDLERS.view(
    "proposal",
    needs=Right.ADMIN,
    shows=("about", "amount", "at", "by", "code", "proposal", "reason", "status", "what"),
)
def detail(turn: TurnContext, proposal: Reference) -> View:
    found = turn.tx.proposals.get(proposal)
    assert found is not None, "only proposals that are there can be opened"
    return View(proposal_facts(turn, found))


@HANDLERS.use_case("open_proposal", needs=Right.ADMIN)
def open_proposal(turn: TurnContext, proposal: Reference, choice: str) -> Exit | Refusal:
    found = proposal_decisions.find_decidable(
        turn.tx,
        turn.actor,
        proposal,
        approves=choice == "approve",
        admins=turn.app.admin_names,
    )
    if isinstance(found, Refusal):
        return found
    facts = {
        "code": found.partner,
        "about": found.about,
        "outcome": proposal_words(turn.app.texts, turn.language, found),
        "amount": found.amount,
        "reason": found.reason,
    }
    return Exit(choice, sets=facts)


@HANDLERS.use_case("approve_proposal", needs=Right.ADMIN)
def approve(turn: TurnContext, proposal: Reference) -> Exit | Refusal:
    event = turn.event
    result = proposal_decisions.approve(
        turn.tx,
        turn.actor,
        event.channel,
        event.address,
        proposal,
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


@HANDLERS.use_case("decline_proposal", needs=Right.ADMIN)
def decline(turn: TurnContext, proposal: Reference) -> Exit | Refusal:
    declined = proposal_decisions.decline(turn.tx, turn.actor, proposal)
    if isinstance(declined, Refusal):
        return declined
    _record_decision(turn, declined, "declined")
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
