"""The audit log: one hash chain per partner, written in the act's own transaction, append-only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from services.domain.audit import FIRST, AuditRow, Expected, Head, canonical, chain_hash
from storage.sql import Connection
from storage.time.milliseconds import to_ms
from storage.time.transaction_time import TransactionTime


class AuditStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(
        self,
        partner: str,
        actor: str,
        act: str,
        about: str,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Append an act. ``facts`` must hold no secrets, and only masked phone numbers."""
        n, previous = self._conn.execute(  # keeps others off the end of this chain until the commit
            "INSERT INTO audit_heads (partner, n, hash) VALUES (?, 1, ?)"
            " ON CONFLICT (partner) DO UPDATE SET n = audit_heads.n + 1 RETURNING n, hash",
            (partner, FIRST),
        ).fetchone()
        facts_json = canonical(facts or {})
        at = self._time.ms
        digest = chain_hash(partner, n, at, actor, act, about, facts_json, previous)
        self._conn.execute(
            "INSERT INTO audit_log (partner, n, at, actor, act, about, facts, previous, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (partner, n, at, actor, act, about, facts_json, previous, digest),
        )
        self._conn.execute("UPDATE audit_heads SET hash = ? WHERE partner = ?", (digest, partner))

    def count(self) -> int:
        """Rows over all partners."""
        return int(self._conn.execute("SELECT count(*) FROM audit_log").fetchone()[0])

    def count_suspicious(self, since: datetime, limit: int) -> int:
        """Number of suspicious attempts, counted up to ``limit``."""
        row = self._conn.execute(
            "SELECT count(*) FROM (SELECT at FROM audit_log WHERE act = 'strange'"
            "  AND at BETWEEN ? AND ? LIMIT ?) AS tries",
            (to_ms(since), self._time.ms, limit),
        ).fetchone()
        return int(row[0])

    def count_suspicious_by(self, actor: str, since: datetime, limit: int) -> int:
        """The same for one account."""
        row = self._conn.execute(
            "SELECT count(*) FROM (SELECT at FROM audit_log WHERE act = 'strange' AND actor = ?"
            "  AND at BETWEEN ? AND ? LIMIT ?) AS tries",
            (actor, to_ms(since), self._time.ms, limit),
        ).fetchone()
        return int(row[0])

    def newest(self, limit: int) -> list[AuditRow]:
        """Rows of all chains, newest first."""
        return [AuditRow(*row) for row in self._newest(limit)]

    def before(self, at_ms: int, partner: str, n: int, limit: int) -> list[AuditRow]:
        """The rows that follow that one in the order of ``newest``, even within one millisecond."""
        rows = self._conn.execute(
            "SELECT partner, n, at, actor, act, about, facts, previous, hash FROM audit_log"
            " WHERE (at, partner, n) < (?, ?, ?) ORDER BY at DESC, partner DESC, n DESC LIMIT ?",
            (at_ms, partner, n, limit),
        )
        return [AuditRow(*row) for row in rows]

    def about(self, about: str, limit: int) -> list[AuditRow]:
        """Acts on one thing, oldest first."""
        rows = self._conn.execute(
            "SELECT partner, n, at, actor, act, about, facts, previous, hash FROM audit_log"
            " WHERE about = ? ORDER BY at, partner, n LIMIT ?",
            (about, limit),
        )
        return [AuditRow(*row) for row in rows]

    def newest_problems(self, limit: int) -> list[str]:
        """Breaks among the newest rows of all chains, trusting the first of those rows in each
        chain."""
        rows = self._newest(limit)
        first = {partner: (n, previous) for partner, n, *_, previous, _hash in rows}
        return list(_breaks(rows[::-1], first))

    def _newest(self, limit: int) -> list[tuple[Any, ...]]:
        return self._conn.execute(
            "SELECT partner, n, at, actor, act, about, facts, previous, hash FROM audit_log"
            " ORDER BY at DESC, partner DESC, n DESC LIMIT ?",
            (limit,),
        ).fetchall()

    def chain_breaks(self) -> list[str]:
        return list(chain_breaks(self._conn))

    def breaks_after(
        self, after: tuple[str, int], limit: int, expected: Expected
    ) -> tuple[list[str], tuple[str, int] | None]:
        """Breaks in the next ``limit`` rows after (partner, n), and the position they end at;
        ``None`` when there are no more rows. Pass the same ``expected`` from page to page."""
        rows = self._conn.execute(
            "SELECT partner, n, at, actor, act, about, facts, previous, hash FROM audit_log"
            " WHERE (partner, n) > (?, ?) ORDER BY partner, n LIMIT ?",
            (*after, limit),
        ).fetchall()
        end = (rows[-1][0], rows[-1][1]) if len(rows) == limit else None
        return list(_breaks(rows, expected)), end

    def head(self, until: datetime) -> Head:
        return head(self._conn, to_ms(until))

    def ends(self) -> list[tuple[str, int, str]]:
        """Partner, length and last hash of each chain."""
        rows = self._conn.execute(
            "SELECT a.partner, a.n, a.hash FROM audit_log AS a JOIN"
            " (SELECT partner, max(n) AS n FROM audit_log GROUP BY partner) AS ends"
            " ON ends.partner = a.partner AND ends.n = a.n ORDER BY a.partner"
        )
        return [(partner, n, digest) for partner, n, digest in rows]


def head(conn: Connection, until_ms: int) -> Head:
    """One hash over the last row of every chain, as of that moment, which must be over: an act of
    then could still commit in another process."""
    rows = conn.execute(
        "SELECT a.partner, a.n, a.hash FROM audit_log AS a JOIN"
        " (SELECT partner, max(n) AS n FROM audit_log WHERE at <= ? GROUP BY partner) AS ends"
        " ON ends.partner = a.partner AND ends.n = a.n ORDER BY a.partner",
        (until_ms,),
    ).fetchall()
    lines = "".join(f"{partner}:{n}:{digest}\n" for partner, n, digest in rows)
    return Head(sum(n for _, n, _ in rows), hashlib.sha256(lines.encode()).hexdigest())


def chain_breaks(conn: Connection) -> Iterator[str]:
    """Every break of a chain, in words. A truncated tail shows only when compared with a hash
    recorded elsewhere (docs/security.md)."""
    rows = conn.execute(
        "SELECT partner, n, at, actor, act, about, facts, previous, hash FROM audit_log"
        " ORDER BY partner, n"
    )
    yield from _breaks(rows, {})


def _breaks(rows: Iterable[tuple[Any, ...]], expected: Expected) -> Iterator[str]:
    """``expected`` holds the next row number and the previous hash of each chain."""
    for partner, n, at, actor, act, about, facts, previous, digest in rows:
        number, before = expected.get(partner, (1, FIRST))
        if n != number:
            yield f"audit chain of {partner}: row {number} is missing"
        elif previous != before:
            yield f"audit chain of {partner}: row {n} does not follow the row before it"
        if chain_hash(partner, n, at, actor, act, about, facts, previous) != digest:
            yield f"audit chain of {partner}: row {n} was changed"
        expected[partner] = (n + 1, digest)
