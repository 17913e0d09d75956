"""Statements that guards refuse, statements that they let pass, and what constraints refuse.

All are about the rows of ``guarded_rows``.
"""

from __future__ import annotations

from typing import NamedTuple

BOOK = (
    "INSERT INTO transfers (id, operation, phase, debit_partner, debit_kind, credit_partner,"
    " credit_kind, currency, amount_cents, code, pending_id, booked_at, debit_move, credit_move)"
    " VALUES "
)
ACCOUNT = "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft"


class Guarded(NamedTuple):
    guard: str
    table: str
    words: str
    sql: str
    without: tuple[str, ...] = ()  # guards of the table that would refuse it, too


REFUSED = [
    Guarded("accounts_keep_identity", "accounts", "an account keeps its identity", sql, without)
    for without in [("accounts_move_by_transfer",)]
    for sql in (
        "UPDATE accounts SET partner = 'HOUSE' WHERE kind = 'wallet'",
        "UPDATE accounts SET kind = 'purse' WHERE kind = 'wallet'",
        "UPDATE accounts SET currency = 'USD' WHERE kind = 'wallet'",
        "UPDATE accounts SET normal_side = 'debit' WHERE kind = 'wallet'",
        "UPDATE accounts SET no_overdraft = 0 WHERE kind = 'wallet'",
    )
] + [
    Guarded(guard, table, words, sql)
    for guard, table, words, statements in (
        (
            "accounts_start_empty",
            "accounts",
            "an account starts empty",
            (
                f"{ACCOUNT}, debits_pending) VALUES ('DEMO', 'x', 'KES', 'debit', 0, 5)",
                f"{ACCOUNT}, debits_posted) VALUES ('DEMO', 'x', 'KES', 'debit', 0, 5)",
                f"{ACCOUNT}, credits_pending) VALUES ('DEMO', 'x', 'KES', 'debit', 0, 5)",
                f"{ACCOUNT}, credits_posted) VALUES ('DEMO', 'x', 'KES', 'credit', 1, 5)",
                f"{ACCOUNT}, last_transfer) VALUES ('DEMO', 'x', 'KES', 'credit', 1, 5)",
                f"{ACCOUNT}, moves) VALUES ('DEMO', 'x', 'KES', 'credit', 1, 5)",
            ),
        ),
        (
            "accounts_move_by_transfer",
            "accounts",
            "a balance is only the sum of transfers",
            (
                "UPDATE accounts SET credits_posted = credits_posted + 1",
                "UPDATE accounts SET debits_pending = 0 WHERE kind = 'wallet'",
                "UPDATE accounts SET moves = moves",
                "UPDATE accounts SET moves = NULL",
                "UPDATE accounts SET moves = moves + 1 WHERE kind = 'wallet' AND last_transfer > 0",
                "UPDATE accounts SET moves = moves + 1, last_transfer = last_transfer + 1",
                "UPDATE accounts SET moves = moves + 1 WHERE kind = 'float' AND last_transfer > 0",
                "UPDATE accounts SET moves = 1, last_transfer = 2 WHERE kind = 'collection'",
                "UPDATE accounts SET moves = 1, last_transfer = 1 WHERE currency = 'USD'",
                f"{ACCOUNT}) VALUES ('DEMO', 'wallet', 'KES', 'credit', 1)"
                " ON CONFLICT (partner, kind, currency) DO UPDATE SET credits_posted = 9",
            ),
        ),
        (
            "accounts_no_delete",
            "accounts",
            "an account is never deleted",
            ("DELETE FROM accounts", "DELETE FROM accounts WHERE kind = 'suspense'"),
        ),
        (
            "transfers_no_update",
            "transfers",
            "a transfer is never edited",
            (
                "UPDATE transfers SET amount_cents = amount_cents + 1",
                "UPDATE transfers SET booked_at = booked_at WHERE id = 't1'",
            ),
        ),
        (
            "transfers_no_delete",
            "transfers",
            "a transfer is never deleted",
            ("DELETE FROM transfers", "DELETE FROM transfers WHERE id = 't4'"),
        ),
        (
            "transfers_resolve",
            "transfers",
            "a post or void must match the pending transfer it resolves",
            (
                f"{BOOK}('x', 'FL-READY', 'post', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 29999,"
                " 'purchase', 't2', 50, 5, 4)",
                f"{BOOK}('x', 'FL-OTHER', 'post', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 30000,"
                " 'purchase', 't2', 50, 5, 4)",
                f"{BOOK}('x', 'FL-READY', 'post', 'ACME', 'wallet', 'DEMO', 'float', 'KES', 30000,"
                " 'purchase', 't2', 50, 1, 4)",
                f"{BOOK}('x', 'FL-READY', 'post', 'DEMO', 'wallet', 'ACME', 'float', 'KES', 30000,"
                " 'purchase', 't2', 50, 5, 1)",
                f"{BOOK}('x', 'FL-READY', 'post', 'DEMO', 'collection', 'DEMO', 'float', 'KES',"
                " 30000, 'purchase', 't2', 50, 2, 4)",
                f"{BOOK}('x', 'FL-READY', 'void', 'DEMO', 'float', 'DEMO', 'wallet', 'KES', 30000,"
                " 'purchase', 't2', 50, 4, 5)",
                f"{BOOK}('x', 'FL-READY', 'void', 'DEMO', 'wallet', 'DEMO', 'collection', 'KES',"
                " 30000, 'purchase', 't2', 50, 5, 2)",
                f"{BOOK}('x', 'TU-PAID', 'post', 'DEMO', 'collection', 'DEMO', 'wallet', 'KES',"
                " 100000, 'topup', 't1', 50, 2, 5)",
                f"{BOOK}('x', 'FL-READY', 'void', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 2000,"
                " 'purchase', 't4', 50, 5, 4)",
                f"{BOOK}('x', 'FL-READY', 'post', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 30000,"
                " 'purchase', 'missing', 50, 5, 4)",
                f"{BOOK}('x', 'FL-READY', 'post', 'DEMO', 'wallet', 'DEMO', 'float', 'USD', 30000,"
                " 'purchase', 't2', 50, 5, 4)",
            ),
        ),
        (
            "wallet_transactions_keep_amount",
            "wallet_transactions",
            "what was asked for is never edited",
            (
                "UPDATE wallet_transactions SET amount_cents = 1 WHERE reference = 'TU-OPEN'",
                "UPDATE wallet_transactions SET currency = 'USD' WHERE reference = 'FL-ASKED'",
                "UPDATE wallet_transactions SET partner = 'HOUSE' WHERE reference = 'PO-CODE'",
                "UPDATE wallet_transactions SET type = 'reversal' WHERE reference = 'AD-POSTED'",
            ),
        ),
        (
            "wallet_transactions_keep_receipt",
            "wallet_transactions",
            "a receipt is never lost",
            ("UPDATE wallet_transactions SET receipt = NULL WHERE reference = 'TU-PAID'",),
        ),
        (
            "wallet_transactions_keep_recipient",
            "wallet_transactions",
            "a confirmed payout is never edited",
            (
                "UPDATE wallet_transactions SET phone = '254110000001'"
                " WHERE reference = 'PO-READY'",
                "UPDATE wallet_transactions SET phone = '254110000001' WHERE reference = 'PO-CODE'",
                "UPDATE wallet_transactions SET phone = NULL WHERE reference = 'PO-READY'",
            ),
        ),
        (
            "float_purchases_keep_quote",
            "float_purchases",
            "a confirmed quote is never edited",
            (
                "UPDATE float_purchases SET transfer_fee_cents = 1 WHERE reference = 'FL-READY'",
                "UPDATE float_purchases SET processing_fee_cents = 1 WHERE reference = 'FL-READY'",
                "UPDATE float_purchases SET short_code = '1' WHERE reference = 'FL-READY'",
            ),
        ),
        (
            "payouts_keep_order",
            "payouts",
            "a confirmed payout is never edited",
            (
                "UPDATE payouts SET fee_cents = 1 WHERE reference = 'PO-READY'",
                "UPDATE payouts SET short_code = '1' WHERE reference = 'PO-CODE'",
            ),
        ),
        (
            "payouts_keep_words",
            "payouts",
            "an approved payout is never reworded",
            (
                "UPDATE payouts SET remarks = 'other' WHERE reference = 'PO-READY'",
                "UPDATE payouts SET client_reference = 'other' WHERE reference = 'PO-READY'",
            ),
        ),
        (
            "payout_messages_keep",
            "payout_messages",
            "what was posted is never edited",
            (
                "UPDATE payout_messages SET digest = 'other'",
                "UPDATE payout_messages SET kind = 'timeout'",
                "UPDATE payout_messages SET body = x'00'",
                "UPDATE payout_messages SET operation = NULL",
                "UPDATE payout_messages SET concluded = concluded",
                "UPDATE payout_messages SET received_at = 1",
            ),
        ),
        (
            "payout_batches_keep",
            "payout_batches",
            "a batch is never edited",
            (
                "UPDATE payout_batches SET digest = 'other'",
                "UPDATE payout_batches SET row_count = 3",
                "UPDATE payout_batches SET fee_cents = 1",
                "UPDATE payout_batches SET code_phone = '254110000001'",
            ),
        ),
        (
            "payout_batches_approved_once",
            "payout_batches",
            "what was approved stays as it is",
            (
                "UPDATE payout_batches SET approved_digest = 'd2' WHERE reference = 'BA-RUNNING'",
                "UPDATE payout_batches SET approved_digest = NULL WHERE reference = 'BA-RUNNING'",
            ),
        ),
        (
            "payout_batch_rows_keep",
            "payout_batch_rows",
            "a row is never edited, and becomes one payout",
            (
                "UPDATE payout_batch_rows SET payout = 'PO-READY' WHERE reference = 'r1'"
                " AND batch = 'BA-RUNNING'",
                "UPDATE payout_batch_rows SET batch = 'BA-CANCELLED' WHERE number = 2",
                "UPDATE payout_batch_rows SET number = 3 WHERE number = 2",
                "UPDATE payout_batch_rows SET phone = '254110000001' WHERE number = 2",
                "UPDATE payout_batch_rows SET amount_cents = 1 WHERE number = 2",
                "UPDATE payout_batch_rows SET currency = 'USD' WHERE number = 2",
                "UPDATE payout_batch_rows SET reference = 'r3' WHERE number = 2",
                "UPDATE payout_batch_rows SET name = 'Ali' WHERE number = 2",
                "UPDATE payout_batch_rows SET remarks = 'hi' WHERE number = 2",
            ),
        ),
        (
            "payout_batch_rows_stay",
            "payout_batch_rows",
            "a confirmed row stays",
            (
                "DELETE FROM payout_batch_rows WHERE batch = 'BA-RUNNING'",
                "DELETE FROM payout_batch_rows WHERE batch = 'BA-DECLINED'",
            ),
        ),
        (
            "external_payments_keep",
            "external_payments",
            "what was paid is never edited",
            (
                "UPDATE external_payments SET amount_cents = 1 WHERE receipt = 'SLB3'",
                "UPDATE external_payments SET currency = 'USD' WHERE receipt = 'SLB3'",
                "UPDATE external_payments SET paid_at = 1 WHERE receipt = 'SLB3'",
                "UPDATE external_payments SET reference = 'PB-9' WHERE receipt = 'SLB3'",
                "UPDATE external_payments SET operation = 'FL-READY' WHERE receipt = 'SLB1'",
                "UPDATE external_payments SET operation = NULL, partner = NULL"
                " WHERE receipt = 'SLB1'",
            ),
        ),
        (
            "external_payments_no_delete",
            "external_payments",
            "a payment is never forgotten",
            ("DELETE FROM external_payments WHERE receipt = 'SLB3'",),
        ),
        (
            "otp_validations_end_once",
            "otp_validations",
            "a code that has ended stays as it is",
            tuple(
                f"UPDATE otp_validations SET {column} = {column} WHERE id = 'c1'"  # noqa: S608
                for column in (
                    "id",
                    "purpose",
                    "operation",
                    "partner",
                    "person_id",
                    "amount_cents",
                    "currency",
                    "destination",
                    "phone",
                    "pepper_id",
                    "digest",
                    "status",
                    "attempts",
                    "sent",
                    "channel",
                    "address",
                )
            ),
        ),
        (
            "pin_approvals_bind",
            "pin_approvals",
            "a PIN approves what it was asked for",
            (
                "UPDATE pin_approvals SET operation = 'TU-PAID' WHERE approved_at IS NULL",
                "UPDATE pin_approvals SET purpose = 'approval' WHERE approved_at IS NULL",
                "UPDATE pin_approvals SET partner = 'HOUSE' WHERE approved_at IS NULL",
                "UPDATE pin_approvals SET person_id = 2 WHERE approved_at IS NULL",
                "UPDATE pin_approvals SET amount_cents = 1 WHERE approved_at IS NULL",
                "UPDATE pin_approvals SET currency = 'USD' WHERE approved_at IS NULL",
                "UPDATE pin_approvals SET destination = '1' WHERE approved_at IS NULL",
            ),
        ),
        (
            "pin_approvals_stay",
            "pin_approvals",
            "what a PIN approved stays as it is",
            (
                "UPDATE pin_approvals SET approved_at = NULL WHERE approved_at = 5",
                "UPDATE pin_approvals SET asked_at = 9 WHERE approved_at = 5",
            ),
        ),
        (
            "pin_approvals_kept",
            "pin_approvals",
            "what a PIN approved is kept",
            ("DELETE FROM pin_approvals WHERE approved_at = 5",),
        ),
        (
            "partner_events_no_update",
            "partner_events",
            "an event is never edited",
            ("UPDATE partner_events SET data = '[]'", "UPDATE partner_events SET n = n"),
        ),
        (
            "evidence_no_update",
            "evidence",
            "evidence is append-only",
            ("UPDATE evidence SET said = ''",),
        ),
        ("evidence_no_delete", "evidence", "evidence is append-only", ("DELETE FROM evidence",)),
        (
            "provider_calls_no_update",
            "provider_calls",
            "provider calls are append-only",
            ("UPDATE provider_calls SET outcome = 'not_sent'",),
        ),
        (
            "provider_calls_no_delete",
            "provider_calls",
            "provider calls are append-only",
            ("DELETE FROM provider_calls",),
        ),
        (
            "audit_log_no_update",
            "audit_log",
            "the audit log is append-only",
            ("UPDATE audit_log SET actor = 'nobody'",),
        ),
        (
            "audit_log_no_delete",
            "audit_log",
            "the audit log is append-only",
            ("DELETE FROM audit_log",),
        ),
    )
    for sql in statements
]

