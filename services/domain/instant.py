"""Moments as partners' systems read them."""

from __future__ import annotations

from datetime import UTC, datetime


def to_rfc3339(moment: datetime) -> str:
    """UTC to the millisecond: ``2026-11-30T18:20:02.125Z`` (RFC 3339)."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
