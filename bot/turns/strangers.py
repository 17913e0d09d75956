"""Who is linked to nobody, and what all of them together may cost (decision 28).

A stranger who holds an invitation is a guest: no crowd of others keeps them out. What a stranger
without one says is answered so often an account (``bot/turns/flood.py``), and so often over all;
what is not answered leaves no row.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.runtime.allowance import Allowance
from flows.engine.event import Event, Kind
from flows.engine.session import Session
from services.domain.invite import InviteStatus
from services.domain.token import token_digest
from storage.transaction import SqliteTx

ANSWERS_MOST = 60  # at once
ANSWERS_EVERY_S = 1.0  # and then: a thirtieth of what Telegram takes from a bot
OF_ALL_SENDS = 10  # where the desk sends slower than that: a tenth of it
_STANDS = (InviteStatus.OPEN, InviteStatus.CLAIMED)


class Strangers:
    """One for a program; a restart forgets what has been used up.

    ``sends_a_second`` is the desk's own pace, over all chats.
    """

    def __init__(
        self, sends_a_second: float = 30.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        every_s = max(ANSWERS_EVERY_S, OF_ALL_SENDS / sends_a_second)
        self._answers = Allowance(ANSWERS_MOST, every_s, monotonic)

    def may_be_answered(self) -> bool:
        """Whether there is one more answer for them now; it is used up then."""
        return self._answers.take()


def is_guest(tx: SqliteTx, session: Session, event: Event) -> bool:
    """Whether they bring an invitation that stands, or are in the middle of one."""
    frame = session.active
    if frame is not None and frame.flow.needs is None:
        return True
    if event.kind is not Kind.COMMAND or event.text != "start" or not event.argument:
        return False
    invite = tx.invites.of_digest(token_digest(event.argument))
    return invite is not None and invite.status in _STANDS and invite.expires_at > tx.now