# What the guards let pass: a trigger that refuses too much is as wrong.
ALLOWED = [
    f"{ACCOUNT}) VALUES ('DEMO', 'payout', 'KES', 'credit', 0)",
    f"{ACCOUNT}) VALUES ('DEMO', 'wallet', 'KES', 'credit', 1)"
    " ON CONFLICT (partner, kind, currency) DO NOTHING",
    f"{BOOK}('t1', 'TU-PAID', 'single', 'DEMO', 'collection', 'DEMO', 'wallet', 'KES', 100000,"
    " 'topup', NULL, 50, 2, 5) ON CONFLICT (id) DO NOTHING",
    f"{BOOK}('t4', 'FL-READY', 'post', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 2000,"
    " 'purchase', 't3', 50, 5, 4) ON CONFLICT (id) DO NOTHING",
    f"{BOOK}('x', 'FL-READY', 'post', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 30000,"
    " 'purchase', 't2', 50, 5, 4)",
    f"{BOOK}('x', 'FL-READY', 'void', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 30000,"
    " 'purchase', 't2', 50, 5, 4)",
    f"{BOOK}('x', 'FL-QUOTED', 'single', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 68000,"
    " 'purchase', NULL, 50, 5, 4)",
    "UPDATE wallet_transactions SET amount_cents = 1 WHERE reference = 'FL-QUOTED'",
    "UPDATE wallet_transactions SET phone = '254110000001' WHERE reference = 'PO-QUOTED'",
    "UPDATE wallet_transactions SET phone = phone WHERE reference = 'PO-READY'",
    "UPDATE wallet_transactions SET phone = '254110000001' WHERE reference = 'TU-OPEN'",
    "UPDATE wallet_transactions SET receipt = 'SLB9' WHERE reference = 'TU-PAID'",
    "UPDATE wallet_transactions SET state = 'PAID', standing = 'succeeded'"
    " WHERE reference = 'TU-OPEN'",
    "UPDATE float_purchases SET transfer_fee_cents = 1"
    " WHERE reference IN ('FL-QUOTED', 'FL-ASKED')",
    "UPDATE float_purchases SET transfer_fee_cents = 100, submitted_at = 5",
    "UPDATE payouts SET fee_cents = 1, short_code = '1' WHERE reference = 'PO-QUOTED'",
    "UPDATE payouts SET remarks = 'other', client_reference = 'c' WHERE reference = 'PO-CODE'",
    "UPDATE payouts SET fee_cents = 5, submitted_at = 1, client_reference = NULL",
    "UPDATE payout_messages SET times = times + 1",
    "UPDATE payout_batches SET digest = digest, accepted = 1, told_at = 1",
    "UPDATE payout_batches SET approved_digest = 'd1' WHERE reference = 'BA-RUNNING'",
    "UPDATE payout_batches SET approved_digest = 'd2' WHERE reference = 'BA-CANCELLED'",
    "UPDATE payout_batch_rows SET payout = 'PO-READY' WHERE number = 2",
    "DELETE FROM payout_batch_rows WHERE batch = 'BA-CANCELLED'",
    "UPDATE external_payments SET operation = 'FL-READY' WHERE receipt = 'SLB2'",
    "UPDATE external_payments SET state = 'RELEASED', partner = 'DEMO', operation = 'AD-POSTED'"
    " WHERE receipt = 'SLB3'",
    "UPDATE external_payments SET state = 'REVERSED' WHERE receipt = 'SLB1'",
    "UPDATE otp_validations SET created_at = 1, expires_at = 2, ended_at = 3, verified_at = 4",
    "UPDATE otp_validations SET attempts = 1 WHERE id = 'c2'",
    "UPDATE pin_approvals SET approved_at = 5 WHERE approved_at IS NULL",
    "DELETE FROM pin_approvals WHERE approved_at IS NULL",
    "DELETE FROM partner_events",
    "DELETE FROM webhook_endpoints",
]

