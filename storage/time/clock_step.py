"""Shifts every pending deadline and counting window when somebody sets the clock.

A three-day clock step means that nothing happened in those three days. Records of what has happened
keep their times: money, evidence, the audit log. Operations of the last month are shifted as a
whole: they count towards limits, and once the clock is right they are compared with the bank's
times. ``MOVES`` and ``STAYS`` together name every column that holds a time; a test finds any that
neither names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from services.domain.business_days import business_day
from storage.sql import Connection
from storage.time.milliseconds import from_ms

# The longest counting window: freezes, quotas, refused notifications, missing receipts.
COUNTED_FOR = timedelta(days=31)

# Each statement with the names of its values in order: ``by`` is in milliseconds, negative when the
# clock went back; ``since`` is ``COUNTED_FOR`` before the step.
MOVES = (
    # Operations: those in progress, and ended ones that count towards quotas and days or still lack
    # a receipt.
    ("UPDATE wallet_transactions SET due_at = due_at + ? WHERE due_at IS NOT NULL", "by"),
    (
        "UPDATE wallet_transactions SET created_at = created_at + ?, settled_at = settled_at + ?"
        " WHERE created_at > ?",
        "by by since",
    ),
    ("UPDATE ncb_stk_push_logs SET sent_at = sent_at + ? WHERE sent_at > ?", "by since"),
    (
        "UPDATE float_purchases SET quoted_at = quoted_at + ?, authorised_at = authorised_at + ?,"
        " submitted_at = submitted_at + ? WHERE quoted_at > ?",
        "by by by since",
    ),
    (
        "UPDATE payouts SET quoted_at = quoted_at + ?, authorised_at = authorised_at + ?,"
        " ready_since = ready_since + ?, submitted_at = submitted_at + ?,"
        " claimed_paid_at = claimed_paid_at + ? WHERE quoted_at > ?",
        "by by by by by since",
    ),
    (
        "UPDATE payout_batches SET quoted_at = quoted_at + ?, authorised_at = authorised_at + ?,"
        " told_at = told_at + ? WHERE quoted_at > ?",
        "by by by since",
    ),
    # Compared with the operations above.
    ("UPDATE proposals SET proposed_at = proposed_at + ? WHERE status = 'open'", "by"),
    (
        "UPDATE approvals SET asked_at = asked_at + ? WHERE purchase IN"
        " (SELECT reference FROM wallet_transactions WHERE state = 'AWAITING_APPROVAL')",
        "by",
    ),
    ("UPDATE clock_changes SET at = at + ?", "by"),
    # Codes: their lifetimes, and the quotas, cool-downs and locks counted from them.
    (
        "UPDATE otp_validations SET created_at = created_at + ?, expires_at = expires_at + ?,"
        " ended_at = ended_at + ?, verified_at = verified_at + ? WHERE created_at > ?",
        "by by by by since",
    ),
    ("UPDATE otp_locks SET unlocked_at = unlocked_at + ? WHERE unlocked_at > ?", "by since"),
    # Conversations, and the records that prevent duplicates.
    ("UPDATE sessions SET expires_at = expires_at + ? WHERE expires_at IS NOT NULL", "by"),
    ("UPDATE slots SET updated_at = updated_at + ?", "by"),
    ("UPDATE events SET decided_at = decided_at + ?", "by"),
    # What is of a bank lasts as long as it would have.
    (
        "UPDATE bank_tokens SET expires_at = expires_at + ?, renewing_until = renewing_until + ?",
        "by by",
    ),
    ("UPDATE floods SET told_at = told_at + ?, until = until + ?", "by by"),
    ("UPDATE outbox SET created_at = created_at + ?, due_at = due_at + ?", "by by"),
    ("UPDATE documents SET created_at = created_at + ?", "by"),
    ("UPDATE webhook_deliveries SET due_at = due_at + ? WHERE state = 'queued'", "by"),
    # People: changes freeze purchases for a day; an invitation lasts half an hour.
    (
        "UPDATE people SET phone_changed_at = phone_changed_at + ? WHERE phone_changed_at > ?",
        "by since",
    ),
    (
        "UPDATE people SET email_changed_at = email_changed_at + ? WHERE email_changed_at > ?",
        "by since",
    ),
    (
        "UPDATE addresses SET linked_at = linked_at + ?, rests_from = rests_from + ?"
        " WHERE linked_at > ?",
        "by by since",
    ),
    ("UPDATE invites SET expires_at = expires_at + ? WHERE status IN ('open', 'claimed')", "by"),
    (
        "UPDATE payment_notices SET received_at = received_at + ?"
        " WHERE verdict <> 'taken' AND received_at > ?",
        "by since",
    ),
    # USSD: a session lasts minutes, and how many a phone begins is limited. So does setting a PIN.
    ("UPDATE ussd_sessions SET begun_at = begun_at + ?, heard_at = heard_at + ?", "by by"),
    ("UPDATE desk_pin_changes SET proved_at = proved_at + ?", "by"),
    ("UPDATE pin_approvals SET asked_at = asked_at + ? WHERE approved_at IS NULL", "by"),
    # Admins: a link lasts two minutes, a session hours.
    (
        "UPDATE dashboard_logins SET link_until = link_until + ?,"
        " session_begun = session_begun + ?, session_used = session_used + ?",
        "by by by",
    ),
)

# Settings made by a clock that was ahead take effect at the same moment of the corrected clock.
MOVES_BACK = (
    (
        "UPDATE limits SET valid_from = valid_from + ? WHERE valid_from > ? AND valid_from <= ?"
        " AND NOT EXISTS (SELECT 1 FROM limits AS other WHERE other.name = limits.name"
        "  AND other.partner = limits.partner AND other.valid_from = limits.valid_from + ?)",
        "by now was by",
    ),
    (
        "UPDATE fee_versions SET valid_from = valid_from + ?"
        " WHERE valid_from > ? AND valid_from <= ?",
        "by now was",
    ),
    # Daily work done for a future day is done again when that day comes.
    ("UPDATE daily SET day = ? WHERE day > ?", "yesterday today"),
    ("UPDATE notifications SET last_day = ? WHERE last_day > ?", "yesterday today"),
)

_HAPPENED = "when something happened"
_CALENDAR = "a day of the calendar"
STAYS: Mapping[str, str] = {
    "api_answers.created_at": _HAPPENED,
    "api_keys.created_at": _HAPPENED,
    "api_keys.expires_at": _CALENDAR,
    "api_keys.revoked_at": _HAPPENED,
    "api_keys.used_at": _HAPPENED,
    "api_keys.used_from": "an address of the network",
    "approvals.decided_at": _HAPPENED,
    "audit_log.at": _HAPPENED,
    "blocked_phones.blocked_at": _HAPPENED,
    "broadcasts.ended_at": _HAPPENED,
    "broadcasts.started_at": _HAPPENED,
    "clock.at": "written by the same commit",
    "desk_pins.locked_at": "until another PIN is set",
    "desk_pins.set_at": _HAPPENED,
    "documents.first_day": _CALENDAR,
    "documents.last_day": _CALENDAR,
    "evidence.at": _HAPPENED,
    "external_payments.paid_at": "by the bank's clock",
    "external_payments.received_at": _HAPPENED,
    "findings.day": "by the bank's calendar",
    "findings.found_at": _HAPPENED,
    "forgotten_phones.at": _HAPPENED,
    "invites.created_at": _HAPPENED,
    "mpesa_balances.alerted_at": _HAPPENED,
    "mpesa_balances.told_at": _HAPPENED,
    "ncb_stk_push_logs.answered_at": _HAPPENED,
    "ncb_stk_push_logs.last_asked_at": _HAPPENED,
    "otp_locks.locked_at": "until somebody unlocks it",
    "partner_events.created_at": _HAPPENED,
    "partners.created_at": _HAPPENED,
    "partner_wallets.payouts_frozen_at": "until an owner thaws them",
    "payout_messages.received_at": _HAPPENED,
    "payout_pauses.began_at": _HAPPENED,
    "payout_pauses.ended_at": _HAPPENED,
    "payout_queries.asked_at": _HAPPENED,
    "people.created_at": _HAPPENED,
    "people.first_linked_at": _HAPPENED,
    "pin_approvals.approved_at": _HAPPENED,
    "proposals.decided_at": _HAPPENED,
    "provider_calls.at": _HAPPENED,
    "recipients.saved_at": _HAPPENED,
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
    "short_code_lines.day": "by M-PESA's calendar",
    "short_code_lines.seen_at": _HAPPENED,
    "statement_lines.day": "by the bank's calendar",
    "statement_lines.seen_at": _HAPPENED,
    "trail.at": _HAPPENED,
    "transfers.booked_at": _HAPPENED,
    "ussd_events.received_at": _HAPPENED,
    "ussd_sessions.disputed_at": _HAPPENED,
    "wallet_transactions.changed_at": _HAPPENED,
    "wallet_transactions.public_created_at": _HAPPENED,
    "webhook_deliveries.created_at": _HAPPENED,
    "webhook_endpoints.created_at": _HAPPENED,
    "webhook_endpoints.disabled_at": _HAPPENED,
    "webhook_endpoints.last_success_at": _HAPPENED,
}


def shift_times(conn: Connection, was_ms: int, by_ms: int) -> None:
    """Shift by ``by_ms`` from ``was_ms``, in the transaction that noticed the clock step."""
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
    for statement, names in MOVES + (MOVES_BACK if by_ms < 0 else ()):
        conn.execute(statement, [values[name] for name in names.split()])
    conn.execute("UPDATE cache_versions SET version = version + 1")
