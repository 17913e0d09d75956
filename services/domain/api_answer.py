"""What a call with an idempotency key was answered, for whoever sends it again."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """To the letter, and without secrets. ``operation`` is the one it is about, if there is one."""

    status: int
    content_type: str
    body: str
    location: str | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class KeyedAnswer:
    """``fingerprint`` is of the request, by the key ``pepper_id`` outside the database."""

    pepper_id: str
    fingerprint: str = field(repr=False)
    answer: StoredAnswer
