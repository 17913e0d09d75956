"""API keys: create, check and revoke.

Each function runs inside a transaction. The key itself leaves here once, in the one message that
delivers it.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from services.domain.api_key import ApiKey, Scope, id_of, new_id
from services.domain.ids import draw_unique
from services.domain.refusal import Refusal
from services.domain.token import draw_token, token_digest
from services.ports import Random, Tx

LIVING_MAX = 10  # active keys of one partner
DAYS_MAX = 365
USED_EVERY = timedelta(minutes=1)  # precision of "last used"


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
    assert 1 <= days <= DAYS_MAX
    living = [one for one in tx.api_keys.of(partner) if one.is_active(tx.now)]
    if len(living) >= living_max:
        return Refusal.of("api_keys_many", most=living_max)

    def draw() -> CreatedKey:
        api_key = ApiKey(
            id=new_id(random),
            partner=partner,
            scopes=frozenset(scopes),
            created_by=by,
            created_at=tx.now,
            expires_at=tx.now + timedelta(days=days),
        )
        return CreatedKey(api_key, f"{api_key.id}_{draw_token(random)}")

    return draw_unique(draw, lambda made: tx.api_keys.add(made.api_key, token_digest(made.key)))


def check(tx: Tx, key: str, scope: Scope) -> ApiKey | Refusal:
    """The key, if it grants ``scope`` now.

    Refusals: ``api_key_unknown``, ``api_key_revoked``, ``api_key_expired``, ``api_key_scope``,
    ``suspended``.
    """
    key_id = id_of(key)
    found = None if key_id is None else tx.api_keys.get(key_id)
    digest = None if key_id is None else tx.api_keys.digest_of(key_id)
    if found is None or digest is None or not hmac.compare_digest(digest, token_digest(key)):
        return Refusal("api_key_unknown")
    if found.revoked_at is not None:
        return Refusal("api_key_revoked")
    if found.expires_at <= tx.now:
        return Refusal("api_key_expired")
    partner = tx.people.partner(found.partner)
    if partner is None or partner.suspended:
        return Refusal.of("suspended", partner=found.partner)
    if scope not in found.scopes:
        return Refusal.of("api_key_scope", scope=scope)
    if found.used_at is None or tx.now - found.used_at >= USED_EVERY:
        tx.api_keys.used(found.id)
    return found


def revoke(tx: Tx, key_id: str) -> ApiKey | Refusal:
    """The key is valid no longer. Refusal: ``api_key_over``."""
    found = tx.api_keys.get(key_id)
    if found is None or not found.is_active(tx.now):
        return Refusal("api_key_over")
    tx.api_keys.revoke(key_id)
    return found
