"""What is moved when somebody sets the clock: every moment that is waited for, or counted from.

A step of the clock by three days is three days in which nothing has happened. What has happened
stands as it was written: money, evidence, the audit log. Operations of the last month move whole:
they are counted, and once the clock is right compared with the bank's time. ``MOVES`` and ``STAYS``
name every column that holds a moment; a test asks for those that neither names.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import timedelta

from services.domain.business_days import business_day
from storage.time.milliseconds import from_ms

# Counted from for at most this long: freezes, quotas, refused notifications, missing receipts.
COUNTED_FOR = timedelta(days=31)

# ``:by`` are milliseconds, back where below zero; ``:since`` is ``COUNTED_FOR`` before the step.
MOVES = (
    # Operations: what goes on; and what has ended and counts for quotas and days, or lacks the
    # receipt of its payment.
    "UPDATE wallet_transactions SET due_at = due_at + :by WHERE due_at IS NOT NULL",
    "UPDATE wallet_transactions SET created_at = created_at + :by, settled_at = settled_at + :by"
    " WHERE created_at > :since",
    "UPDATE ncb_stk_push_logs SET sent_at = sent_at + :by WHERE sent_at > :since",
    "UPDATE float_purchases SET quoted_at = quoted_at + :by, authorised_at = authorised_at + :by,"
    " submitted_at = submitted_at + :by WHERE quoted_at > :since",
    # What has happened since is compared with them.
    "UPDATE proposals SET proposed_at = proposed_at + :by WHERE status = 'open'",
    "UPDATE approvals SET asked_at = asked_at + :by WHERE purchase IN"
    " (SELECT reference FROM wallet_transactions WHERE state = 'AWAITING_APPROVAL')",
    "UPDATE clock_changes SET at = at + :by",
    # Codes: their lives, and the quotas, waits and locks that are counted from them.
    "UPDATE otp_validations SET created_at = created_at + :by, expires_at = expires_at + :by,"
    " ended_at = ended_at + :by WHERE created_at > :since",
    "UPDATE otp_locks SET unlocked_at = unlocked_at + :by WHERE unlocked_at > :since",
    # Conversations, and what is kept so that nothing is done or told twice.
    "UPDATE sessions SET expires_at = expires_at + :by WHERE expires_at IS NOT NULL",
    "UPDATE slots SET updated_at = updated_at + :by",
    "UPDATE events SET decided_at = decided_at + :by",
    "UPDATE floods SET told_at = told_at + :by, until = until + :by",
    "UPDATE outbox SET created_at = created_at + :by, due_at = due_at + :by",
    "UPDATE documents SET created_at = created_at + :by",
    # People: what is new rests for a day, and an invitation is good for half an hour.
    "UPDATE people SET phone_changed_at = phone_changed_at + :by WHERE phone_changed_at > :since",
    "UPDATE people SET email_changed_at = email_changed_at + :by WHERE email_changed_at > :since",
    "UPDATE addresses SET linked_at = linked_at + :by, rests_from = rests_from + :by"
    " WHERE linked_at > :since",
    "UPDATE invites SET expires_at = expires_at + :by WHERE status IN ('open', 'claimed')",
    "UPDATE payment_notices SET received_at = received_at + :by"
    " WHERE verdict <> 'taken' AND received_at > :since",
)

# What was set by a clock that was ahead is in force from the same moment by the right one.
MOVES_BACK = (
    "UPDATE limits SET valid_from = valid_from + :by WHERE valid_from > :now AND valid_from <= :was"
    " AND NOT EXISTS (SELECT 1 FROM limits AS other WHERE other.name = limits.name"
    "  AND other.partner = limits.partner AND other.valid_from = limits.valid_from + :by)",
    "UPDATE fee_versions SET valid_from = valid_from + :by"
    " WHERE valid_from > :now AND valid_from <= :was",
    # What was done for a day that has not come: it is to be done when it comes.
    "UPDATE daily SET day = :yesterday WHERE day > :today",
    "UPDATE notifications SET last_day = :yesterday WHERE last_day > :today",
)

_HAPPENED = "when something happened"
_CALENDAR = "a day of the calendar"
STAYS: Mapping[str, str] = {
    "api_keys.created_at": _HAPPENED,
    "api_keys.expires_at": _CALENDAR,
    "api_keys.revoked_at": _HAPPENED,
    "api_keys.used_at": _HAPPENED,
    "approvals.decided_at": _HAPPENED,
    "audit_log.at": _HAPPENED,
    "blocked_phones.blocked_at": _HAPPENED,
    "broadcasts.ended_at": _HAPPENED,
    "broadcasts.started_at": _HAPPENED,
    "clock.at": "written by the same commit",
    "documents.first_day": _CALENDAR,
    "documents.last_day": _CALENDAR,
    "evidence.at": _HAPPENED,
    "external_payments.paid_at": "by the bank's clock",
    "external_payments.received_at": _HAPPENED,
    "findings.day": "by the bank's calendar",
    "findings.found_at": _HAPPENED,
    "forgotten_phones.at": _HAPPENED,
    "invites.created_at": _HAPPENED,
    "ncb_stk_push_logs.answered_at": _HAPPENED,
    "ncb_stk_push_logs.last_asked_at": _HAPPENED,
    "otp_locks.locked_at": "until somebody unlocks it",
    "partners.created_at": _HAPPENED,
    "people.created_at": _HAPPENED,
    "people.first_linked_at": _HAPPENED,
    "proposals.decided_at": _HAPPENED,
    "provider_calls.at": _HAPPENED,
    "reconciliations.closed_at": _HAPPENED,
    "reconciliations.day": "by the bank's calendar",
    "reconciliations.ran_at": _HAPPENED,
    "restores.begun_at": _HAPPENED,
    "restores.made_at": _HAPPENED,
    "restores.told_at": _HAPPENED,
    "review_items.closed_at": _HAPPENED,
    "review_items.opened_at": _HAPPENED,
    "schema_migrations.applied_at": _HAPPENED,
    "secrets.set_at": _HAPPENED,
    "sessions.updated_at": _HAPPENED,
    "statement_lines.day": "by the bank's calendar",
    "statement_lines.seen_at": _HAPPENED,
    "trail.at": _HAPPENED,
    "transfers.booked_at": _HAPPENED,
}


def shift_times(conn: sqlite3.Connection, was_ms: int, by_ms: int) -> None:
    """The clock was set by so much, from ``was_ms``, within the transaction that noticed."""
    now_ms = was_ms + by_ms
    today = business_day(from_ms(now_ms))
    values = {
        "by": by_ms,
        "was": was_ms,
        "now": now_ms,
        "since": was_ms - COUNTED_FOR // timedelta(milliseconds=1),
        "today": today.isoformat(),
        "yesterday": (today - timedelta(days=1)).isoformat(),
    }
    for statement in MOVES + (MOVES_BACK if by_ms < 0 else ()):
        conn.execute(statement, values)
