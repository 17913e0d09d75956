"""Accounts and transfers: transfers are inserted, and database triggers update the balances."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.domain.ledger import (
    NO_OVERDRAFT,
    NORMAL_SIDE,
    Account,
    AccountKind,
    Balance,
    FloatTotals,
    Phase,
    Transfer,
    TransferCode,
)
from services.domain.money import Money
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.stores.public_operations import OperationChanges
from storage.time.milliseconds import from_ms
from storage.time.transaction_time import TransactionTime


class LedgerStore:
    def __init__(
        self,
        conn: Connection,
        time: TransactionTime,
        changes: OperationChanges,
        locks: Locks,
    ) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes
        self._locks = locks

    def open_accounts(self, partner: str, kinds: Iterable[AccountKind], currency: str) -> None:
        """Open missing accounts, with a zero balance."""
        self._conn.executemany(
            "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (partner, kind, currency) DO NOTHING",
            [
                (partner, kind, currency, NORMAL_SIDE[kind], int(kind in NO_OVERDRAFT))
                for kind in kinds
            ],
        )

    def book(self, *transfers: Transfer) -> None:
        """See ``services.ports.Ledger``. Raises ``sqlite3.IntegrityError`` on an overdraft."""
        for transfer in transfers:
            self._changes.touch(transfer.operation)
            self._locks.need(LockKind.PARTNER, transfer.debit.partner)
            self._locks.need(LockKind.PARTNER, transfer.credit.partner)
            self._conn.execute(
                "INSERT INTO transfers (id, operation, phase, debit_partner, debit_kind,"
                " credit_partner, credit_kind, currency, amount_cents, code, pending_id, booked_at,"
                " debit_move, credit_move) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                " (SELECT moves + 1 FROM accounts WHERE partner = ? AND kind = ? AND currency = ?),"
                " (SELECT moves + 1 FROM accounts WHERE partner = ? AND kind = ? AND currency = ?))"
                " ON CONFLICT (id) DO NOTHING",
                (
                    transfer.id,
                    transfer.operation,
                    transfer.phase,
                    transfer.debit.partner,
                    transfer.debit.kind,
                    transfer.credit.partner,
                    transfer.credit.kind,
                    transfer.amount.currency,
                    transfer.amount.cents,
                    transfer.code,
                    transfer.pending_id,
                    self._time.ms,
                    transfer.debit.partner,
                    transfer.debit.kind,
                    transfer.amount.currency,
                    transfer.credit.partner,
                    transfer.credit.kind,
                    transfer.amount.currency,
                ),
            )

    def balance(self, account: Account, currency: str = "KES") -> Balance:
        """Zero for an account that was never opened."""
        row = self._conn.execute(
            "SELECT debits_pending, debits_posted, credits_pending, credits_posted"
            " FROM accounts WHERE partner = ? AND kind = ? AND currency = ?",
            (account.partner, account.kind.value, currency),
        ).fetchone()
        return Balance.of_sums(account.kind, row or (0, 0, 0, 0), currency)

    def float_totals(self, partner: str, currency: str) -> FloatTotals:
        row = self._conn.execute(
            "SELECT purchased_cents, used_cents FROM b2c_float_balance"
            " WHERE partner = ? AND currency = ?",
            (partner, currency),
        ).fetchone()
        purchased, used = row or (0, 0)
        return FloatTotals(Money(purchased, currency), Money(used, currency))

    def legs(self, operation: str) -> list[tuple[datetime, Transfer]]:
        """The operation's transfers with their booking times, in booking order."""
        rows = self._conn.execute(
            "SELECT booked_at, id, operation, phase, debit_partner, debit_kind, credit_partner,"
            " credit_kind, amount_cents, currency, code, pending_id FROM transfers"
            " WHERE operation = ? ORDER BY seq",
            (operation,),
        )
        return [(from_ms(row[0]), _transfer(row)) for row in rows]

    def newest(self, count: int) -> list[Transfer]:
        rows = self._conn.execute(
            "SELECT booked_at, id, operation, phase, debit_partner, debit_kind, credit_partner,"
            " credit_kind, amount_cents, currency, code, pending_id FROM transfers"
            " ORDER BY seq DESC LIMIT ?",
            (count,),
        )
        return [_transfer(row) for row in rows]


def _transfer(row: tuple[Any, ...]) -> Transfer:
    return Transfer(
        id=row[1],
        operation=row[2],
        phase=Phase(row[3]),
        debit=Account(row[4], AccountKind(row[5])),
        credit=Account(row[6], AccountKind(row[7])),
        amount=Money(row[8], row[9]),
        code=TransferCode(row[10]),
        pending_id=row[11],
    )
