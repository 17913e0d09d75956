"""``hazina audit verify``: checks every chain from its first row, and heads noted earlier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.database import database_engine
from services.domain.database import DatabaseAddress


class HeadFault(Exception):
    """A given head cannot be parsed; says how one is written."""


def verify_audit_log(database: DatabaseAddress, heads: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether the log is intact, with lines that say what was checked or what is broken.

    Raises ``HeadFault``, and ``DatabaseFailed`` if the database cannot be opened.
    """
    noted = [_read(head) for head in heads]
    with database_engine.audit_log(database) as log:
        wrong = list(log.chain_breaks())
        for text, until, digest in noted:
            if log.head(until).digest != digest:
                wrong.append(f"the log until {text} is not what it was when that head was told")
        if wrong:
            return False, wrong
        lines = [f"{partner}: {n} rows, {digest}" for partner, n, digest in log.ends()]
        proved = f", and {len(noted)} noted heads hold" if noted else ""
        return True, [*lines, f"the audit log is whole{proved}"]


def _read(head: str) -> tuple[str, datetime, str]:
    text, _, digest = head.partition("=")
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        until = None
    if until is None or until.tzinfo is None or not digest:
        raise HeadFault(f"a head is written TIME=HASH, as admins are told it, not {head!r}")
    return text, until, digest
