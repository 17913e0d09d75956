"""What M-PESA last said that its accounts of the short code have."""

from __future__ import annotations

from typing import Any

from services.domain.money import Money
from services.domain.mpesa_balance import MpesaBalance
from storage.sql import Connection
from storage.time.milliseconds import from_ms
from storage.time.transaction_time import TransactionTime


class MpesaBalanceStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def note(self, account: str, amount: Money) -> None:
        self._conn.execute(
            "INSERT INTO mpesa_balances (account, amount_cents, currency, told_at)"
            " VALUES (?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET"
            " amount_cents = excluded.amount_cents, told_at = excluded.told_at",
            (account, amount.cents, amount.currency, self._time.ms),
        )

    def get(self, account: str) -> MpesaBalance | None:
        row = self._conn.execute(
            "SELECT account, amount_cents, currency, told_at, alerted_at FROM mpesa_balances"
            " WHERE account = ?",
            (account,),
        ).fetchone()
        return None if row is None else _balance(row)

    def every(self) -> list[MpesaBalance]:
        rows = self._conn.execute(
            "SELECT account, amount_cents, currency, told_at, alerted_at FROM mpesa_balances"
            " ORDER BY account"
        )
        return [_balance(row) for row in rows]

    def alerted(self, account: str, *, still: bool) -> None:
        if still:
            self._conn.execute(
                "UPDATE mpesa_balances SET alerted_at = coalesce(alerted_at, ?) WHERE account = ?",
                (self._time.ms, account),
            )
        else:
            self._conn.execute(
                "UPDATE mpesa_balances SET alerted_at = NULL WHERE account = ?", (account,)
            )


def _balance(row: tuple[Any, ...]) -> MpesaBalance:
    return MpesaBalance(row[0], Money(row[1], row[2]), from_ms(row[3]), from_ms(row[4]))
