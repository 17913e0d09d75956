"""A partner's HTTP API keys: admins' screens, and what those of its owners share with them.

A key is shown once, to whoever makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Place, View
from services import api_keys
from services.domain.api_key import ApiKey, Scope
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

SHOWN = api_keys.ACTIVE_MAX  # so that the list never cuts off one that is valid
DETAILS = ("by", "ceiling", "days", "key", "made", "restarts", "scopes", "state", "used")


@HANDLERS.view("api_keys", needs=Right.ADMIN, shows=("code", "lines"))
def listed(turn: TurnContext, code: str) -> View:
    return key_list(turn, code, empty="apikey.list.empty")


@HANDLERS.suggestion("living_api_keys", needs=Right.ADMIN)
def living(turn: TurnContext, code: str) -> Sequence[str]:
    return living_ids(turn, code)


@HANDLERS.view("api_key", needs=Right.ADMIN, shows=DETAILS)
def detail(turn: TurnContext, key: str) -> View:
    return View(key_details(turn, key))


@HANDLERS.use_case("make_api_key", needs=Right.ADMIN)
def make(turn: TurnContext, code: str, scopes: str, days: str) -> Exit | Refusal:
    made = api_keys.create(
        turn.tx,
        turn.app.random,
        code,
        [Scope(scope) for scope in scopes.split()],
        int(days),
        turn.actor,
    )
    if isinstance(made, Refusal):
        return made
    key_id = made.api_key.id
    _deliver(turn, made)
    turn.audit(code, "api_key_made", key_id, {"scopes": scopes, "days": int(days)})
    _tell_owners(turn, "notice.api_key_made", made.api_key)
    return Exit("made", sets={"key": key_id})


@HANDLERS.use_case("rotate_api_key", needs=Right.ADMIN)
def rotate(turn: TurnContext, key: str) -> Exit | Refusal:
    """Exit ``rotated`` sets ``new``. Refusals: those of ``api_keys.rotate``."""
    old = turn.tx.api_keys.get(key)
    assert old is not None, "only listed keys can be opened"
    days = _days(old)
    made = api_keys.rotate(turn.tx, turn.app.random, key, days, turn.actor)
    if isinstance(made, Refusal):
        return made
    _deliver(turn, made)
    new = made.api_key.id
    turn.audit(old.partner, "api_key_rotated", key, {"new": new, "days": days})
    _tell_owners(turn, "notice.api_key_rotated", old, {"new": new})
    return Exit("rotated", sets={"new": new})


@HANDLERS.use_case("revoke_api_key", needs=Right.ADMIN)
def revoke(turn: TurnContext, key: str) -> Exit | Refusal:
    """Exit ``done``. Refusals: those of ``api_keys.revoke``."""
    revoked = api_keys.revoke(turn.tx, key)
    if isinstance(revoked, Refusal):
        return revoked
    turn.audit(revoked.partner, "api_key_revoked", revoked.id)
    _tell_owners(turn, "notice.api_key_revoked", revoked)
    return Exit("done")


def living_ids(turn: TurnContext, code: str) -> Sequence[str]:
    """Of the keys that can be opened."""
    return [key.id for key in turn.tx.api_keys.of(code) if key.is_active(turn.tx.now)]


def key_list(turn: TurnContext, code: str, *, empty: str) -> View:
    """Active keys first, each newest first. ``empty`` is said where there are none."""
    keys = turn.tx.api_keys.of(code)
    shown = sorted(keys, key=lambda key: not key.is_active(turn.tx.now))[:SHOWN]
    lines = [turn.say("apikey.list.line", _facts(turn, key, keys)) for key in shown]
    return View(
        {"code": code, "lines": "\n".join(lines) or turn.say(empty)},
        place=Place(1, len(shown), len(keys)),
    )


def key_details(turn: TurnContext, key_id: str) -> Mapping[str, Any]:
    found = turn.tx.api_keys.get(key_id)
    assert found is not None, "only listed keys can be opened"
    return _facts(turn, found, turn.tx.api_keys.of(found.partner))


def _facts(turn: TurnContext, key: ApiKey, keys: Sequence[ApiKey]) -> dict[str, Any]:
    return {
        "key": key.id,
        "scopes": _scopes(turn, key),
        "state": _state(turn, key, keys),
        "by": actor_name(turn, key.created_by),
        "made": key.created_at,
        "used": _used(turn, key),
        "days": _days(key),
        "ceiling": _ceiling(turn, key, "ceiling"),
        "restarts": _ceiling(turn, key, "ceiling_restarts"),
    }


def _scopes(turn: TurnContext, key: ApiKey) -> str:
    if key.scopes == frozenset(Scope):
        return turn.say("apikey.list.all")
    return ", ".join(turn.phrase("scope", scope) for scope in Scope if key.grants(scope))


def _state(turn: TurnContext, key: ApiKey, keys: Sequence[ApiKey]) -> str:
    if key.revoked_at is not None:
        return turn.say("apikey.list.revoked", {"at": key.revoked_at})
    if not key.is_active(turn.tx.now):
        return turn.say("apikey.list.expired", {"at": key.expires_at})
    successor = api_keys.successor_of(key, keys)
    if successor is not None:
        return turn.say("apikey.list.replaced", {"at": key.expires_at, "new": successor.id})
    return turn.say("apikey.list.lives", {"at": key.expires_at})


def _ceiling(turn: TurnContext, key: ApiKey, words: str) -> str:
    """What it may pay customers without a code, if anything."""
    if not key.payout_ceiling_cents:
        return ""
    return turn.say(f"apikey.list.{words}", {"amount": key.payout_ceiling})


def _used(turn: TurnContext, key: ApiKey) -> Any:
    if key.used_at is None:
        return turn.say("apikey.list.never")
    if key.used_from is None:
        return key.used_at
    return turn.say("apikey.list.used", {"at": key.used_at, "address": key.used_from})


def _days(key: ApiKey) -> int:
    """For how long its successor is made: as long as itself, so that to rotate a key never gives
    more than its maker gave."""
    return min(key.lifetime_days, api_keys.DAYS_MAX)


def _deliver(turn: TurnContext, made: api_keys.CreatedKey) -> None:
    """Queue the key itself, sealed, for whoever asked for it."""
    facts = {"key": made.key, "code": made.api_key.partner}
    turn.send_sealed(made.api_key.id, turn.say("apikey.key", facts))


def _tell_owners(
    turn: TurnContext, notice: str, key: ApiKey, facts: Mapping[str, Any] | None = None
) -> None:
    """Tell the partner's owners, but for the one acting, so that none of them misses a key that
    somebody else has made, replaced or revoked."""
    acting = turn.linked_person
    for owner in turn.tx.people.owners(key.partner):
        if acting is None or owner.id != acting.id:
            who = actor_name(turn, turn.actor, owner.language)
            told = {"key": key.id, "code": key.partner, "who": who, **(facts or {})}
            turn.notify_person(owner, notice, told, opens="keys")
