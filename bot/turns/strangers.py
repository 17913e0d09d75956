"""Accounts that are linked to nobody, and how much they may cost together (decision 28).

A stranger with an invitation is a guest, whom a crowd of other strangers cannot keep out. Other
strangers are answered within a limit for each account (``bot/turns/flood.py``) and one for all
together; turns beyond that are dropped and leave no row.
"""

from __future__ import annotations

from flows.engine.event import Event, EventKind
from flows.engine.session import Session
from services.domain.invite import InviteStatus
from services.domain.token import token_digest
from services.ports import Tx

_STANDS = (InviteStatus.OPEN, InviteStatus.CLAIMED)


def is_guest(tx: Tx, session: Session, event: Event) -> bool:
    """Whether they bring a valid invitation, or are already in the middle of accepting one."""
    frame = session.active
    if frame is not None and frame.flow.needs is None:
        return True
    if event.kind is not EventKind.COMMAND or event.text != "start" or not event.argument:
        return False
    invite = tx.invites.of_digest(token_digest(event.argument))
    return invite is not None and invite.status in _STANDS and invite.expires_at > tx.now
