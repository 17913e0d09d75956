"""What the nodes do by which people come to a partner, and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers.signatures import Action, CodeCheck, Progress, Suggester, UseCase
from bot.handlers.suspicious_attempts import note_suspicious_attempt
from bot.handlers.wrong_codes import code_exit, refusal_of_code
from bot.outbox.carriers import SMS
from flows.engine.host import Exit, View
from services import approvals, joining, otp, person_lookup
from services.domain.otp import OtpStatus
from services.domain.partner import Person, Role
from services.domain.refusal import Refusal
from services.joining import Joined
from services.otp import Issued, NotPassed

PAGE = 15  # people of one page
SUGGESTED = 20  # names offered as buttons; any may be typed
TRACES_MAX = 10  # rows about one invitation; whoever opens it again and again leaves no more


# Inviting --------------------------------------------------------------------------------------


def name_own(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit:
    return _name(turn, turn.person.partner.code, args["who"])


def name_of(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit:
    return _name(turn, args["code"], args["who"])


def _name(turn: TurnContext, partner: str, typed: str) -> Exit:
    """Whoever is there under that name is meant; a new name must look like nobody's."""
    name = person_lookup.name_to_invite(turn.tx, partner, typed)
    if isinstance(name, Refusal):
        return Exit("again", above=turn.say(f"refusal.{name.code}", name.facts))
    return Exit("named", sets={"who": name})


