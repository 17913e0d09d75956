"""How fast one account is answered: so many turns a window, then one calm word, then silence.

The count lives in the conversation's own row, so that it costs nothing more to write, and a
restart does not begin it anew. Only who was asked to slow down has a row for admins to see.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

from flows.event import Event
from flows.session import Pace, Session
from services.domain.audit import by_account
from services.domain.ledger import HOUSE
from services.policy import Policy
from storage.transaction import SqliteTx

ADMINS_TIMES = 10  # so much more an admin may: they page through everybody's


class Speed(Enum):
    FINE = auto()
    TOO_FAST = auto()  # for the first time in this window: to be told
    SILENCE = auto()  # told already


def measure(
    tx: SqliteTx, policy: Policy, session: Session, event: Event, *, is_admin: bool
) -> Speed:
    """Count this turn; a window begins with the first turn after the one before has passed."""
    most = policy.flood_turns * (ADMINS_TIMES if is_admin else 1)
    pace, window_ms = session.pace, policy.flood_window // timedelta(milliseconds=1)
    if pace is None or not pace.since_ms <= tx.now_ms < pace.since_ms + window_ms:
        if _is_silent(tx, event):
            return Speed.SILENCE  # its window was lost when the clock was set
        session.pace = Pace(tx.now_ms, 1)
        return Speed.FINE
    if pace.turns > most:
        if _is_silent(tx, event):
            return Speed.SILENCE
        session.pace = Pace(tx.now_ms, 1)  # an admin has let it go
        return Speed.FINE
    session.pace = Pace(pace.since_ms, pace.turns + 1)
    return Speed.FINE if pace.turns < most else Speed.TOO_FAST


def _is_silent(tx: SqliteTx, event: Event) -> bool:
    flood = tx.floods.get(event.channel, event.address)
    return flood is not None and tx.now < flood.until


def note(tx: SqliteTx, policy: Policy, session: Session, event: Event) -> int:
    """Leave word for the admins; returns the seconds of silence that follow, at least 1."""
    assert session.pace is not None, "it was just counted"
    window_ms = policy.flood_window // timedelta(milliseconds=1)
    left_ms = session.pace.since_ms + window_ms - tx.now_ms
    tx.floods.note(event.channel, event.address, tx.now + timedelta(milliseconds=left_ms))
    account = by_account(event.channel, event.address)
    tx.audit.add(HOUSE, account, "flooded", account, {"turns": session.pace.turns})
    return -(-left_ms // 1000)