# What no trigger refuses, but a constraint.
CONSTRAINED = [
    (
        "check",
        f"{BOOK}('x', 'FL-QUOTED', 'single', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 68001,"
        " 'purchase', NULL, 50, 5, 4)",
    ),
    (
        "check",
        f"{BOOK}('x', 'FL-QUOTED', 'pending', 'DEMO', 'float', 'DEMO', 'wallet', 'KES', 2001,"
        " 'purchase', NULL, 50, 4, 5)",
    ),
    (
        "check",
        f"{BOOK}('x', 'FL-QUOTED', 'single', 'DEMO', 'wallet', 'DEMO', 'wallet', 'KES', 1,"
        " 'purchase', NULL, 50, 5, 5)",
    ),
    (
        "check",
        f"{BOOK}('x', 'FL-QUOTED', 'post', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 1,"
        " 'purchase', NULL, 50, 5, 4)",
    ),
    (
        "unique",
        f"{BOOK}('x', 'FL-READY', 'void', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 2000,"
        " 'purchase', 't3', 50, 5, 4)",
    ),
    (
        "unique",
        f"{BOOK}('t1', 'TU-PAID', 'single', 'DEMO', 'collection', 'DEMO', 'wallet', 'KES', 100000,"
        " 'topup', NULL, 50, 2, 5)",
    ),
    (
        "foreign key",
        f"{BOOK}('x', 'x', 'single', 'DEMO', 'purse', 'DEMO', 'wallet', 'KES', 1,"
        " 'topup', NULL, 50, NULL, 5)",
    ),
    (
        "foreign key",
        f"{BOOK}('x', 'x', 'single', 'DEMO', 'collection', 'DEMO', 'wallet', 'EUR', 1,"
        " 'topup', NULL, 50, NULL, NULL)",
    ),
    (
        "not null",
        f"{BOOK}(NULL, 'x', 'single', 'DEMO', 'collection', 'DEMO', 'wallet', 'KES', 1,"
        " 'topup', NULL, 50, 2, 5)",
    ),
    ("foreign key", "DELETE FROM people"),
    ("foreign key", "UPDATE wallet_transactions SET state = 'WON' WHERE reference = 'TU-OPEN'"),
    (
        "foreign key",
        "UPDATE wallet_transactions SET standing = 'ready' WHERE reference = 'TU-OPEN'",
    ),
    (
        "unique",
        "INSERT INTO provider_calls (operation, call, attempt, outcome, said, milliseconds, at)"
        " VALUES ('TU-PAID', 'initiate', 2, 'unknown', '', 5, 0)",
    ),
    ("check", "UPDATE approvals SET decided_by = asked_by"),
    ("check", "UPDATE external_payments SET state = 'SUSPENDED' WHERE receipt = 'SLB1'"),
    ("not null", "UPDATE people SET role = NULL"),
]
