"""A partner's HTTP API keys; each is shown once, to the admin who creates it."""

from __future__ import annotations

from collections.abc import Sequence
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

SHOWN = 15  # more than may be active at once


@HANDLERS.view("api_keys", needs=Right.ADMIN, shows=("code", "lines"))
def listed(turn: TurnContext, code: str) -> View:
    """Active keys first, so that the list never cuts one off."""
    keys = turn.tx.api_keys.of(code)
    shown = sorted(keys, key=lambda key: not key.is_active(turn.tx.now))[:SHOWN]
    lines = [turn.say("apikey.list.line", _facts(turn, key)) for key in shown]
    return View(
        {"code": code, "lines": "\n".join(lines) or turn.say("apikey.list.empty")},
        place=Place(1, len(shown), len(keys)),
    )


@HANDLERS.suggestion("living_api_keys", needs=Right.ADMIN)
def living(turn: TurnContext, code: str) -> Sequence[str]:
    keys = turn.tx.api_keys.of(code)
    return [key.id for key in keys if key.is_active(turn.tx.now)]


@HANDLERS.view("api_key", needs=Right.ADMIN, shows=("by", "key", "made", "scopes", "state", "used"))
def detail(turn: TurnContext, key: str) -> View:
    found = turn.tx.api_keys.get(key)
    assert found is not None, "only listed keys can be opened"
    return View(_facts(turn, found))


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
    turn.send_sealed(key_id, turn.say("apikey.key", {"key": made.key, "code": code}))
    turn.audit(code, "api_key_made", key_id, {"scopes": scopes, "days": int(days)})
    return Exit("made", sets={"key": key_id})


@HANDLERS.use_case("revoke_api_key", needs=Right.ADMIN)
def revoke(turn: TurnContext, key: str) -> Exit | Refusal:
    revoked = api_keys.revoke(turn.tx, key)
    if isinstance(revoked, Refusal):
        return revoked
    turn.audit(revoked.partner, "api_key_revoked", revoked.id)
    return Exit("done")


def _facts(turn: TurnContext, key: ApiKey) -> dict[str, Any]:
    if key.revoked_at is not None:
        state = turn.say("apikey.list.revoked", {"at": key.revoked_at})
    elif key.is_active(turn.tx.now):
        state = turn.say("apikey.list.lives", {"at": key.expires_at})
    else:
        state = turn.say("apikey.list.expired", {"at": key.expires_at})
    never = turn.say("apikey.list.never")
    return {
        "key": key.id,
        "scopes": ", ".join(turn.phrase("scope", scope) for scope in Scope if scope in key.scopes),
        "state": state,
        "by": actor_name(turn, key.created_by),
        "made": key.created_at,
        "used": never if key.used_at is None else key.used_at,
    }
