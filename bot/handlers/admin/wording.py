"""How traces read: who acted, what for, how long ago, and when to the second."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.context import TurnContext
from flows.engine.texts import Texts
from services.domain.audit import HAZINA
from services.domain.business_days import NAIROBI
from services.domain.proposal import Proposal

_AGES = (
    ("days", timedelta(days=1)),
    ("hours", timedelta(hours=1)),
    ("minutes", timedelta(minutes=1)),
    ("seconds", timedelta(seconds=1)),
)


def stamp(at: datetime) -> str:
    """Nairobi time, to the second: what happened within one minute has an order."""
    return f"{at.astimezone(NAIROBI):%d/%m/%y %H:%M:%S}"


def age(turn: TurnContext, since: datetime) -> str:
    """How long ago it was, in the largest unit that fits."""
    passed = turn.tx.now - since
    for unit, length in _AGES:
        if passed >= length:
            return turn.say(f"trace.age.{unit}", {"n": passed // length})
    return turn.say("trace.age.seconds", {"n": 0})


def readable(code: str) -> str:
    """A code of ours, such as ``threshold_set``, as it is read."""
    return code.replace("_", " ")


def actor_name(turn: TurnContext, name: str) -> str:
    """Who acted, from the name that the audit log has."""
    kind, _, rest = name.partition(":")
    match kind:
        case "person":
            return person_name(turn, int(rest))
        case "admin":
            return turn.say("trace.who.admin", {"address": rest.partition(":")[2]})
        case "account":
            return turn.say("trace.who.account", {"address": rest.partition(":")[2]})
        case _ if name == HAZINA:
            return turn.say("trace.who.hazina")
    return name


def person_name(turn: TurnContext, person_id: int | None) -> str:
    known = None if person_id is None else turn.tx.people.of_id(person_id)
    if known is None:
        return turn.say("trace.who.nobody")
    return turn.say("trace.who.person", {"name": known.name, "code": known.partner.code})


def proposal_words(texts: Texts, language: str, proposal: Proposal) -> str:
    """What a proposal asks for."""
    what = proposal.resolution if proposal.topup is None else "matched"
    return texts.say(language, f"deciding.what.{what}", {"topup": proposal.topup})
