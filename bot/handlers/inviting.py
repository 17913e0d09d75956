"""Handlers for inviting people to a partner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers.signatures import UseCase
from flows.engine.host import Exit
from services import approvals, joining, person_lookup
from services.domain.partner import Role
from services.domain.refusal import Refusal


def name_own(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit:
    return _name(turn, turn.person.partner.code, args["who"])


def name_of(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit:
    return _name(turn, args["code"], args["who"])


def _name(turn: TurnContext, partner: str, typed: str) -> Exit:
    """An existing name means that person; a new name must not resemble an existing one."""
    name = person_lookup.name_to_invite(turn.tx, partner, typed)
    if isinstance(name, Refusal):
        return Exit("again", above=turn.say(f"refusal.{name.code}", name.facts))
    return Exit("named", sets={"who": name})


def invite_own(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    """An owner invites operators and viewers to their own partner, never another owner.

    Refused while the owner's account is frozen: an invited person could move money at once.
    """
    frozen = approvals.check_account_freeze(turn.tx, turn.app.policy, turn.person)
    return frozen or _invite(turn, turn.person.partner.code, args)


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


USE_CASES: dict[str, UseCase] = {
    "name_own": name_own,
    "name_of": name_of,
    "invite_own": invite_own,
    "invite_to": invite_to,
}
