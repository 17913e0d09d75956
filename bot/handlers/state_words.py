"""The words for how an operation stands and why, and for asking about it."""

from __future__ import annotations

from bot.context import TurnContext
from flows.engine.texts import Texts
from services.domain.payout import is_payout


def say_state(turn: TurnContext, reference: str, state: str) -> str:
    return turn.say(state_key(turn.app.texts, turn.language, state, of_payout=is_payout(reference)))


def say_reason(texts: Texts, language: str, reference: str, reason: str) -> str:
    """A sentence that says why it ended as it did."""
    return texts.say(language, _own(texts, language, "reason", reason, is_payout(reference)))


def state_key(texts: Texts, language: str, state: str, *, of_payout: bool) -> str:
    return _own(texts, language, "state", state, of_payout)


def _own(texts: Texts, language: str, kind: str, value: str, of_payout: bool) -> str:
    """A payout has words of its own where others would mislead: a top-up that is paid has come in,
    a payout has gone out, and M-PESA is asked about it instead of the bank."""
    own = f"{kind}.payout.{value}"
    return own if of_payout and texts.has(language, own) else f"{kind}.{value}"


def check_acts(reference: str, *, may_ask: bool) -> frozenset[str]:
    """The act that says rightly who is asked, if anybody can be."""
    return frozenset({"check-payout" if is_payout(reference) else "check"} if may_ask else ())
