"""Each partner's contract fees, by version; cached, because every quote needs them."""

from __future__ import annotations

from services.domain.fees import Fee, FeeKind
from services.domain.money import Money
from storage.sql import Connection
from storage.stores.cache_version import CacheVersion, CacheVersions
from storage.time.transaction_time import TransactionTime


class FeeStore:
    def __init__(self, conn: Connection, time: TransactionTime, versions: CacheVersions) -> None:
        self._conn = conn
        self._time = time
        self._cache: dict[tuple[str, FeeKind], list[tuple[int, Fee]]] = {}
        self._version = CacheVersion(versions, "fees", self.forget)

    def in_force(self, partner: str, kind: FeeKind) -> Fee:
        """The newest version already in force; a zero fee when none was agreed."""
        self._version.check()
        key = (partner, kind)
        if key not in self._cache:
            rows = self._conn.execute(
                "SELECT valid_from, version, currency, fixed_cents, ppm, minimum_cents,"
                " maximum_cents FROM fee_versions WHERE partner = ? AND kind = ?"
                " ORDER BY version DESC",
                (partner, kind),
            )
            self._cache[key] = [(row[0], _fee(kind, *row[1:])) for row in rows]
        for valid_from, fee in self._cache[key]:
            if valid_from <= self._time.ms:
                return fee
        return Fee(kind)

    def set(self, partner: str, fee: Fee, source: str, valid_from_ms: int | None = None) -> None:
        """Add a version, in force from now or from ``valid_from_ms``; the database assigns its
        number."""
        self._version.bump()  # first: then nobody else takes the same number meanwhile
        self._conn.execute(
            "INSERT INTO fee_versions (partner, kind, version, valid_from, currency, fixed_cents,"
            " ppm, minimum_cents, maximum_cents, source) SELECT ?, ?,"
            " coalesce(max(version), 0) + 1, ?, ?, ?, ?, ?, ?, ? FROM fee_versions"
            " WHERE partner = ? AND kind = ?",
            (
                partner,
                fee.kind,
                self._time.ms if valid_from_ms is None else valid_from_ms,
                fee.fixed.currency,
                fee.fixed.cents,
                fee.ppm,
                None if fee.minimum is None else fee.minimum.cents,
                None if fee.maximum is None else fee.maximum.cents,
                source,
                partner,
                fee.kind,
            ),
        )

    def forget(self) -> None:
        self._cache.clear()


def _fee(
    kind: FeeKind,
    version: int,
    currency: str,
    fixed: int,
    ppm: int,
    minimum: int | None,
    maximum: int | None,
) -> Fee:
    return Fee(
        kind,
        version,
        Money(fixed, currency),
        ppm,
        None if minimum is None else Money(minimum, currency),
        None if maximum is None else Money(maximum, currency),
    )
