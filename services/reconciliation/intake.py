"""Take in the lines of a statement: record each once, and book what it is evidence of.

Each function runs inside a transaction and makes no outside calls. Together they are idempotent:
they may be repeated with the same statement, or a longer one. A line is evidence like any other: it
settles unknown operations, and brings payments not reported before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from services.domain.bank_line import BankLine
from services.domain.money import Money
from services.domain.statement_repeats import LineKey, match_stored
from services.ports import Random, Tx
from services.reconciliation.credits import settle_credit
from services.reconciliation.debits import GIVEN_BACK_WITHIN, settle_debit
from services.reconciliation.effects import LineEffect

CURRENCY = "KES"  # of the account that payments come to


class LineWithPeers(NamedTuple):
    """A line, all lines of its statement with the same day, side and amount, and its position among
    them: only as a group can they be paired with stored lines."""

    line: BankLine
    peers: Sequence[BankLine]
    place: int


def with_peers(lines: Iterable[BankLine]) -> list[LineWithPeers]:
    """Each line with its peers. Credits come first, because a debit may reverse one of them, or be
    returned by one; among credits, a line that may belong to several payments comes last."""
    peers: dict[tuple[date, bool, Money], list[BankLine]] = {}
    grouped = []
    for line in sorted(lines, key=_reading_order):
        group = peers.setdefault((line.day, line.is_credit, line.amount), [])
        grouped.append(LineWithPeers(line, group, len(group)))
        group.append(line)
    return grouped


def _reading_order(line: BankLine) -> tuple[bool, bool, bool]:
    return not line.is_credit, line.may_be_reversal, len(line.named_receipts) > 1


def record_lines(
    tx: Tx,
    random: Random,
    source: str,
    lines: Sequence[LineWithPeers],
    later: Sequence[BankLine] | None = None,
) -> list[LineEffect]:
    """Record some lines of a statement, and book what they are evidence of.

    ``later`` are the lines of the following days as far as they are known, ``None`` if no such day
    was read: a debit may be returned there.
    """
    effects: list[LineEffect] = []
    stored = _StoredLines(tx)
    for entry in lines:
        line = entry.line
        key, is_doubted = stored.key_of(entry)
        if tx.reconciliations.matched(key) is not None or tx.reconciliations.is_dismissed(
            key, line
        ):
            continue
        tx.reconciliations.add_line(key, line, source)
        if line.amount.currency != CURRENCY:
            continue  # it cannot be about our operations: it stays a finding
        if line.is_credit:
            effects += settle_credit(tx, random, key, line, is_doubted=is_doubted)
        else:
            effects += settle_debit(tx, random, key, line, later)
    return effects


class _StoredLines:
    """The key under which a line is stored already, whatever its source and wording."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._keys: dict[tuple[date, bool, Money], Sequence[LineKey]] = {}

    def key_of(self, entry: LineWithPeers) -> LineKey:
        group = (entry.line.day, entry.line.is_credit, entry.line.amount)
        if group not in self._keys:
            self._keys[group] = match_stored(
                entry.peers, self._tx.reconciliations.similar_lines(entry.line)
            )
        return self._keys[group][entry.place]


def settle_deferred_debits(tx: Tx, random: Random, day: date) -> list[LineEffect]:
    """Book the debits of earlier days that waited for the lines of this one."""
    effects: list[LineEffect] = []
    for back in range(GIVEN_BACK_WITHIN.days, 0, -1):
        for key, line in tx.reconciliations.unmatched(day - timedelta(days=back)):
            if not line.is_credit and not tx.reconciliations.is_dismissed(key, line):
                effects += settle_debit(tx, random, key, line, None)
    return effects
