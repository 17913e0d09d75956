"""A partner's keys to the HTTP API, as its owners see them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.context import TurnContext
from bot.handlers.admin import api_keys as desk
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, View
from services import approvals
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()


@HANDLERS.view("own_api_keys", needs=Right.SET_RULES, shows=("code", "lines"))
def own_list(turn: TurnContext) -> View:
    return desk.key_list(turn, turn.person.partner.code, empty="keys.list.empty")


@HANDLERS.suggestion("own_living_api_keys", needs=Right.SET_RULES)
def own_living(turn: TurnContext) -> Sequence[str]:
    return desk.living_ids(turn, turn.person.partner.code)


@HANDLERS.view("own_api_key", needs=Right.SET_RULES, shows=desk.DETAILS)
def own_detail(turn: TurnContext, key: Reference) -> View:
    return View(desk.key_details(turn, key))


@HANDLERS.use_case("rotate_own_api_key", needs=Right.SET_RULES)
def rotate_own(turn: TurnContext, key: Reference) -> Exit | Refusal:
    """Refused on an account that was linked only lately: a new key is as good as a code."""
    refusal = approvals.check_account_freeze(turn.tx, turn.app.policy, turn.person)
    return refusal or desk.rotate(turn, key)


@HANDLERS.use_case("revoke_own_api_key", needs=Right.SET_RULES)
def revoke_own(turn: TurnContext, key: Reference) -> Exit | Refusal:
    """Never put off: whoever revokes a key only makes the partner safer."""
    return desk.revoke(turn, key)
