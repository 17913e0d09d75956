"""The trace of every act: a chain of hashes, so that no row is changed or lost unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIRST = "0" * 64  # stands before the first row of a chain
HAZINA = "hazina"  # the actor, where nobody asked


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Number ``n`` of the partner's chain; ``at_ms`` is UTC in milliseconds, ``facts`` canonical
    JSON."""

    partner: str
    n: int
    at_ms: int
    actor: str
    act: str
    about: str
    facts: str
    previous: str
    hash: str

    @property
    def at(self) -> datetime:
        """When it was committed."""
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.at_ms)


def canonical(facts: Mapping[str, object]) -> str:
    """The same text for the same facts: keys in order, no blanks, everything else as words."""
    return json.dumps(
        {name: value if isinstance(value, int) else str(value) for name, value in facts.items()},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )


def chain_hash(
    partner: str, n: int, at_ms: int, actor: str, act: str, about: str, facts: str, previous: str
) -> str:
    """SHA-256 over all that a row says and the hash before it."""
    told = json.dumps(
        [partner, n, at_ms, actor, act, about, facts, previous],
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(told.encode()).hexdigest()


def by_person(person_id: int) -> str:
    return f"person:{person_id}"


def person_of(actor: str) -> int | None:
    """The id of a partner's person; ``None`` where somebody else acted."""
    kind, _, rest = actor.partition(":")
    return int(rest) if kind == "person" else None


def by_account(channel: str, address: str) -> str:
    """Somebody who is nobody here."""
    return f"account:{channel}:{address}"


def by_admin(channel: str, address: str) -> str:
    return f"admin:{channel}:{address}"
