"""Accounts and transfers: rows go in, the database's triggers do the sums."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from services.domain.ledger import (
    NO_OVERDRAFT,
    NORMAL_SIDE,
    Account,
    AccountKind,
    Balance,
    Side,
    Transfer,
)
from services.domain.money import Money
from storage.moment import Moment


class LedgerStore:
    def __init__(self, conn: sqlite3.Connection, moment: Moment) -> None:
        self._conn = conn
        self._moment = moment

    def open_accounts(self, partner: str, kinds: Iterable[AccountKind], currency: str) -> None:
        """Open what is not open yet, empty."""
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
            self._conn.execute(
                "INSERT INTO transfers (id, operation, phase, debit_partner, debit_kind,"
                " credit_partner, credit_kind, currency, amount_cents, code, pending_id, booked_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
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
                    self._moment.ms,
                ),
            )

    def balance(self, account: Account, currency: str = "KES") -> Balance:
        """Zero for an account that was never opened."""
        row = self._conn.execute(
            "SELECT debits_pending, debits_posted, credits_pending, credits_posted"
            " FROM accounts WHERE partner = ? AND kind = ? AND currency = ?",
            (account.partner, account.kind, currency),
        ).fetchone()
        debits_pending, debits, credits_pending, credits = row or (0, 0, 0, 0)
        if NORMAL_SIDE[account.kind] is Side.CREDIT:
            posted, held = credits - debits, debits_pending
        else:
            posted, held = debits - credits, credits_pending
        return Balance(Money(posted, currency), Money(posted - held, currency))

    def problems(self) -> list[str]:
        """Every invariant of the books that does not hold, in words; empty when all do."""
        found = []
        for partner, kind, currency in self._conn.execute(
            "SELECT a.partner, a.kind, a.currency FROM accounts AS a"
            " LEFT JOIN (SELECT partner, kind, currency,"
            "   sum(debit) AS debits, sum(credit) AS credits,"
            "   sum(held_debit) AS held_debits, sum(held_credit) AS held_credits FROM ("
            "   SELECT debit_partner AS partner, debit_kind AS kind, currency,"
            "     CASE WHEN phase IN ('single', 'post') THEN amount_cents ELSE 0 END AS debit,"
            "     0 AS credit, CASE phase WHEN 'pending' THEN amount_cents WHEN 'single' THEN 0"
            "     ELSE -amount_cents END AS held_debit, 0 AS held_credit FROM transfers"
            "   UNION ALL SELECT credit_partner, credit_kind, currency, 0,"
            "     CASE WHEN phase IN ('single', 'post') THEN amount_cents ELSE 0 END, 0,"
            "     CASE phase WHEN 'pending' THEN amount_cents WHEN 'single' THEN 0"
            "     ELSE -amount_cents END FROM transfers)"
            "   GROUP BY partner, kind, currency) AS t"
            " ON t.partner = a.partner AND t.kind = a.kind AND t.currency = a.currency"
            " WHERE a.debits_posted <> coalesce(t.debits, 0)"
            " OR a.credits_posted <> coalesce(t.credits, 0)"
            " OR a.debits_pending <> coalesce(t.held_debits, 0)"
            " OR a.credits_pending <> coalesce(t.held_credits, 0)"
        ):
            found.append(f"account {partner}/{kind}/{currency} is not the sum of its transfers")
        for currency, debits, credits in self._conn.execute(
            "SELECT currency, sum(debits_posted), sum(credits_posted) FROM accounts"
            " GROUP BY currency HAVING sum(debits_posted) <> sum(credits_posted)"
            " OR sum(debits_pending) <> sum(credits_pending)"
        ):
            found.append(f"debits and credits of {currency} differ: {debits} and {credits}")
        for partner, kind in self._conn.execute(
            "SELECT partner, kind FROM accounts WHERE no_overdraft = 1"
            " AND CASE normal_side WHEN 'credit' THEN credits_posted - debits_posted"
            " - debits_pending ELSE debits_posted - credits_posted - credits_pending END < 0"
        ):
            found.append(f"account {partner}/{kind} is overdrawn")
        for (transfer,) in self._conn.execute(
            "SELECT t.id FROM transfers AS t WHERE NOT EXISTS (SELECT 1 FROM accounts AS a"
            " WHERE a.partner = t.debit_partner AND a.kind = t.debit_kind"
            " AND a.currency = t.currency) OR NOT EXISTS (SELECT 1 FROM accounts AS a"
            " WHERE a.partner = t.credit_partner AND a.kind = t.credit_kind"
            " AND a.currency = t.currency)"
        ):
            found.append(f"transfer {transfer} names an account that is not there")
        for (transfer,) in self._conn.execute(
            "SELECT t.id FROM transfers AS t LEFT JOIN transfers AS held"
            " ON held.id = t.pending_id AND held.phase = 'pending'"
            " AND held.operation = t.operation AND held.amount_cents = t.amount_cents"
            " AND held.currency = t.currency AND held.debit_partner = t.debit_partner"
            " AND held.debit_kind = t.debit_kind AND held.credit_partner = t.credit_partner"
            " AND held.credit_kind = t.credit_kind"
            " WHERE t.phase IN ('post', 'void') AND held.id IS NULL"
        ):
            found.append(f"transfer {transfer} does not match what it resolves")
        for (transfer,) in self._conn.execute(
            "SELECT t.id FROM transfers AS t WHERE t.code = 'topup' AND NOT EXISTS ("
            " SELECT 1 FROM wallet_transactions AS w WHERE w.reference = t.operation"
            " AND w.state IN ('PAID', 'PAID_LATE') AND w.partner = t.credit_partner"
            " AND w.amount_cents = t.amount_cents AND w.currency = t.currency"
            " AND t.phase = 'single' AND t.debit_kind = 'collection'"
            " AND t.credit_kind = 'wallet' AND t.debit_partner = t.credit_partner)"
        ):
            found.append(f"transfer {transfer} credits what is not a paid top-up of that amount")
        for reference, state, booked in self._conn.execute(
            "SELECT w.reference, w.state, count(t.id) FROM wallet_transactions AS w"
            " LEFT JOIN transfers AS t ON t.operation = w.reference AND t.code = 'topup'"
            " GROUP BY w.reference, w.state HAVING count(t.id) <>"
            " CASE WHEN w.state IN ('PAID', 'PAID_LATE') THEN 1 ELSE 0 END"
        ):
            found.append(f"top-up {reference} is {state} with {booked} credits")
        for (reference,) in self._conn.execute(
            "SELECT w.reference FROM wallet_transactions AS w"
            " WHERE w.state IN ('PAID', 'PAID_LATE') AND NOT EXISTS ("
            "   SELECT 1 FROM evidence AS e WHERE e.operation = w.reference AND e.kind = 'paid')"
        ):
            found.append(f"top-up {reference} was credited without success evidence")
        return found
