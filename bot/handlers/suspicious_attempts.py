"""Audits attempts to use what belongs to somebody else, and alerts the admins.

The audit log is never pruned, so the rows that an outsider can cause are limited, per account and
hour and over all accounts. One more row says that further attempts were not recorded;
``hazina_strangers`` counts all of them.
"""

from __future__ import annotations

from datetime import timedelta

from bot.context import TurnContext
from services.domain.audit import HAZINA, by_account
from services.domain.ledger import HOUSE

WITHIN = timedelta(hours=1)
TOLD_AT = 3  # attempts of one account after which admins are alerted, once
KEPT_MAX = 5  # rows for one account
# Rows for attempts that need no invitation; so admins are alerted to twenty accounts at most.
KEPT_ALL_MAX = 60
ANYBODYS = frozenset({"invite_unknown"})  # every other attempt needs a real invitation
MORE = "more"  # the subject of the row that says further attempts were not recorded


def note_suspicious_attempt(turn: TurnContext, why: str) -> None:
    turn.app.metrics.record_stranger("strange")
    audit, since = turn.tx.audit, turn.tx.now - WITHIN
    if why in ANYBODYS and audit.count_suspicious(since, KEPT_ALL_MAX) >= KEPT_ALL_MAX:
        _note_more_than_kept(turn)
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


def _note_more_than_kept(turn: TurnContext) -> None:
    """Record once an hour that the limit over all accounts was exceeded."""
    audit = turn.tx.audit
    if audit.count_suspicious_by(HAZINA, turn.tx.now - WITHIN, 1):
        return
    audit.add(HOUSE, HAZINA, "strange", MORE)
    turn.notify_admins("notice.strangers", {"kept": KEPT_ALL_MAX})
