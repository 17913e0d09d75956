"""Rows as earlier schema versions left them, for tests of the migrations that follow."""

from __future__ import annotations

import sqlite3
from typing import Any

from tests.kit.plain_store import START

NOW = int(START.timestamp() * 1000)
KEPT_UP_TO_0003 = [  # tables whose rows later migrations leave unchanged
    "partners", "partner_wallets", "people", "addresses", "limits", "transfers",
    "wallet_transactions", "ncb_stk_push_logs", "float_purchases", "otp_validations", "evidence",
    "provider_calls", "review_items", "events", "sessions", "slots", "outbox", "trail", "topups",
    "purchases", "codes", "documents",
]  # fmt: skip
STATES = [
    # state, reason, bank id, receipt, attempt, due, claimed, slow, push status, polls
    ("CREATED", None, None, None, 0, NOW, 0, 0, "created", 0),
    ("SENDING", None, None, None, 1, NOW + 60_000, 1, 0, "sending", 0),
    ("PENDING", None, "NCB-1", None, 4, NOW + 5_000, 0, 1, "accepted", 3),
    ("PAID", None, "NCB-2", "UA1B2C3D4E", 2, None, 0, 0, "paid", 1),
    ("NOT_PAID", "cancelled", "NCB-3", None, 2, NOW + 30_000, 0, 0, "not_paid", 1),
    ("REJECTED", "busy", None, None, 1, None, 0, 0, "rejected", 0),
    ("SEND_UNKNOWN", None, None, None, 1, None, 0, 0, "unknown", 0),
    ("UNKNOWN", None, "NCB-4", None, 60, None, 0, 1, "accepted", 59),
    ("PAID_LATE", None, "NCB-5", "UA1B2C3D4F", 9, None, 0, 0, "paid", 8),
]


def fill(conn: sqlite3.Connection) -> None:
    """The data of an installation with three partners, as the first version left it."""
    for code, currency, suspended in (("ACME", "KES", 1), ("DEMO", "KES", 0), ("UGX", "UGX", 0)):
        conn.execute("INSERT INTO partners VALUES (?, ?, ?)", (code, suspended, NOW))
        conn.execute("INSERT INTO partner_wallets VALUES (?, ?, 50000)", (code, currency))
        for kind in ("wallet", "float", "collection", "b2c_utility", "suspense"):
            debit = kind in ("collection", "b2c_utility")
            conn.execute(
                "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft)"
                " VALUES (?, ?, ?, ?, ?)",
                (code, kind, currency, "debit" if debit else "credit", int(not debit)),
            )
        conn.execute(
            "INSERT INTO people (partner, name, role, phone, email, created_at)"
            " VALUES (?, 'amina', 'owner', '254712345678', 'a@b.example', ?)",
            (code, NOW),
        )
        conn.execute(
            "INSERT INTO addresses SELECT 'telegram', partner, id, ? FROM people WHERE partner = ?",
            (NOW, code),
        )
    conn.execute("INSERT INTO limits VALUES ('c2b.max', ?, 10000000, 'KES', 'admin')", (NOW,))
    for number, (
        state,
        reason,
        bank_id,
        receipt,
        attempt,
        due,
        claimed,
        slow,
        status,
        polls,
    ) in enumerate(STATES):
        reference = f"TU-22222{number}"
        conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
            " language, type, state, reason, amount_cents, currency, phone, receipt,"
            " idempotency_key, created_at, settled_at, attempt, due_at, claimed, slow) VALUES"
            " (?, 'DEMO', 2, 'telegram', 'DEMO', 'en', 'topup', ?, ?, ?, 'KES', '254712345678',"
            " ?, ?, ?, ?, ?, ?, ?, ?)",
            (reference, state, reason, (number + 1) * 10_000, receipt, f"event-{number}",
             NOW + number, NOW if receipt else None, attempt, due, claimed, slow),
        )  # fmt: skip
        conn.execute(
            "INSERT INTO ncb_stk_push_logs VALUES (?, ?, ?, ?, 'said', ?, ?, ?, ?)",
            (reference, f"DEMO{number}", bank_id, status, NOW, NOW + 1, NOW + 2, polls),
        )
        conn.execute(
            "INSERT INTO provider_calls (operation, call, attempt, outcome, said, milliseconds, at)"
            " VALUES (?, 'initiate', 1, ?, 'said', 250, ?)",
            (reference, "not_sent" if state == "CREATED" else "accepted", NOW),
        )
        conn.execute(
            "INSERT INTO evidence (operation, kind, source, said, at) VALUES"
            " (?, 'accepted', 'ncba.initiate', 'said', ?)",
            (reference, NOW),
        )
        if receipt:
            conn.execute(
                "INSERT INTO transfers (id, operation, phase, debit_partner, debit_kind,"
                " credit_partner, credit_kind, currency, amount_cents, code, booked_at) VALUES"
                " (?, ?, 'single', 'DEMO', 'collection', 'DEMO', 'wallet', 'KES', ?, 'topup', ?)",
                (f"{reference}:topup", reference, (number + 1) * 10_000, NOW),
            )
    conn.execute("INSERT INTO review_items VALUES ('TU-222227', 'unknown', ?, NULL)", (NOW,))
    for number, (kind, state) in enumerate(
        (("answer", "queued"), ("answer", "sent"), ("progress", "dead"), ("receipt", "queued"))
    ):
        conn.execute(
            "INSERT INTO outbox (channel, address, event_id, n, kind, slot, edits, text, rows,"
            " turn, fallback, protect, state, attempts, due_at, created_at, error) VALUES"
            " ('telegram', 'DEMO', ?, 0, ?, 'topup:TU-222222', 1, 'words', '[]', 7,"
            " '254712345678', 1, ?, 2, ?, ?, 'shut')",
            (str(number) if number else None, kind, state, NOW, NOW),
        )
    conn.execute("DELETE FROM outbox WHERE id = 2")  # cleaned up, so ids have gaps
    conn.execute("INSERT INTO events VALUES ('telegram', '1', ?, NULL)", (NOW,))
    conn.execute(
        "INSERT INTO sessions VALUES ('telegram', 'DEMO', 9, 'topup', 'confirm', ?, ?, ?)",
        ('{"active":{"flow":"topup","version":1,"node":"confirm","data":{}}}', NOW, NOW),
    )
    conn.execute("INSERT INTO slots VALUES ('telegram', 'DEMO', 'balance', 'm1', ?)", (NOW,))
    conn.execute(
        "INSERT INTO trail (at, channel, address, input, outcome) VALUES (?, 'telegram', 'DEMO',"
        " 'text', 'opened')",
        (NOW,),
    )


