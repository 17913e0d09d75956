"""Facts about a proposal for notices, lists and the audit log."""

from __future__ import annotations

from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name, proposal_words
from services.domain.proposal import Proposal

ADMIN_LANGUAGE = "en"  # of notices to admins


def proposal_facts(
    turn: TurnContext, proposal: Proposal, language: str | None = None
) -> dict[str, Any]:
    """Facts in the language of this turn's person, or in ``language``."""
    texts, language = turn.app.texts, language or turn.language
    return {
        "proposal": proposal.id,
        "what": proposal_words(texts, language, proposal),
        "code": proposal.partner,
        "about": proposal.about,
        "amount": proposal.amount,
        "reason": proposal.reason,
        "by": actor_name(turn, proposal.proposed_by, language),
        "at": proposal.proposed_at,
        "status": texts.say(language, f"deciding.status.{proposal.status}"),
    }


def named_topup(proposal: Proposal) -> dict[str, str]:
    return {} if proposal.topup is None else {"topup": proposal.topup}
