"""Stored answers to partners' systems."""

from __future__ import annotations

from typing import Protocol

from services.domain.api_answer import KeyedAnswer, StoredAnswer


class ApiAnswers(Protocol):
    """Unique per partner and idempotency key, and never changed."""

    def get(self, partner: str, idempotency_key: str) -> KeyedAnswer | None: ...

    def add(
        self,
        partner: str,
        idempotency_key: str,
        pepper_id: str,
        fingerprint: str,
        answer: StoredAnswer,
    ) -> None:
        """Raises the engine's own error if another transaction has taken the key meanwhile."""
        ...
