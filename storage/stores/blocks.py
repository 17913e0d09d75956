"""Phone numbers that get no M-PESA prompts: rows of ``blocked_phones``."""

from __future__ import annotations

from services.domain.block import Block
from services.domain.limits import EVERYBODY
from services.domain.phone import Phone
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms


class BlockStore:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def add(self, block: Block) -> bool:
        return (
            self._conn.execute(
                "INSERT INTO blocked_phones (phone, partner, blocked_by, blocked_at)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (phone, partner) DO NOTHING",
                (block.phone.msisdn, block.partner, block.by, to_ms(block.at)),
            ).rowcount
            > 0
        )

    def remove(self, phone: Phone, partner: str) -> bool:
        return (
            self._conn.execute(
                "DELETE FROM blocked_phones WHERE phone = ? AND partner = ?",
                (phone.msisdn, partner),
            ).rowcount
            > 0
        )

    def of_phone(self, phone: Phone) -> list[Block]:
        rows = self._conn.execute(
            "SELECT phone, partner, blocked_by, blocked_at FROM blocked_phones WHERE phone = ?"
            " ORDER BY partner",
            (phone.msisdn,),
        )
        return [_block(row) for row in rows]

    def is_blocked(self, phone: Phone, partner: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM blocked_phones WHERE phone = ? AND partner IN (?, ?)",
            (phone.msisdn, partner, EVERYBODY),
        ).fetchone()
        return row is not None

    def of(self, partner: str, limit: int) -> list[Block]:
        """The partner's own blocks, newest first."""
        rows = self._conn.execute(
            "SELECT phone, partner, blocked_by, blocked_at FROM blocked_phones WHERE partner = ?"
            " ORDER BY blocked_at DESC, phone LIMIT ?",
            (partner, limit),
        )
        return [_block(row) for row in rows]

    def every(self, limit: int) -> list[Block]:
        """Blocks of every partner, newest first."""
        rows = self._conn.execute(
            "SELECT phone, partner, blocked_by, blocked_at FROM blocked_phones"
            " ORDER BY blocked_at DESC, phone, partner LIMIT ?",
            (limit,),
        )
        return [_block(row) for row in rows]

    def count(self, partner: str | None = None) -> int:
        """The number of blocks, of one partner or of all."""
        row = self._conn.execute(
            "SELECT count(*) FROM blocked_phones WHERE CAST(? AS TEXT) IS NULL OR partner = ?",
            (partner, partner),
        ).fetchone()
        return int(row[0])

    def phones(self, limit: int) -> list[Phone]:
        """Each number once, however many have blocked it, most recently blocked first."""
        rows = self._conn.execute(
            "SELECT phone FROM blocked_phones GROUP BY phone"
            " ORDER BY max(blocked_at) DESC, phone LIMIT ?",
            (limit,),
        )
        return [Phone(phone) for (phone,) in rows]


def _block(row: tuple[str, str, str, int]) -> Block:
    phone, partner, by, at = row
    return Block(Phone(phone), partner, by, from_ms(at))
