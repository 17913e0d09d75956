"""The chains of the audit log; its rows are checked by `storage.stores.audit.chain_breaks`."""

from __future__ import annotations

from collections.abc import Iterator

from storage.sql import Connection


def audit_heads(conn: Connection) -> Iterator[str]:
    """The head of each audit chain is its last row."""
    for (partner,) in conn.execute(
        "SELECT last.partner FROM (SELECT partner, max(n) AS n FROM audit_log GROUP BY partner)"
        " AS last JOIN audit_log AS a ON a.partner = last.partner AND a.n = last.n"
        " LEFT JOIN audit_heads AS h ON h.partner = a.partner AND h.n = a.n AND h.hash = a.hash"
        " WHERE h.partner IS NULL UNION ALL SELECT h.partner FROM audit_heads AS h WHERE NOT EXISTS"
        " (SELECT 1 FROM audit_log AS a WHERE a.partner = h.partner)"
    ):
        yield f"the head of the audit chain of {partner} is not its last row"
