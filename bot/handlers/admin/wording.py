"""Wording that admins' screens share: actors, times and ages."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from bot.context import TurnContext
from flows.engine.texts import Texts, format_value
from services.domain.audit import HAZINA
from services.domain.proposal import Proposal

_AGES = (
    ("days", timedelta(days=1)),
    ("hours", timedelta(hours=1)),
    ("minutes", timedelta(minutes=1)),
    ("seconds", timedelta(seconds=1)),
)


def to_the_second(turn: TurnContext, at: datetime) -> str:
    """A moment in the form of all lists, with its seconds: for what happens within a minute."""
    return f"{format_value(at, turn.language)}:{at:%S}"


def age(turn: TurnContext, since: datetime) -> str:
    """How long ago it was, in the largest unit that fits."""
    passed = turn.tx.now - since
    for unit, length in _AGES:
        if passed >= length:
            return turn.say(f"trace.age.{unit}", {"n": passed // length})
    return turn.say("trace.age.seconds", {"n": 0})


def actor_name(turn: TurnContext, name: str, language: str | None = None) -> str:
    """The actor, from its name in the audit log; in the language of this turn's person, or in
    ``language``."""
    kind, _, rest = name.partition(":")
    if kind == "person":
        return person_name(turn, int(rest), language)
    says = partial(turn.app.texts.say, language or turn.language)
    match kind:
        case "admin" | "account":
            return says(f"trace.who.{kind}", {"address": rest.partition(":")[2]})
        case "key":
            return says("trace.who.key", {"key": rest})
        case _ if name == HAZINA:
            return says("trace.who.hazina")
    return name


def admin_name(turn: TurnContext, name: str) -> str:
    """An admin from the name in the audit log, by the own name where it is known: admins who are
    partners' people too have one."""
    _, channel, address = name.split(":", 2)
    person = turn.tx.people.at(channel, address)
    if person is None:
        return actor_name(turn, name)
    return turn.say("trace.who.named_admin", {"name": person.name})


def person_name(turn: TurnContext, person_id: int | None, language: str | None = None) -> str:
    says = partial(turn.app.texts.say, language or turn.language)
    known = None if person_id is None else turn.tx.people.of_id(person_id)
    if known is None:
        return says("trace.who.nobody")
    return says("trace.who.person", {"name": known.name, "code": known.partner.code})


def proposal_words(texts: Texts, language: str, proposal: Proposal) -> str:
    """What a proposal asks for."""
    what = proposal.resolution if proposal.topup is None else "matched"
    return texts.say(language, f"deciding.what.{what}", {"topup": proposal.topup})
