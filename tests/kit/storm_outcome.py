"""All that came of a storm, to be compared with another run of the same seed."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from bot.storm.storm_run import StormRun
from bot.storm.story import Tally
from services.domain.outbox import OutboxRow
from services.ports import Tx
from services.ports.simulated_databases import SimulatedDatabase
from storage.raw import connection

# Which numbers rows have, and which run holds a lease, is nobody's business but the database's.
# What is sealed, differs each time.
_STORED = {
    "operations": (
        "SELECT reference, partner, person_id, channel, address, type, way, state, standing,"
        " reason, amount_cents, currency, phone, receipt, idempotency_key, created_at, settled_at,"
        " attempt, due_at, slow, listed, version, changed_at, description"
        " FROM wallet_transactions ORDER BY seq"
    ),
    "transfers": (
        "SELECT id, operation, phase, debit_partner, debit_kind, credit_partner, credit_kind,"
        " currency, amount_cents, code, pending_id, booked_at, debit_move, credit_move"
        " FROM transfers ORDER BY seq"
    ),
    "balances": (
        "SELECT partner, kind, currency, debits_pending, debits_posted, credits_pending,"
        " credits_posted, moves FROM accounts ORDER BY partner, kind, currency"
    ),
    "evidence": "SELECT operation, kind, source, said, at FROM evidence ORDER BY id",
    "calls": ("SELECT operation, call, attempt, outcome, said, at FROM provider_calls ORDER BY id"),
    "payments": (
        "SELECT receipt, reference, amount_cents, paid_at, payer, state, why, inferred, partner,"
        " operation FROM external_payments ORDER BY receipt"
    ),
    "events": (
        "SELECT partner, n, type, operation, version, data, request_id, idempotency_key"
        " FROM partner_events ORDER BY partner, n"
    ),
    "answers to calls": (
        "SELECT partner, idempotency_key, status, body FROM api_answers"
        " ORDER BY partner, idempotency_key"
    ),
    "deliveries": (
        "SELECT endpoint, partner, n, state, attempts, due_at FROM webhook_deliveries"
        " ORDER BY endpoint, partner, n"
    ),
    "audit log": (
        "SELECT partner, n, at, actor, act, about, facts FROM audit_log ORDER BY partner, n"
    ),
    "audit heads": "SELECT partner, n, hash FROM audit_heads ORDER BY partner",
}
# Screens tell what each job took, in real time, and how large the database is.
_REAL = re.compile(r"\d+ ms\b|[\d.]+ MiB")


class Outcome(NamedTuple):
    tally: Tally
    happened: list[str]
    said: list[tuple[str, ...]]
    stored: dict[str, list[Any]]


def difference(one: Outcome, other: Outcome) -> str:
    """Where they first differ, in the order of what leads to what; empty if nowhere."""
    for name, ours, theirs in (
        ("happened", one.happened, other.happened),
        ("said", one.said, other.said),
        *((name, one.stored[name], other.stored[name]) for name in _STORED),
    ):
        for n, (mine, its) in enumerate(zip(ours, theirs, strict=False)):
            if mine != its:
                return f"{name} {n}: {mine} or {its}"
        if len(ours) != len(theirs):
            return f"{name}: {len(ours)} or {len(theirs)}"
    return "" if one == other else f"{one.tally} or {other.tally}"


async def play(database: SimulatedDatabase, seed: int, hours: float, partners: int) -> Outcome:
    """Raises ``bot.storm.story.Violation``."""
    run = StormRun(seed, hours, partners, database)
    happened: list[str] = []
    said: list[tuple[str, ...]] = []
    note, delivered = run.story.note, run.watch.delivered

    def noted(words: str) -> None:
        happened.append(f"{run.world.clock.true_now():%d %H:%M:%S} {words}")
        note(words)

    def heard(row: OutboxRow) -> None:
        text = "a code" if row.otp is not None else _REAL.sub("…", row.text)
        said.append((row.channel, row.address, row.kind, text, row.rows))
        delivered(row)

    run.story.note, run.watch.delivered = noted, heard  # type: ignore[method-assign]
    tally = await run.run()
    reopened = await database.open(run.world.clock.now)
    try:
        return Outcome(tally, happened, said, await reopened.read(_stored))
    finally:
        await reopened.close()


def _stored(tx: Tx) -> dict[str, list[Any]]:
    return {name: connection(tx).execute(sql).fetchall() for name, sql in _STORED.items()}
