"""Who is linked to nobody, and what all of them together may cost (decision 28).

A stranger who holds an invitation is a guest: no crowd of others keeps them out. What a stranger
without one says is answered so often an account (``bot/turns/flood.py``), and so often over all;
what is not answered leaves no row.
"""

from __future__ import annotations

from flows.engine.event import Event, EventKind
from flows.engine.session import Session
from services.domain.invite import InviteStatus
from services.domain.token import token_digest
from storage.transaction import SqliteTx

_STANDS = (InviteStatus.OPEN, InviteStatus.CLAIMED)


def is_guest(tx: SqliteTx, session: Session, event: Event) -> bool:
    """Whether they bring an invitation that stands, or are in the middle of one."""
    frame = session.active
    if frame is not None and frame.flow.needs is None:
        return True
    if event.kind is not EventKind.COMMAND or event.text != "start" or not event.argument:
        return False
    invite = tx.invites.of_digest(token_digest(event.argument))
    return invite is not None and invite.status in _STANDS and invite.expires_at > tx.now