def invite_own(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    """An owner invites operators and viewers of the own partner, never over an owner's head, and
    from no account that rests: whoever comes would move money for it at once."""
    rests = approvals.check_account_freeze(turn.tx, turn.app.policy, turn.person)
    return rests or _invite(turn, turn.person.partner.code, args)


def invite_to(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    return _invite(turn, args["code"], args)


def _invite(turn: TurnContext, partner: str, args: Mapping[str, Any]) -> Exit | Refusal:
    invited = joining.invite(
        turn.tx, turn.app.random, partner, Role(args["role"]), args["who"], turn.actor
    )
    if isinstance(invited, Refusal):
        return invited
    invite = invited.invite
    turn.send_sealed(invite.id, _link(turn, invited.token, partner, args))
    turn.audit(partner, "invited", invite.id, {"name": invite.name, "role": invite.role})
    return Exit("made")


def _link(turn: TurnContext, token: str, partner: str, args: Mapping[str, Any]) -> str:
    bot = turn.app.bot_identity.bot_name
    start = f"/start {token}" if bot is None else f"https://t.me/{bot}?start={token}"
    return turn.say("invite.link", {"link": start, "code": partner, "who": args["who"]})


# Joining ---------------------------------------------------------------------------------------


def open_invite(turn: TurnContext, _: Mapping[str, Any], __: str | None) -> Exit | Refusal:
    """The token goes straight from the event to its use case, and is remembered nowhere."""
    event = turn.event
    opened = joining.claim_invite(
        turn.tx, turn.app.admin_names, event.argument, event.channel, event.address
    )
    if isinstance(opened, Refusal):
        note_suspicious_attempt(turn, opened.code)
        return opened
    if len(turn.tx.audit.about(opened.id, TRACES_MAX)) < TRACES_MAX:
        turn.audit(opened.partner, "invite_opened", opened.id)
    return Exit(
        "opened", sets={"invite": opened.id, "code": opened.partner, "role": opened.role.value}
    )


def send_code(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    app, event = turn.app, turn.event
    issued = joining.send_code(
        turn.tx,
        app.admin_names,
        app.keys,
        app.random,
        args["invite"],
        args["phone"],
        event.channel,
        event.address,
    )
    return issued if isinstance(issued, Refusal) else _sent(turn, issued)


def resend_code(turn: TurnContext, invite: str) -> Exit | Refusal | None:
    app, event = turn.app, turn.event
    issued = joining.resend_code(
        turn.tx, app.admin_names, app.keys, app.random, invite, event.channel, event.address
    )
    if isinstance(issued, Refusal):
        return issued
    _sent(turn, issued)
    return None


def _sent(turn: TurnContext, issued: Issued) -> Exit:
    facts = {"code_of": issued.otp.binding.partner}
    turn.send_code_to(issued, "sms.link_code", facts, phone=issued.otp.phone)
    return Exit("sent")


def check_code(turn: TurnContext, _: Mapping[str, Any], invite: str, code: str) -> Exit | Refusal:
    app, event = turn.app, turn.event
    answer = joining.join(
        turn.tx, app.admin_names, app.keys, invite, code, event.channel, event.address
    )
    match answer:
        case Refusal():
            return Exit("refused", {"reason": turn.say(f"refusal.{answer.code}", answer.facts)})
        case NotPassed():
            note_suspicious_attempt(turn, "wrong_code")
            newest = turn.tx.otps.newest(invite)
            assert newest is not None, "a code was counted"
            return refusal_of_code(turn, newest.who, answer)
        case Joined():
            _welcome(turn, answer)
            rests = approvals.check_account_freeze(turn.tx, app.policy, answer.person)
            return Exit("right" if rests is None else "rests")


def _welcome(turn: TurnContext, joined: Joined) -> None:
    """Whoever was here under this name before is told that they are not any more, or not alone."""
    person = joined.person
    facts: dict[str, object] = {"name": person.name, "role": person.role}
    facts |= {"phone": person.phone.masked}
    turn.reload()
    turn.audit(person.partner.code, "person_linked", f"person:{person.id}", facts)
    told = {"code": person.partner.code, "who": person.name}
    for channel, address in joined.left:
        turn.queue_notice(channel, address, turn.say("notice.moved_account", told))
    for channel, address in joined.other_accounts:
        turn.queue_notice(channel, address, turn.say("notice.further_account", told))
    if joined.old_phone is not None:
        turn.queue_notice(SMS, joined.old_phone.msisdn, turn.say("notice.moved_phone", told))
    turn.outcomes += joined.ended


def exit_if_code_ended(turn: TurnContext, invite: str) -> Exit | Refusal | None:
    newest = otp.status(turn.tx, invite)
    if newest is None or newest.status is OtpStatus.PENDING:
        return None
    exit_name = code_exit(turn, newest.status, newest.who)
    return None if exit_name is None else Exit(exit_name)


def progress(turn: TurnContext, invite: str) -> Mapping[str, Any]:
    """Where the code went, and until when it is good."""
    newest = turn.tx.otps.newest(invite)
    assert newest is not None, "a code was sent before the question is asked"
    return {"sent_to": newest.phone, "until": newest.expires_at}


# Who is there, and leaves ------------------------------------------------------------------------


def own_people(turn: TurnContext, _: Mapping[str, Any], cursor: str | None) -> View:
    return _people(turn, turn.person.partner.code, cursor)


def people(turn: TurnContext, args: Mapping[str, Any], cursor: str | None) -> View:
    return _people(turn, args["code"], cursor)


def _people(turn: TurnContext, partner: str, cursor: str | None) -> View:
    """In the order in which they came; the cursor is how many stand before the page."""
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
    """Everybody linked but oneself."""
    own = turn.person
    names = [name for name in _names(turn, own.partner.code) if name != own.name]
    return names[:SUGGESTED]


def names(turn: TurnContext, args: Mapping[str, Any]) -> Sequence[str]:
    return _names(turn, args["code"])[:SUGGESTED]


def _names(turn: TurnContext, partner: str) -> list[str]:
    people = turn.tx.people
    return [person.name for person in people.of(partner) if people.addresses(person.id)]


def unlink_own(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    """An owner lets operators and viewers go, never an owner."""
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


USE_CASES: dict[str, UseCase] = {
    "name_own": name_own,
    "name_of": name_of,
    "invite_own": invite_own,
    "invite_to": invite_to,
    "open_invite": open_invite,
    "send_join_code": send_code,
    "unlink_own": unlink_own,
    "unlink_from": unlink_from,
}
CODE_CHECKS: dict[str, CodeCheck] = {"check_join_code": check_code}
ACTIONS: dict[str, Action] = {
    "resend_join_code": resend_code,
    "join_code_stands": exit_if_code_ended,
}
PROGRESS: dict[str, Progress] = {"IN": progress}
SUGGESTERS: dict[str, Suggester] = {"own_people": own_names, "people": names}
