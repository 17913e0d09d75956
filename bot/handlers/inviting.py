"""Handlers for inviting people to a partner."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit
from services import approvals, joining, person_lookup
from services.domain.partner import Right, Role
from services.domain.refusal import Refusal

HANDLERS = Handlers()


@HANDLERS.use_case("name_own", needs=Right.INVITE)
def name_own(turn: TurnContext, who: str) -> Exit:
    return _name(turn, turn.person.partner.code, who)


@HANDLERS.use_case("name_of", needs=Right.ADMIN)
def name_of(turn: TurnContext, code: str, who: str) -> Exit:
    return _name(turn, code, who)


def _name(turn: TurnContext, partner: str, typed: str) -> Exit:
    """An existing name means that person; a new name must not resemble an existing one."""
    name = person_lookup.name_to_invite(turn.tx, partner, typed)
    if isinstance(name, Refusal):
        return Exit("again", above=turn.say(f"refusal.{name.code}", name.facts))
    return Exit("named", sets={"who": name})


@HANDLERS.use_case("invite_own", needs=Right.INVITE)
def invite_own(turn: TurnContext, who: str, role: str) -> Exit | Refusal:
    """An owner invites operators and viewers to their own partner, never another owner.

    Refused while the owner's account is frozen: an invited person could move money at once.
    """
    frozen = approvals.check_account_freeze(turn.tx, turn.app.policy, turn.person)
    return frozen or _invite(turn, turn.person.partner.code, who, role)


@HANDLERS.use_case("invite_to", needs=Right.ADMIN)
def invite_to(turn: TurnContext, code: str, who: str, role: str) -> Exit | Refusal:
    return _invite(turn, code, who, role)


def _invite(turn: TurnContext, partner: str, who: str, role: str) -> Exit | Refusal:
    invited = joining.invite(turn.tx, turn.app.random, partner, Role(role), who, turn.actor)
    if isinstance(invited, Refusal):
        return invited
    invite = invited.invite
    turn.send_sealed(invite.id, _link(turn, invited.token, partner, who))
    turn.audit(partner, "invited", invite.id, {"name": invite.name, "role": invite.role})
    return Exit("made")


def _link(turn: TurnContext, token: str, partner: str, who: str) -> str:
    bot = turn.app.bot_identity.bot_name
    start = f"/start {token}" if bot is None else f"https://t.me/{bot}?start={token}"
    return turn.say("invite.link", {"link": start, "code": partner, "who": who})
