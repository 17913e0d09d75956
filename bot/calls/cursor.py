"""Cursors: where the next page begins; in the history also the filters that it goes on with.

A cursor names nothing that its holder may not see: the page is always of the caller's own partner.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

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
    return _packed(parts)


def decode(text: str) -> Cursor | None:
    """``None`` for anything that ``encode`` did not make."""
    try:
        version, before, kind, status, since, until = _unpacked(text)
        cursor = Cursor(
            before if before is None else _place(before),
            None if kind is None else PublicKind(kind),
            None if status is None else Status(status),
            None if since is None else datetime.fromtimestamp(float(since), UTC),
            None if until is None else datetime.fromtimestamp(float(until), UTC),
        )
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return cursor if version == VERSION and encode(cursor) == text else None


def encode_place(of: str, place: int) -> str:
    """A cursor of a list that belongs to one thing, such as the rows of a batch."""
    return _packed([VERSION, of, place])


def decode_place(of: str, text: str) -> int | None:
    """``None`` for anything that ``encode_place`` did not make of the same thing."""
    parts = _unpacked(text)
    if not isinstance(parts, list) or len(parts) != 3 or type(parts[2]) is not int:
        return None
    return parts[2] if 0 < parts[2] < 2**63 and encode_place(of, parts[2]) == text else None


def _packed(parts: list[Any]) -> str:
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpacked(text: str) -> Any:
    """``None`` for what is no JSON in Base64."""
    if len(text) > LENGTH_MAX or not text.isascii():
        return None
    try:
        return json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _place(value: object) -> int:
    """Raises ``ValueError``."""
    if type(value) is not int or not 0 < value < 2**63:
        raise ValueError("no place in a history")
    return value
