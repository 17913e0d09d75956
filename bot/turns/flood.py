"""Rate limit for each account: after a number of turns in a window, one warning, then silence.

The count is stored in the conversation's own row, so it needs no extra write and survives a
restart. Only accounts that were warned have a row of their own, for admins to see. A stranger
without an invitation gets fewer turns and a longer window.
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
from services.ports import Tx

STRANGER_TURNS = 20  # of one account, in ``STRANGER_WINDOW``
STRANGER_WINDOW = timedelta(minutes=10)


class RateLimit(NamedTuple):
    """``audited``: exceeding the limit is written to the audit log, which is never pruned.

    Otherwise it only stays on the admins' list for a day.
    """

    turns: int
    window: timedelta
    audited: bool = True


def limit_for(policy: Policy, *, is_admin: bool = False) -> RateLimit:
    return RateLimit(policy.flood_turns * (ADMIN_FACTOR if is_admin else 1), policy.flood_window)


def limit_for_stranger(policy: Policy) -> RateLimit:
    """The limit for an account that is not linked and has no invitation."""
    return RateLimit(min(policy.flood_turns, STRANGER_TURNS), STRANGER_WINDOW, audited=False)


class FloodState(Enum):
    FINE = auto()
    TOO_FAST = auto()  # for the first time in this window: warn the person
    SILENCE = auto()  # already warned


def count_turn(tx: Tx, limit: RateLimit, session: Session, event: Event) -> FloodState:
    """Count this turn. A window begins with the first turn after the previous window has ended."""
    most, pace, window_ms = limit.turns, session.pace, limit.window // timedelta(milliseconds=1)
    if pace is None or not pace.since_ms <= tx.now_ms < pace.since_ms + window_ms:
        if _is_silent(tx, limit, event):
            return FloodState.SILENCE  # the window was lost when the clock was changed
        session.pace = TurnRate(tx.now_ms, 1)
        return FloodState.FINE
    if pace.turns > most:
        if _is_silent(tx, limit, event):
            return FloodState.SILENCE
        session.pace = TurnRate(tx.now_ms, 1)  # an admin has released the account
        return FloodState.FINE
    session.pace = TurnRate(pace.since_ms, pace.turns + 1)
    return FloodState.FINE if pace.turns < most else FloodState.TOO_FAST


def _is_silent(tx: Tx, limit: RateLimit, event: Event) -> bool:
    """Use the current limit's window, so that an account linked since does not wait out a
    stranger's longer silence."""
    flood = tx.floods.get(event.channel, event.address)
    return flood is not None and tx.now < min(flood.until, flood.told_at + limit.window)


def record_flood(tx: Tx, limit: RateLimit, session: Session, event: Event) -> int:
    """Record it for the admins. Returns the seconds of silence that follow, at least 1."""
    assert session.pace is not None, "it was just counted"
    window_ms = limit.window // timedelta(milliseconds=1)
    left_ms = session.pace.since_ms + window_ms - tx.now_ms
    tx.floods.note(event.channel, event.address, tx.now + timedelta(milliseconds=left_ms))
    if limit.audited:
        account = by_account(event.channel, event.address)
        tx.audit.add(HOUSE, account, "flooded", account, {"turns": session.pace.turns})
    return -(-left_ms // 1000)
