"""Cursors of the history: where the next page begins, with the filters that it goes on with.

A cursor names nothing that its holder may not see: the page is always of the caller's own partner.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.domain.public_operation import PublicKind, Status

VERSION = 1
LENGTH_MAX = 512  # characters


@dataclass(frozen=True, slots=True)
class Cursor:
    """``before``: a place in the history; the page is older than that. ``None``: the newest."""

    before: int | None
    kind: PublicKind | None = None
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None

    def after(self, place: int) -> Cursor:
        return replace(self, before=place)


def encode(cursor: Cursor) -> str:
    parts = [
        VERSION,
        cursor.before,
        cursor.kind,
        cursor.status,
        None if cursor.since is None else cursor.since.timestamp(),
        None if cursor.until is None else cursor.until.timestamp(),
    ]
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str) -> Cursor | None:
    """``None`` for anything that ``encode`` did not make."""
    if len(text) > LENGTH_MAX or not text.isascii():
        return None
    try:
        parts = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
        version, before, kind, status, since, until = parts
        cursor = Cursor(
            before if before is None else _place(before),
            None if kind is None else PublicKind(kind),
            None if status is None else Status(status),
            None if since is None else datetime.fromtimestamp(float(since), UTC),
            None if until is None else datetime.fromtimestamp(float(until), UTC),
        )
    except (binascii.Error, ValueError, TypeError, OverflowError, OSError, RecursionError):
        return None
    return cursor if version == VERSION and encode(cursor) == text else None


def _place(value: object) -> int:
    """Raises ``ValueError``."""
    if type(value) is not int or not 0 < value < 2**63:
        raise ValueError("no place in a history")
    return value
