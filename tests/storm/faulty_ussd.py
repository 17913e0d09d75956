"""Mistakes on the menu of a phone; each receives the right function and the call's arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bot.turns.hop_outcome import HopDecided, HopKind
from bot.turns.hops import Hops
from bot.turns.phone_answers import PhoneAnswers, _Reached
from flows.engine.phone_pages import PhoneScreen
from services.desk_pins import NotPassed
from services.domain.partner import Person
from services.domain.ussd import Hop, UssdSession
from services.otp import Passed
from services.ports import Tx


def decided_again(
    right: Callable[..., str | None], self: Hops, known: UssdSession, hop: Hop
) -> str | None:
    """The same text once more is one more answer."""
    typed = right(self, known, hop)
    is_same = typed is None and len(hop.text) == known.text_length > 0
    return hop.text.rpartition("*")[2] if is_same else typed


def whatever_came(
    right: Callable[..., str | None], self: Hops, known: UssdSession, hop: Hop
) -> str | None:
    """A shorter or another text acts by its last answer."""
    typed = right(self, known, hop)
    is_other = typed is None and hop.text and len(hop.text) != known.text_length
    return hop.text.rpartition("*")[2] if is_other else typed


def tail_confirms(
    right: Callable[..., HopDecided], self: PhoneAnswers, tx: Tx, hop: Hop, person: Person
) -> HopDecided:
    decided = right(self, tx, hop, person)
    if decided.screen is None or not (screen := PhoneScreen.load(decided.screen)).decides:
        return decided
    reached = _Reached(screen, person, hop.budget)
    self._type(tx, hop, reached, 1, hop.text.rpartition("*")[2])
    return reached.decided(decided.kind)


def all_of_them(
    right: Callable[..., HopDecided],
    self: PhoneAnswers,
    tx: Tx,
    hop: Hop,
    person: Person,
    known: UssdSession,
    typed: Sequence[str],
) -> HopDecided:
    """What was typed after a lost hop answers whatever page it leads to."""
    assert known.screen is not None
    reached = _Reached(PhoneScreen.load(known.screen), person, hop.budget)
    for one in typed:
        if reached.screen.goes_on:
            self._type(tx, hop, reached, known.hops, one)
    return reached.decided(HopKind.ANSWERED)


def for_whoever_asks(
    right: Callable[..., HopDecided], self: Hops, tx: Tx, known: UssdSession, hop: Hop
) -> HopDecided:
    """A session is known by its id alone."""
    return self._decide(tx, hop._replace(phone=known.phone, code=known.code))


def in_clear(right: Callable[..., str], self: Any, hop: Hop, text: str, key_id: str) -> str:
    return text


def any_pin(right: Callable[..., Any], *args: Any) -> Any:
    answer = right(*args)
    return Passed() if isinstance(answer, NotPassed) else answer
