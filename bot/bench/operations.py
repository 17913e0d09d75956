"""A database with history: many settled top-ups inserted by SQL into the program's own tables.

Triggers and foreign keys are on, so balances are the sums that the program itself maintains.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.bench.program import Person, seed_people
from bot.channels.telegram.wire import CHANNEL
from bot.database import database_engine
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.topup import account_reference

YEAR_MS = 365 * 24 * 3600 * 1000
SETTLED_AFTER_MS = 21_000
CHUNK = 50_000  # operations per transaction
FIRST_SHARE = 2  # every second operation belongs to the first partner
_SPREAD = 1_000_003  # coprime with 31, so references look random and are unique

# One in ten was cancelled on the phone; the rest were paid.
_STATES = ("PAID",) * 9 + ("NOT_PAID",)


async def seed_database(path: Path, people: list[Person], operations: int) -> str:
    """Create the database; returns the reference where a history of at most 100,000 rows starts."""
    database = await database_engine.open_database(path, lambda: datetime.now(UTC))
    await database.write(lambda tx: seed_people(tx, people))
    await database.close()
    conn = sqlite3.connect(path, isolation_level=None, cached_statements=64)
    for pragma in (
        "journal_mode = WAL",
        "synchronous = OFF",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        "cache_size = -1000000",
    ):
        conn.execute(f"PRAGMA {pragma}")
    began_ms = int(datetime.now(UTC).timestamp() * 1000) - YEAR_MS
    for start in range(0, operations, CHUNK):
        conn.execute("BEGIN IMMEDIATE")
        _insert(conn, people, range(start, min(start + CHUNK, operations)), operations, began_ms)
        conn.execute("COMMIT")
    (deep,) = conn.execute(
        "SELECT reference FROM wallet_transactions WHERE partner = ?"
        " ORDER BY created_at DESC, reference DESC LIMIT 1 OFFSET ?",
        (people[0].partner, min(100_000, operations // FIRST_SHARE * 9 // 10)),
    ).fetchone()
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    return str(deep)


def begin_today(path: Path, number: int, since: datetime) -> None:
    """Have the newest ``number`` operations begun evenly between ``since`` and now."""
    since_ms, now_ms = (int(at.timestamp() * 1000) for at in (since, datetime.now(UTC)))
    conn = sqlite3.connect(path)
    conn.execute(
        "UPDATE wallet_transactions SET created_at = ? + (? - ?) * (seq - first) / ?,"
        " settled_at = ? + (? - ?) * (seq - first) / ? + settled_at - created_at"
        " FROM (SELECT max(seq) - ? + 1 AS first FROM wallet_transactions) WHERE seq >= first",
        (since_ms, now_ms, since_ms, number, since_ms, now_ms, since_ms, number, number),
    )
    conn.commit()
    conn.close()


def _insert(
    conn: sqlite3.Connection, people: list[Person], numbers: range, operations: int, began_ms: int
) -> None:
    rows = [_Operation(people, number, operations, began_ms) for number in numbers]
    conn.executemany(
        "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address,"
        " language, type, state, standing, reason, amount_cents, currency, phone,"
        " idempotency_key, created_at, settled_at, attempt) VALUES (?, ?, ?, ?, ?, 'en', 'topup',"
        " ?, ?, ?, ?, 'KES', ?, ?, ?, ?, 5)",
        (row.operation() for row in rows),
    )
    conn.executemany(
        "INSERT INTO ncb_stk_push_logs (reference, account_reference, bank_id, status,"
        " description, sent_at, answered_at, last_asked_at, polls)"
        " VALUES (?, ?, ?, 'accepted', 'Success', ?, ?, ?, 4)",
        (row.push() for row in rows),
    )
    conn.executemany(
        "INSERT INTO transfers (id, operation, phase, debit_partner, debit_kind, credit_partner,"
        " credit_kind, currency, amount_cents, code, booked_at, debit_move, credit_move)"
        " SELECT ?, ?, 'single', d.partner, d.kind, c.partner, c.kind, 'KES', ?, 'topup', ?,"
        " d.moves + 1, c.moves + 1 FROM accounts AS d JOIN accounts AS c ON c.partner = d.partner"
        " WHERE d.partner = ? AND d.kind = 'collection' AND d.currency = 'KES'"
        " AND c.kind = 'wallet' AND c.currency = 'KES'",
        (row.transfer() for row in rows if row.state == "PAID"),
    )
    conn.executemany(
        "INSERT INTO evidence (operation, kind, source, said, at)"
        " VALUES (?, ?, 'ncba.query', ?, ?)",
        (row.evidence() for row in rows),
    )


class _Operation:
    __slots__ = ("amount", "at_ms", "number", "person", "person_id", "reference", "state")

    def __init__(self, people: list[Person], number: int, operations: int, began_ms: int) -> None:
        self.number = number
        # The first partner's people come first, because ids were assigned in its order.
        own = number % FIRST_SHARE == 0
        at = (number // FIRST_SHARE) % 10 if own else number % len(people)
        self.person, self.person_id = people[at], at + 1
        self.reference = reference(number)
        self.state = _STATES[number % len(_STATES)]
        self.amount = (number % 700 + 1) * 100_00
        self.at_ms = began_ms + YEAR_MS * number // operations

    def operation(self) -> tuple[object, ...]:
        return (
            self.reference,
            self.person.partner,
            self.person_id,
            CHANNEL,
            self.person.address,
            self.state,
            "succeeded" if self.state == "PAID" else "ended",
            None if self.state == "PAID" else "cancelled",
            self.amount,
            self.person.phone.msisdn,
            f"seeded:{self.number}",
            self.at_ms,
            self.at_ms + SETTLED_AFTER_MS,
        )

    def push(self) -> tuple[object, ...]:
        settled = self.at_ms + SETTLED_AFTER_MS
        bank_id = f"STK-{self.number}"
        account = account_reference(self.reference)
        return (self.reference, account, bank_id, self.at_ms + 200, self.at_ms + 900, settled)

    def transfer(self) -> tuple[object, ...]:
        settled = self.at_ms + SETTLED_AFTER_MS
        return (
            f"{self.reference}:credit",
            self.reference,
            self.amount,
            settled,
            self.person.partner,
        )

    def evidence(self) -> tuple[object, ...]:
        at = self.at_ms + SETTLED_AFTER_MS
        if self.state == "PAID":
            return (self.reference, "paid", "Success", at)
        return (self.reference, "not_paid", "Request cancelled by user", at)


def reference(number: int) -> str:
    """A unique top-up reference for each number."""
    letters = "".join(_letters(number * _SPREAD % len(ALPHABET) ** REFERENCE_LENGTH))
    return f"TU-{letters}"


def _letters(rest: int) -> Iterator[str]:
    for _ in range(REFERENCE_LENGTH):
        rest, at = divmod(rest, len(ALPHABET))
        yield ALPHABET[at]