def named(conn: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    cursor = conn.execute(f"SELECT * FROM {table}")  # noqa: S608
    names = [column[0] for column in cursor.description]
    return sorted((dict(zip(names, row, strict=True)) for row in cursor), key=str)


PURCHASES = [
    # state, reason, status of the code
    ("QUOTED", None, None),
    ("OTP_SENT", None, "pending"),
    ("AUTHORISED", None, "used"),
    ("SUCCEEDED", None, "used"),
    ("UNKNOWN", None, "used"),
    ("OTP_LOCKED", None, "locked"),
    ("CANCELLED", None, "killed"),
]


def fill_float(conn: sqlite3.Connection) -> None:
    """Purchases in several states, with codes and documents, as the third version left them."""
    for n, (state, reason, code) in enumerate(PURCHASES):
        reference = f"FL-22222{n + 2}"
        conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
            " language, type, state, reason, amount_cents, currency, phone, idempotency_key,"
            " created_at, attempt, listed) VALUES (?, 'DEMO', 2, 'telegram', ?, 'en',"
            " 'b2c_float_purchase', ?, ?, 500000, 'KES', '254712345678', ?, ?, 0, ?)",
            (reference, f"a{n}", state, reason, f"float-{n}", NOW + n, int(state != "QUOTED")),
        )
        conn.execute(
            "INSERT INTO float_purchases (reference, short_code, transfer_fee_cents,"
            " processing_fee_cents, transfer_fee_version, processing_fee_version, quoted_at)"
            " VALUES (?, '400187', 100, 50, 0, 0, ?)",
            (reference, NOW),
        )
        if code is not None:
            conn.execute(
                "INSERT INTO otp_validations (id, purpose, operation, partner, person_id,"
                " amount_cents, currency, destination, phone, pepper_id, digest, status, attempts,"
                " sent, created_at, expires_at) VALUES (?, 'float_purchase', ?, 'DEMO', 2, 500150,"
                " 'KES', '400187', '254712345678', '1', 'digest', ?, 1, 1, ?, ?)",
                (f"OT-{n}", reference, code, NOW, NOW + 600_000),
            )
    for n, (form, state) in enumerate((("pdf", "MADE"), ("csv", "REQUESTED"), ("chart", "FAILED"))):
        conn.execute(
            "INSERT INTO documents (reference, partner, channel, address, language, format,"
            " first_day, last_day, state, attempts, created_at, name, content) VALUES"
            " (?, 'DEMO', 'telegram', 'DEMO', 'en', ?, '2026-01-01', '2026-01-31', ?, 1, ?,"
            " 'n', ?)",
            (f"ST-22222{n + 2}", form, state, NOW, b"file"),
        )


def propose(conn: sqlite3.Connection) -> None:
    """An open proposal, as stored since migration 0004."""
    conn.execute(
        "INSERT INTO proposals (id, kind, partner, about, outcome, amount_cents, currency, reason,"
        " proposed_by, proposed_at, status) VALUES ('PR-222222', 'adjust', 'DEMO', 'AD-222222',"
        " 'credit', 100, 'KES', 'a reason of some length', 'admin:telegram:1', ?, 'open')",
        (NOW,),
    )
