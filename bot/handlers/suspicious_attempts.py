"""Somebody tried what is not theirs: a trace in the audit log, and word to the admins.

The log is never shortened, so what anybody can cause in it is limited, an account and an hour, and
over all accounts. One row says that more came than are kept; all of them are counted in
``hazina_strangers``.
"""

from __future__ import annotations

from datetime import timedelta

from bot.context import TurnContext
from services.domain.audit import HAZINA, by_account
from services.domain.ledger import HOUSE

WITHIN = timedelta(hours=1)
TOLD_AT = 3  # such tries of one account: admins are told, once
KEPT_MAX = 5  # of one account
KEPT_ALL_MAX = 60  # of all that needs no invitation; so admins are told of twenty accounts at most
ANYBODYS = frozenset({"invite_unknown"})  # every other try begins with a real invitation
MORE = "more"  # what the row is about that says so


def note_suspicious_attempt(turn: TurnContext, why: str) -> None:
    turn.app.metrics.record_stranger("strange")
    audit, since = turn.tx.audit, turn.tx.now - WITHIN
    if why in ANYBODYS and audit.count_suspicious(since, KEPT_ALL_MAX) >= KEPT_ALL_MAX:
        _many(turn)
        return
    actor = by_account(turn.event.channel, turn.event.address)
    before = audit.count_suspicious_by(actor, since, KEPT_MAX + 1)
    if before > KEPT_MAX:
        return
    audit.add(HOUSE, actor, "strange", why if before < KEPT_MAX else MORE)
    tries = before + 1
    if tries == TOLD_AT:
        address = turn.event.address
        turn.notify_admins("notice.strange", {"address": address, "tries": tries, "why": why})


def _many(turn: TurnContext) -> None:
    """More came than are kept of all accounts: said once an hour."""
    audit = turn.tx.audit
    if audit.count_suspicious_by(HAZINA, turn.tx.now - WITHIN, 1):
        return
    audit.add(HOUSE, HAZINA, "strange", MORE)
    turn.notify_admins("notice.strangers", {"kept": KEPT_ALL_MAX})
