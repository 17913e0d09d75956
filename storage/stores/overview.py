"""How the whole desk stands. Each statement reads an index from its end, or accounts and endpoints,
of which there are as many as partners and not as operations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from services.domain.ledger import NORMAL_SIDE, AccountKind, Balance, Side
from services.domain.money import Money
from services.domain.overview import (
    Imbalance,
    LatePayment,
    QueuedMessages,
    StateCount,
    StuckItem,
    UnhappyEndpoint,
)
from services.domain.runway import PaidOut
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class OverviewStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def stuck(self, limit: int) -> list[StuckItem]:
        rows = self._conn.execute(
            "SELECT r.operation, r.why, r.opened_at, coalesce(w.partner, p.partner, f.partner),"
            " coalesce(w.amount_cents, p.amount_cents, f.amount_cents),"
            " coalesce(w.currency, p.currency, f.currency), coalesce(w.state, p.state), w.due_at"
            " FROM (SELECT operation, why, opened_at FROM review_items WHERE closed_at IS NULL"
            "  ORDER BY opened_at, operation, why LIMIT ?) AS r"
            " LEFT JOIN wallet_transactions AS w ON w.reference = r.operation"
            " LEFT JOIN external_payments AS p ON p.reference = r.operation"
            " LEFT JOIN findings AS f ON f.id = r.operation"
            " ORDER BY r.opened_at, r.operation, r.why",
            (limit,),
        )
        return [_stuck(row) for row in rows]

    def paid_late(self, since: datetime, limit: int) -> list[LatePayment]:
        rows = self._conn.execute(
            "SELECT reference, partner, amount_cents, currency, settled_at"
            " FROM wallet_transactions WHERE state = 'PAID_LATE' AND settled_at >= ?"
            " ORDER BY settled_at DESC, seq DESC LIMIT ?",
            (to_ms(since), limit),
        )
        return [
            LatePayment(reference, partner, Money(cents, currency), from_ms(at))
            for reference, partner, cents, currency, at in rows
        ]

    def states(self, since: datetime) -> list[StateCount]:
        rows = self._conn.execute(
            "SELECT s.kind, s.state, s.standing, (SELECT count(*) FROM wallet_transactions AS w"
            "  WHERE w.type || ' ' || w.state = s.kind || ' ' || s.state AND w.created_at >= ?)"
            " FROM operation_states AS s WHERE s.standing <> 'quoted' ORDER BY s.kind, s.state",
            (to_ms(since),),
        )
        return [StateCount(*row) for row in rows if row[3]]

    def seconds_taken(self, kind: str, state: str, since: datetime, limit: int) -> list[float]:
        rows = self._conn.execute(
            "SELECT settled_at - created_at FROM wallet_transactions"
            " WHERE type || ' ' || state = ? AND created_at >= ? AND settled_at IS NOT NULL"
            " ORDER BY created_at DESC, seq DESC LIMIT ?",
            (f"{kind} {state}", to_ms(since), limit),
        )
        return [taken / 1000 for (taken,) in rows]

    def balances(self, currency: str = "KES") -> dict[AccountKind, Balance]:
        rows = self._conn.execute(
            "SELECT kind, sum(debits_pending), sum(debits_posted), sum(credits_pending),"
            " sum(credits_posted) FROM accounts WHERE currency = ? GROUP BY kind",
            (currency,),
        )
        sums = {kind: tuple(cents) for kind, *cents in rows}
        return {
            kind: Balance.of_sums(kind, sums.get(kind, (0, 0, 0, 0)), currency)
            for kind in AccountKind
        }

    def imbalances(self) -> list[Imbalance]:
        rows = self._conn.execute(
            "SELECT currency, sum(debits_posted) - sum(credits_posted),"
            " sum(debits_pending) - sum(credits_pending), count(*) FILTER (WHERE no_overdraft = 1"
            "  AND CASE normal_side WHEN 'credit' THEN credits_posted - debits_posted"
            "  - debits_pending ELSE debits_posted - credits_posted - credits_pending END < 0)"
            " FROM accounts GROUP BY currency ORDER BY currency"
        )
        return [Imbalance(*row) for row in rows]

    def spent(self, kind: AccountKind, since: datetime, currency: str = "KES") -> Money:
        # CROSS JOIN holds the order: each account looks its own transfers up in the index.
        if NORMAL_SIDE[kind] is Side.CREDIT:
            (cents,) = self._conn.execute(
                "SELECT coalesce(sum(t.amount_cents), 0) FROM accounts AS a CROSS JOIN"
                " transfers AS t WHERE a.kind = ? AND a.currency = ? AND t.booked_at >= ?"
                " AND t.debit_partner = a.partner AND t.debit_kind = a.kind"
                " AND t.currency = a.currency AND t.phase IN ('single', 'post')",
                (kind.value, currency, to_ms(since)),
            ).fetchone()
        else:
            (cents,) = self._conn.execute(
                "SELECT coalesce(sum(t.amount_cents), 0) FROM accounts AS a CROSS JOIN"
                " transfers AS t WHERE a.kind = ? AND a.currency = ? AND t.booked_at >= ?"
                " AND t.credit_partner = a.partner AND t.credit_kind = a.kind"
                " AND t.currency = a.currency AND t.phase IN ('single', 'post')",
                (kind.value, currency, to_ms(since)),
            ).fetchone()
        return Money(cents, currency)

    def paid_out(self, since: datetime, currency: str = "KES") -> PaidOut:
        amount, charges = self._conn.execute(
            "SELECT coalesce(sum(t.amount_cents) FILTER (WHERE t.code = 'payout'), 0),"
            " coalesce(sum(t.amount_cents) FILTER (WHERE t.code = 'payout_fee'), 0)"
            " FROM accounts AS a CROSS JOIN transfers AS t"
            " WHERE a.kind = 'float' AND a.currency = ? AND t.booked_at >= ?"
            " AND t.debit_partner = a.partner AND t.debit_kind = a.kind"
            " AND t.currency = a.currency AND t.phase IN ('single', 'post')",
            (currency, to_ms(since)),
        ).fetchone()
        return PaidOut(Money(amount, currency), Money(charges, currency))

    def partners(self, part: str, after: str, limit: int) -> list[str]:
        literal = part.upper().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        rows = self._conn.execute(
            "SELECT partner FROM partner_wallets WHERE partner > ?"
            " AND upper(partner) LIKE ? ESCAPE '!' ORDER BY partner LIMIT ?",
            (after, f"%{literal}%", limit),
        )
        return [code for (code,) in rows]

    def open_days(self, before: date, limit: int) -> list[date]:
        rows = self._conn.execute(
            "SELECT day FROM reconciliations WHERE closed_at IS NULL AND day < ?"
            " ORDER BY day LIMIT ?",
            (before.isoformat(), limit),
        )
        return [date.fromisoformat(day) for (day,) in rows]

    def last_closed_day(self) -> date | None:
        row = self._conn.execute(
            "SELECT day FROM reconciliations WHERE closed_at IS NOT NULL ORDER BY day DESC LIMIT 1"
        ).fetchone()
        return None if row is None else date.fromisoformat(row[0])

    def queued_messages(self, limit: int) -> list[QueuedMessages]:
        rows = self._conn.execute(
            "SELECT channel, count(*), min(created_at) FROM"
            " (SELECT channel, created_at FROM outbox WHERE state = 'queued'"
            "  ORDER BY rank, id LIMIT ?) AS queued GROUP BY channel ORDER BY channel",
            (limit,),
        )
        return [QueuedMessages(channel, count, from_ms(since)) for channel, count, since in rows]

    def dead_messages(self, since: datetime, limit: int) -> list[tuple[str, int]]:
        rows = self._conn.execute(
            "SELECT channel, count(*) FROM (SELECT channel FROM outbox WHERE state = 'dead'"
            "  AND created_at >= ? ORDER BY created_at DESC LIMIT ?) AS dead"
            " GROUP BY channel ORDER BY channel",
            (to_ms(since), limit),
        )
        return [(channel, count) for channel, count in rows]

    def deliveries_due(self, limit: int) -> int:
        (count,) = self._conn.execute(
            "SELECT count(*) FROM (SELECT 1 FROM webhook_endpoints AS e"
            "  CROSS JOIN webhook_deliveries AS d"
            "  WHERE d.endpoint = e.id AND d.state = 'queued' AND d.due_at <= ? LIMIT ?) AS due",
            (self._time.ms, limit),
        ).fetchone()
        return int(count)

    def unhappy_endpoints(self, limit: int) -> list[UnhappyEndpoint]:
        rows = self._conn.execute(
            "SELECT id, partner, coalesce(disabled_why, last_error), disabled_at IS NULL"
            " FROM webhook_endpoints WHERE disabled_why IS NOT NULL OR last_error IS NOT NULL"
            " ORDER BY partner, id LIMIT ?",
            (limit,),
        )
        return [UnhappyEndpoint(id_, code, why, bool(is_on)) for id_, code, why, is_on in rows]


def _stuck(row: tuple[Any, ...]) -> StuckItem:
    reference, why, since, partner, cents, currency, state, due_at = row
    amount = None if cents is None else Money(cents, currency)
    return StuckItem(reference, why, from_ms(since), partner, amount, state, from_ms(due_at))
