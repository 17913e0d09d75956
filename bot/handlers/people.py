"""Handlers for listing and unlinking a partner's people."""

from __future__ import annotations

from collections.abc import Sequence

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Place, View
from services import joining
from services.domain.partner import Person, Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

PAGE = 15  # people of one page
SUGGESTED = 20  # names offered as buttons; any may be typed


@HANDLERS.view("own_people", needs=Right.INVITE, shows=("code", "lines"))
def own_people(turn: TurnContext, cursor: str | None) -> View:
    return _people(turn, turn.person.partner.code, cursor)


@HANDLERS.view("people", needs=Right.ADMIN, shows=("code", "lines"))
def people(turn: TurnContext, code: str, cursor: str | None) -> View:
    return _people(turn, code, cursor)


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
        place=Place(before + 1, before + len(lines), len(everybody)),
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


@HANDLERS.suggestion("own_people", needs=Right.INVITE)
def own_names(turn: TurnContext) -> Sequence[str]:
    """All linked people except the person who asks."""
    own = turn.person
    names = [name for name in _names(turn, own.partner.code) if name != own.name]
    return names[:SUGGESTED]


@HANDLERS.suggestion("people", needs=Right.ADMIN)
def names(turn: TurnContext, code: str) -> Sequence[str]:
    return _names(turn, code)[:SUGGESTED]


def _names(turn: TurnContext, partner: str) -> list[str]:
    people = turn.tx.people
    return [person.name for person in people.of(partner) if people.addresses(person.id)]


@HANDLERS.use_case("unlink_own", needs=Right.INVITE)
def unlink_own(turn: TurnContext, who: str) -> Exit | Refusal:
    """An owner unlinks operators and viewers, never another owner."""
    return _unlink(turn, turn.person.partner.code, who)


@HANDLERS.use_case("unlink_from", needs=Right.ADMIN)
def unlink_from(turn: TurnContext, code: str, who: str) -> Exit | Refusal:
    return _unlink(turn, code, who)


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
