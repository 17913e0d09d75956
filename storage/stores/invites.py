"""Invitations; their tokens are not stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.invite import Invite, InviteStatus
from services.domain.partner import Role
from services.domain.phone import Phone
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class InviteStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(self, invite: Invite, digest: str) -> bool:
        """False when the id is taken: draw another."""
        cursor = self._conn.execute(
            "INSERT INTO invites (id, digest, partner, role, name, invited_by, created_at,"
            " expires_at, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (
                invite.id,
                digest,
                invite.partner,
                invite.role,
                invite.name,
                invite.invited_by,
                self._time.ms,
                to_ms(invite.expires_at),
                invite.status,
            ),
        )
        return cursor.rowcount == 1

    def get(self, invite_id: str) -> Invite | None:
        row = self._conn.execute(
            "SELECT id, partner, role, name, invited_by, expires_at, status, channel, address,"
            " phone FROM invites WHERE id = ?",
            (invite_id,),
        ).fetchone()
        return None if row is None else _invite(row)

    def of_digest(self, digest: str) -> Invite | None:
        row = self._conn.execute(
            "SELECT id, partner, role, name, invited_by, expires_at, status, channel, address,"
            " phone FROM invites WHERE digest = ?",
            (digest,),
        ).fetchone()
        return None if row is None else _invite(row)

    def save(self, invite: Invite) -> None:
        """Write the mutable fields: the status and the claiming account."""
        self._conn.execute(
            "UPDATE invites SET status = ?, channel = ?, address = ?, phone = ? WHERE id = ?",
            (
                invite.status,
                invite.channel,
                invite.address,
                None if invite.phone is None else invite.phone.msisdn,
                invite.id,
            ),
        )

    def revoke_open(self, partner: str, name: str) -> list[str]:
        """Revoke the person's open invitations, which a new one replaces; returns their ids."""
        rows = self._conn.execute(
            "UPDATE invites SET status = 'killed' WHERE partner = ? AND name = ?"
            " AND status IN ('open', 'claimed') RETURNING id",
            (partner, name),
        )
        return sorted(invite_id for (invite_id,) in rows)

    def revoke_made_by(self, inviter: str) -> list[str]:
        """Revoke the open invitations of an inviter who lost the right to invite; returns their
        ids."""
        rows = self._conn.execute(
            "UPDATE invites SET status = 'killed' WHERE invited_by = ?"
            " AND status IN ('open', 'claimed') RETURNING id",
            (inviter,),
        )
        return sorted(invite_id for (invite_id,) in rows)

    def open_names(self, partner: str) -> list[str]:
        """Names on the partner's invitations that are still valid."""
        rows = self._conn.execute(
            "SELECT DISTINCT name FROM invites WHERE partner = ? AND expires_at > ?"
            " AND status IN ('open', 'claimed') ORDER BY name",
            (partner, self._time.ms),
        )
        return [name for (name,) in rows]

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete invitations created before this; returns how many."""
        return self._conn.execute(
            "DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE created_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount


def _invite(row: tuple[Any, ...]) -> Invite:
    return Invite(
        id=row[0],
        partner=row[1],
        role=Role(row[2]),
        name=row[3],
        invited_by=row[4],
        expires_at=from_ms(row[5]),
        status=InviteStatus(row[6]),
        channel=row[7],
        address=row[8],
        phone=None if row[9] is None else Phone(row[9]),
    )
