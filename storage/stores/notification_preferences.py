"""Each partner's notification preferences; cached, since every movement of money needs them."""

from __future__ import annotations

from services.domain.notification import (
    DEFAULTS,
    ChatMode,
    NotificationKind,
    NotificationPreference,
)
from storage.sql import Connection
from storage.stores.cache_version import CacheVersion, CacheVersions
from storage.time.transaction_time import TransactionTime


class NoticeStore:
    def __init__(self, conn: Connection, time: TransactionTime, versions: CacheVersions) -> None:
        self._conn = conn
        self._cache: dict[str, dict[NotificationKind, NotificationPreference]] = {}
        self._version = CacheVersion(versions, "notifications", self.forget)

    def get(self, partner: str, kind: NotificationKind) -> NotificationPreference:
        """The partner's choice, or the default."""
        self._version.check()
        if partner not in self._cache:
            rows = self._conn.execute(
                "SELECT kind, chat, sms, owners FROM notifications WHERE partner = ?", (partner,)
            )
            self._cache[partner] = {
                NotificationKind(name): NotificationPreference(
                    NotificationKind(name), ChatMode(chat), bool(sms), bool(owners)
                )
                for name, chat, sms, owners in rows
            }
        return self._cache[partner].get(kind, DEFAULTS[kind])

    def set(self, partner: str, notice: NotificationPreference) -> None:
        self._conn.execute(
            "INSERT INTO notifications (partner, kind, chat, sms, owners) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (partner, kind) DO UPDATE SET chat = excluded.chat,"
            " sms = excluded.sms, owners = excluded.owners",
            (partner, notice.kind, notice.chat, int(notice.sms), int(notice.owners)),
        )
        self._version.bump()

    def digests_due(self, day: str, limit: int) -> list[str]:
        """Partners that want a digest and have not had the one for ``day`` (ISO)."""
        rows = self._conn.execute(
            "SELECT partner FROM notifications WHERE kind = 'digest'"
            " AND (chat <> 'off' OR sms = 1) AND (last_day IS NULL OR last_day < ?)"
            " ORDER BY partner LIMIT ?",
            (day, limit),
        )
        return [partner for (partner,) in rows]

    def claim_digest(self, partner: str, day: str) -> bool:
        """Mark the digest for ``day`` as sent; False when another process already has."""
        return (
            self._conn.execute(
                "UPDATE notifications SET last_day = ? WHERE partner = ? AND kind = 'digest'"
                " AND (last_day IS NULL OR last_day < ?)",
                (day, partner, day),
            ).rowcount
            == 1
        )

    def forget(self) -> None:
        self._cache.clear()
