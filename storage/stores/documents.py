"""Statements and charts: requested, rendered, sent, and later deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from services.domain.document import Document, DocumentFormat, DocumentRequests, DocumentState
from services.domain.ledger import AccountKind
from storage.sql import Connection
from storage.time.milliseconds import to_ms
from storage.time.transaction_time import TransactionTime


class DocumentStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(self, document: Document) -> bool:
        """False when the reference is taken: draw another."""
        return (
            self._conn.execute(
                "INSERT INTO documents (reference, partner, channel, address, language, format,"
                " first_day, last_day, topup, account, state, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'REQUESTED', ?)"
                " ON CONFLICT (reference) DO NOTHING",
                (
                    document.reference,
                    document.partner,
                    document.channel,
                    document.address,
                    document.language,
                    document.format,
                    document.first_day.isoformat(),
                    document.last_day.isoformat(),
                    document.topup,
                    document.account,
                    self._time.ms,
                ),
            ).rowcount
            == 1
        )

    def get(self, reference: str) -> Document | None:
        row = self._conn.execute(
            "SELECT reference, partner, channel, address, language, format, first_day, last_day,"
            " state, attempts, topup, account FROM documents WHERE reference = ?",
            (reference,),
        ).fetchone()
        return None if row is None else _document(row)

    def waiting(self, *, pictures: bool) -> list[tuple[str, str]]:
        """Documents to render, oldest first, each with the requester's partner (empty for an
        admin). ``pictures`` selects QR codes that pay a top-up, otherwise everything else."""
        return self._conn.execute(
            "SELECT d.reference, coalesce(p.partner, '') FROM documents AS d"
            " LEFT JOIN addresses AS a ON a.channel = d.channel AND a.address = d.address"
            " LEFT JOIN people AS p ON p.id = a.person_id"
            " WHERE d.state = 'REQUESTED' AND CASE WHEN d.topup IS NULL THEN 0 ELSE 1 END = ?"
            " ORDER BY d.created_at, d.reference",
            (int(pictures),),
        ).fetchall()

    def claim(self, references: Sequence[str]) -> list[Document]:
        """Claim these for rendering and count one more attempt each; skips those no longer
        needed."""
        self._conn.executemany(
            "UPDATE documents SET attempts = attempts + 1"
            " WHERE reference = ? AND state = 'REQUESTED'",
            [(reference,) for reference in references],
        )
        found = [self.get(reference) for reference in references]
        return [
            document for document in found if document and document.state is DocumentState.REQUESTED
        ]

    def asked_for(self, channel: str, address: str, since: datetime) -> DocumentRequests:
        """Documents one account asked for, not counting QR codes that pay a top-up."""
        row = self._conn.execute(
            "SELECT count(*), count(CASE WHEN state = 'REQUESTED' THEN 1 END) FROM documents"
            " WHERE channel = ? AND address = ? AND topup IS NULL AND created_at > ?",
            (channel, address, to_ms(since)),
        ).fetchone()
        return DocumentRequests(*row)

    def asked_by_partner(self, partner: str, since: datetime) -> int:
        """How many the partner's own people asked for, without admins' exports and QR codes."""
        row = self._conn.execute(
            "SELECT count(*) FROM documents AS d"
            " JOIN addresses AS a ON a.channel = d.channel AND a.address = d.address"
            " JOIN people AS p ON p.id = a.person_id AND p.partner = d.partner"
            " WHERE d.partner = ? AND d.topup IS NULL AND d.created_at > ?",
            (partner, to_ms(since)),
        ).fetchone()
        return int(row[0])

    def made(self, reference: str, name: str, content: bytes) -> None:
        self._conn.execute(
            "UPDATE documents SET state = 'MADE', name = ?, content = ? WHERE reference = ?",
            (name, content, reference),
        )

    def failed(self, reference: str) -> None:
        self._conn.execute(
            "UPDATE documents SET state = 'FAILED' WHERE reference = ?", (reference,)
        )

    def content(self, reference: str) -> tuple[str, bytes] | None:
        """File name and content, while they are kept."""
        row = self._conn.execute(
            "SELECT name, content FROM documents WHERE reference = ? AND content IS NOT NULL",
            (reference,),
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete documents requested before this; returns how many."""
        return self._conn.execute(
            "DELETE FROM documents WHERE reference IN"
            " (SELECT reference FROM documents WHERE created_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount


def _document(row: tuple[Any, ...]) -> Document:
    return Document(
        reference=row[0],
        partner=row[1],
        channel=row[2],
        address=row[3],
        language=row[4],
        format=DocumentFormat(row[5]),
        first_day=date.fromisoformat(row[6]),
        last_day=date.fromisoformat(row[7]),
        state=DocumentState(row[8]),
        attempts=row[9],
        topup=row[10],
        account=AccountKind(row[11] or AccountKind.WALLET),
    )
