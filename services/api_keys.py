"""API keys: create, authenticate, rotate and revoke.

Each function runs inside a transaction. The key itself leaves here once, in the one message that
delivers it.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.domain.api_key import ApiKey, Scope, id_of, new_id
from services.domain.ids import draw_unique
from services.domain.refusal import Refusal
from services.domain.token import draw_token, token_digest
from services.ports import Random, Tx

LIVING_MAX = 10  # keys of one partner, where one in its overlap and its successor are one
ACTIVE_MAX = 15  # with those in their overlap, so that no rotation of rotations grows without end
DAYS_MAX = 365
OVERLAP = timedelta(hours=24)  # for which a replaced key still opens what it did
USED_EVERY = timedelta(minutes=1)  # precision of "last used"
ADDRESS_MAX = 45  # characters: an IPv6 address that ends in an IPv4 one
NO_DIGEST = "0" * 64  # of no key; compared with where there is none, so that it takes as long


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """``key`` exists nowhere else: it is sealed into its message, or lost."""

    api_key: ApiKey
    key: str = field(repr=False)


def create(
    tx: Tx,
    random: Random,
    partner: str,
    scopes: Collection[Scope],
    days: int,
    by: str,
    *,
    living_max: int = LIVING_MAX,
) -> CreatedKey | Refusal:
    """A new key for ``days`` (1 to 365). Refusal: ``api_keys_many``."""
    keys = tx.api_keys.of(partner)
    # A key in its overlap has a successor that counts for it: without this a partner with ten
    # keys would have to cut one off before it could rotate it.
    living = [key for key in keys if key.is_active(tx.now) and not _has_heir(key, keys, tx.now)]
    if len(living) >= living_max:
        return Refusal.of("api_keys_many", most=living_max)
    return _store_new(tx, random, partner, scopes, days, by)


def rotate(tx: Tx, random: Random, key_id: str, days: int, by: str) -> CreatedKey | Refusal:
    """A new key in place of this one, which is valid for 24 more hours at most.

    Refusals: ``api_key_over`` if it is not active or has been replaced already,
    ``api_keys_many`` while too many are in their overlap.
    """
    found = tx.api_keys.get(key_id)
    if found is None or not found.is_active(tx.now):
        return Refusal("api_key_over")
    keys = tx.api_keys.of(found.partner)
    if successor_of(found, keys) is not None:
        return Refusal("api_key_over")
    if sum(key.is_active(tx.now) for key in keys) >= ACTIVE_MAX:
        return Refusal.of("api_keys_many", most=ACTIVE_MAX)
    made = _store_new(tx, random, found.partner, found.scopes, days, by, replaces=key_id)
    tx.api_keys.shorten(key_id, tx.now + OVERLAP)
    return made


def _store_new(
    tx: Tx,
    random: Random,
    partner: str,
    scopes: Collection[Scope],
    days: int,
    by: str,
    replaces: str | None = None,
) -> CreatedKey:
    assert 1 <= days <= DAYS_MAX

    def draw() -> CreatedKey:
        api_key = ApiKey(
            id=new_id(random),
            partner=partner,
            scopes=frozenset(scopes),
            created_by=by,
            created_at=tx.now,
            expires_at=tx.now + timedelta(days=days),
            replaces=replaces,
        )
        return CreatedKey(api_key, f"{api_key.id}_{draw_token(random)}")

    return draw_unique(draw, lambda made: tx.api_keys.add(made.api_key, token_digest(made.key)))


def successor_of(key: ApiKey, keys: Sequence[ApiKey]) -> ApiKey | None:
    """The one of its partner's ``keys`` that took over from it."""
    return next((other for other in keys if other.replaces == key.id), None)


def _has_heir(key: ApiKey, keys: Sequence[ApiKey], now: datetime) -> bool:
    successor = successor_of(key, keys)
    return successor is not None and successor.is_active(now)


def authenticate(tx: Tx, key: str) -> ApiKey | None:
    """The key's record while it is valid; what it may do is asked of that (``ApiKey.grants``).

    ``None`` does not say why, and costs the same whatever the reason. A suspended partner's key
    authenticates: looking is not moving money. It writes nothing: see ``wants_note``.
    """
    key_id = id_of(key) or ""
    found = tx.api_keys.get(key_id)
    digest = tx.api_keys.digest_of(key_id) or NO_DIGEST
    is_right = hmac.compare_digest(digest, token_digest(key))
    if found is None or not is_right or not found.is_active(tx.now):
        return None
    return found


def wants_note(key: ApiKey, now: datetime) -> bool:
    """Whether its last use is so long ago that this one should be noted, or later than now, as
    it can be once the clock was set back."""
    return key.used_at is None or not timedelta() <= now - key.used_at < USED_EVERY


def note_use(tx: Tx, key: ApiKey, address: str) -> None:
    """Note when and from where it is used, at most once a minute. ``key`` as it was read."""
    if wants_note(key, tx.now):
        tx.api_keys.used(key.id, address[:ADDRESS_MAX])


def revoke(tx: Tx, key_id: str) -> ApiKey | Refusal:
    """The key is valid no longer. Refusal: ``api_key_over``."""
    found = tx.api_keys.get(key_id)
    if found is None or not found.is_active(tx.now):
        return Refusal("api_key_over")
    tx.api_keys.revoke(key_id)
    return found
