"""The audit log: a hash chain, so that changing or removing a row is detectable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

FIRST = "0" * 64  # previous hash of the first row of a chain
HAZINA = "hazina"  # the actor when no person asked


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Row ``n`` of the partner's chain; ``at_ms`` is UTC in milliseconds, ``facts`` canonical
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
        """Time of the commit."""
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.at_ms)


# Partner → expected next row number and previous hash.
Expected: TypeAlias = dict[str, tuple[int, str]]


class Head(NamedTuple):
    """The number of rows, and a hash that covers all of them."""

    rows: int
    digest: str


def canonical(facts: Mapping[str, object]) -> str:
    """The same text for the same facts: sorted keys, no whitespace, other values as strings."""
    return json.dumps(
        {name: value if isinstance(value, int) else str(value) for name, value in facts.items()},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )


def chain_hash(
    partner: str, n: int, at_ms: int, actor: str, act: str, about: str, facts: str, previous: str
) -> str:
    """SHA-256 over everything in the row and the previous hash."""
    row = json.dumps(
        [partner, n, at_ms, actor, act, about, facts, previous],
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(row.encode()).hexdigest()


def by_person(person_id: int) -> str:
    return f"person:{person_id}"


def person_of(actor: str) -> int | None:
    """The id of a partner's person; ``None`` if somebody else acted."""
    kind, _, rest = actor.partition(":")
    return int(rest) if kind == "person" else None


def by_account(channel: str, address: str) -> str:
    """The actor for an account that belongs to no person."""
    return f"account:{channel}:{address}"


def by_key(key_id: str) -> str:
    """The actor for a partner's system, by the id of its key."""
    return f"key:{key_id}"


def by_admin(channel: str, address: str) -> str:
    return f"admin:{channel}:{address}"
