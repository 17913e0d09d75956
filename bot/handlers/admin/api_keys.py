"""A partner's HTTP API keys; each is shown once, to the admin who creates it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name, stamp
from bot.handlers.signatures import Suggester, UseCase, ViewBuilder
from flows.engine.host import Exit, View
from services import api_keys
from services.domain.api_key import ApiKey, Scope
from services.domain.refusal import Refusal

SHOWN = 15  # more than may be active at once


def listed(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    """Active keys first, so that the list never cuts one off."""
    keys = turn.tx.api_keys.of(args["code"])
    keys = sorted(keys, key=lambda key: not key.is_active(turn.tx.now))[:SHOWN]
    lines = [turn.say("apikey.list.line", _facts(turn, key)) for key in keys]
    return View({"code": args["code"], "lines": "\n".join(lines) or turn.say("apikey.list.empty")})


def living(turn: TurnContext, args: Mapping[str, Any]) -> Sequence[str]:
    keys = turn.tx.api_keys.of(args["code"])
    return [key.id for key in keys if key.is_active(turn.tx.now)]


def detail(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    key = turn.tx.api_keys.get(args["key"])
    assert key is not None, "only listed keys can be opened"
    return View(_facts(turn, key))


def make(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    code, scopes, days = args["code"], args["scopes"], args["days"]
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
    turn.send_sealed(key_id, turn.say("apikey.key", {"key": made.key, "code": code}))
    turn.audit(code, "api_key_made", key_id, {"scopes": scopes, "days": int(days)})
    return Exit("made", sets={"key": key_id})


def revoke(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    revoked = api_keys.revoke(turn.tx, args["key"])
    if isinstance(revoked, Refusal):
        return revoked
    turn.audit(revoked.partner, "api_key_revoked", revoked.id)
    return Exit("done")


def _facts(turn: TurnContext, key: ApiKey) -> dict[str, Any]:
    if key.revoked_at is not None:
        state = turn.say("apikey.list.revoked", {"at": stamp(key.revoked_at)})
    elif key.is_active(turn.tx.now):
        state = turn.say("apikey.list.lives", {"at": stamp(key.expires_at)})
    else:
        state = turn.say("apikey.list.expired", {"at": stamp(key.expires_at)})
    never = turn.say("apikey.list.never")
    return {
        "key": key.id,
        "scopes": " ".join(sorted(key.scopes)),
        "state": state,
        "by": actor_name(turn, key.created_by),
        "made": stamp(key.created_at),
        "used": never if key.used_at is None else stamp(key.used_at),
    }


USE_CASES: dict[str, UseCase] = {"make_api_key": make, "revoke_api_key": revoke}
VIEWS: dict[str, ViewBuilder] = {"api_keys": listed, "api_key": detail}
SUGGESTERS: dict[str, Suggester] = {"living_api_keys": living}
