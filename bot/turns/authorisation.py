"""Decides whether a person may call a handler: the only place that checks rights and partners.

It is asked whenever a handler is called, whatever screen, channel or key led there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers.suspicious_attempts import note_suspicious_attempt
from flows.engine.declarations import Declaration, HandlerKind
from services import ownership
from services.domain.partner import RIGHTS, Right
from services.domain.refusal import Refusal

# Looking is not moving money: a suspended partner's people may look.
SHOWN = frozenset(
    {
        HandlerKind.VIEW,
        HandlerKind.SUGGESTION,
        HandlerKind.PROGRESS,
        HandlerKind.COUNT,
        HandlerKind.RECALL,
    }
)


class AccessDenied(Exception):
    """What is only shown was not allowed, though nobody's input leads there: our own fault."""

    def __init__(self, declared: Declaration, refusal: Refusal) -> None:
        super().__init__(f"{declared.kind} {declared.name}: {refusal.code}")
        self.refusal = refusal


def has_right(turn: TurnContext, needs: Right | None) -> bool:
    if needs is None:
        return True
    if needs is Right.ADMIN:
        return turn.is_admin
    person = turn.linked_person
    return person is not None and needs in RIGHTS[person.role]


def check_right(
    turn: TurnContext, needs: Right | None, *, while_suspended: bool = False
) -> Refusal | None:
    """Check the role as it is now, not as it was when a button was shown.

    Refusals: ``not_linked`` and ``admin_only`` for people of no partner, ``suspended``, and for a
    role without the right one that says who has it: ``role`` or ``role_…``.
    """
    if needs is None or (needs is Right.ADMIN and turn.is_admin):
        return None
    person = turn.linked_person
    if person is None:
        return Refusal("admin_only") if turn.is_admin else not_linked(turn)
    if not has_right(turn, needs):
        return _role(needs, person.partner.code)
    if needs is Right.MOVE_MONEY and person.partner.suspended and not while_suspended:
        return Refusal.of("suspended", partner=person.partner.code)
    return None


def _role(needs: Right, partner: str) -> Refusal:
    match needs:
        case Right.APPROVE:
            return Refusal.of("role_approve", partner=partner)
        case Right.INVITE:
            return Refusal.of("role_invite", partner=partner)
        case Right.SET_RULES:
            return Refusal.of("role_rules", partner=partner)
        case _:
            return Refusal.of("role", partner=partner)


def not_linked(turn: TurnContext) -> Refusal:
    return Refusal.of("not_linked", address=turn.event.address)


def check_access(
    turn: TurnContext, declared: Declaration, values: Mapping[str, Any]
) -> Refusal | None:
    """Check the right, and that whatever is named belongs to the person's partner.

    Admins may name anybody's, and what strangers may call checks itself whose it is. Refusals:
    those of ``check_right``, and ``not_yours``.
    """
    while_suspended = declared.while_suspended or declared.kind in SHOWN
    refusal = check_right(turn, declared.needs, while_suspended=while_suspended)
    if refusal is not None or declared.needs in (None, Right.ADMIN):
        return refusal
    for name in declared.references:
        reference = values[name]
        if reference is None or owns(turn, reference):
            continue
        if ownership.partner_of(turn.tx, reference) is not None:  # else a slip of the finger
            note_suspicious_attempt(turn, "not_yours")
        return Refusal.of("not_yours", partner=turn.person.partner.code)
    return None


def owns(turn: TurnContext, reference: str) -> bool:
    """Whether it belongs to this person's partner; what nobody has does not."""
    return ownership.partner_of(turn.tx, reference) == turn.person.partner.code
