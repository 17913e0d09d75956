"""How fast one account is answered: so many turns a window, then one calm word, then silence.

The count lives in the conversation's own row, so that it costs nothing more to write, and a
restart does not begin it anew. Only who was asked to slow down has a row for admins to see. A
stranger without an invitation is told less, and for longer nothing.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto
from typing import NamedTuple

from bot.context import ADMIN_FACTOR
from flows.engine.event import Event
from flows.engine.session import Session, TurnRate
from services.domain.audit import by_account
from services.domain.ledger import HOUSE
from services.policy import Policy
from storage.transaction import SqliteTx

STRANGER_TURNS = 20  # of one account, in their window
STRANGER_WINDOW = timedelta(minutes=10)


class RateLimit(NamedTuple):
    """``audited``: going beyond it is written in the audit log, which is never shortened; else it
    is on the admins' list for a day."""

    turns: int
    window: timedelta
    audited: bool = True


def limit_for(policy: Policy, *, is_admin: bool = False) -> RateLimit:
    return RateLimit(policy.flood_turns * (ADMIN_FACTOR if is_admin else 1), policy.flood_window)


def limit_for_stranger(policy: Policy) -> RateLimit:
    """Of who is linked to nobody, and has no invitation."""
    return RateLimit(min(policy.flood_turns, STRANGER_TURNS), STRANGER_WINDOW, audited=False)


class FloodState(Enum):
    FINE = auto()
    TOO_FAST = auto()  # for the first time in this window: to be told
    SILENCE = auto()  # told already


def count_turn(tx: SqliteTx, limit: RateLimit, session: Session, event: Event) -> FloodState:
    """Count this turn; a window begins with the first turn after the one before has passed."""
    most, pace, window_ms = limit.turns, session.pace, limit.window // timedelta(milliseconds=1)
    if pace is None or not pace.since_ms <= tx.now_ms < pace.since_ms + window_ms:
        if _is_silent(tx, limit, event):
            return FloodState.SILENCE  # its window was lost when the clock was set
        session.pace = TurnRate(tx.now_ms, 1)
        return FloodState.FINE
    if pace.turns > most:
        if _is_silent(tx, limit, event):
            return FloodState.SILENCE
        session.pace = TurnRate(tx.now_ms, 1)  # an admin has let it go
        return FloodState.FINE
    session.pace = TurnRate(pace.since_ms, pace.turns + 1)
    return FloodState.FINE if pace.turns < most else FloodState.TOO_FAST


def _is_silent(tx: SqliteTx, limit: RateLimit, event: Event) -> bool:
    """Who has become somebody since does not wait out a stranger's silence."""
    flood = tx.floods.get(event.channel, event.address)
    return flood is not None and tx.now < min(flood.until, flood.told_at + limit.window)


def record_flood(tx: SqliteTx, limit: RateLimit, session: Session, event: Event) -> int:
    """Leave word for the admins; returns the seconds of silence that follow, at least 1."""
    assert session.pace is not None, "it was just counted"
    window_ms = limit.window // timedelta(milliseconds=1)
    left_ms = session.pace.since_ms + window_ms - tx.now_ms
    tx.floods.note(event.channel, event.address, tx.now + timedelta(milliseconds=left_ms))
    if limit.audited:
        account = by_account(event.channel, event.address)
        tx.audit.add(HOUSE, account, "flooded", account, {"turns": session.pace.turns})
    return -(-left_ms // 1000)
