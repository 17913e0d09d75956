"""Handlers for listing and unlinking a partner's people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers.signatures import Suggester, UseCase, ViewBuilder
from flows.engine.host import Exit, View
from services import joining
from services.domain.partner import Person
from services.domain.refusal import Refusal

PAGE = 15  # people of one page
SUGGESTED = 20  # names offered as buttons; any may be typed


def own_people(turn: TurnContext, _: Mapping[str, Any], cursor: str | None) -> View:
    return _people(turn, turn.person.partner.code, cursor)


def people(turn: TurnContext, args: Mapping[str, Any], cursor: str | None) -> View:
    return _people(turn, args["code"], cursor)


def _people(turn: TurnContext, partner: str, cursor: str | None) -> View:
    """In the order in which they joined. The cursor is the number of people before the page."""
    everybody, before = turn.tx.people.of(partner), int(cursor or 0)
    lines = [_line(turn, person) for person in everybody[before : before + PAGE]]
    more, newer = before + PAGE, max(before - PAGE, 0)
    return View(
        {"code": partner, "lines": "\n".join(lines) or turn.say("people.list.empty")},
        more=str(more) if more < len(everybody) else None,
        newer=str(newer) if before else None,
        timeless=True,
    )


def _line(turn: TurnContext, person: Person) -> str:
    linked = bool(turn.tx.people.addresses(person.id))
    return turn.say(
        "people.list.line",
        {
            "who": person.name,
            "role": person.role,
            "phone": person.phone.masked,
            "linked": turn.say(f"people.list.{'linked' if linked else 'unlinked'}"),
        },
    )


def own_names(turn: TurnContext, _: Mapping[str, Any]) -> Sequence[str]:
    """All linked people except the person who asks."""
    own = turn.person
    names = [name for name in _names(turn, own.partner.code) if name != own.name]
    return names[:SUGGESTED]


def names(turn: TurnContext, args: Mapping[str, Any]) -> Sequence[str]:
    return _names(turn, args["code"])[:SUGGESTED]


def _names(turn: TurnContext, partner: str) -> list[str]:
    people = turn.tx.people
    return [person.name for person in people.of(partner) if people.addresses(person.id)]


def unlink_own(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    """An owner unlinks operators and viewers, never another owner."""
    return _unlink(turn, turn.person.partner.code, args["who"])


def unlink_from(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    return _unlink(turn, args["code"], args["who"])


def _unlink(turn: TurnContext, partner: str, who: str) -> Exit | Refusal:
    unlinked = joining.unlink(turn.tx, partner, who, turn.actor)
    if isinstance(unlinked, Refusal):
        return unlinked
    person = unlinked.person
    turn.audit(partner, "person_unlinked", f"person:{person.id}", {"name": person.name})
    for channel, address in unlinked.left:
        text = turn.app.texts.say(person.language, "notice.unlinked", {"code": partner})
        turn.queue_notice(channel, address, text)
    turn.outcomes += unlinked.ended
    return Exit("done")


USE_CASES: dict[str, UseCase] = {"unlink_own": unlink_own, "unlink_from": unlink_from}
VIEWS: dict[str, ViewBuilder] = {"own_people": own_people, "people": people}
SUGGESTERS: dict[str, Suggester] = {"own_people": own_names, "people": names}
