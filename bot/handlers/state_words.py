"""The words for how an operation stands, and for asking about it."""

from __future__ import annotations

from bot.context import TurnContext
from flows.engine.texts import Texts
from services.domain.payout import PREFIX


def say_state(turn: TurnContext, reference: str, state: str) -> str:
    return turn.say(state_key(turn.app.texts, turn.language, reference, state))


def state_key(texts: Texts, language: str, reference: str, state: str) -> str:
    """A payout has words of its own where others would mislead: a top-up that is paid has come in,
    a payout has gone out."""
    own = f"state.payout.{state}"
    is_own = reference.startswith(f"{PREFIX}-") and texts.has(language, own)
    return own if is_own else f"state.{state}"


def check_act(reference: str) -> str:
    """The act that says rightly who is asked: M-PESA about a payout, and the bank otherwise."""
    return "check-payout" if reference.startswith(f"{PREFIX}-") else "check"
