"""Handlers of the webhooks flow. A secret is shown once, to the owner who adds the endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.wording import actor_name
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, Place, View
from services import approvals, webhooks
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.partner_event import BALANCE_LOW, EVENT_TYPES
from services.domain.refusal import Refusal
from services.domain.webhook import WebhookEndpoint
from services.domain.webhook_url import host_of, shown_url

HANDLERS = Handlers()

ALL = "all"


@HANDLERS.view("webhooks", needs=Right.SET_RULES, shows=("lines",))
def listed(turn: TurnContext) -> View:
    found = turn.tx.webhooks.of(turn.person.partner.code)
    lines = [turn.say("webhooks.list.line", _facts(turn, endpoint)) for endpoint in found]
    return View(
        {"lines": "\n".join(lines) or turn.say("webhooks.list.empty")},
        place=Place(1, len(found), len(found)),
    )


@HANDLERS.suggestion("own_webhooks", needs=Right.SET_RULES)
def own(turn: TurnContext) -> Sequence[Reference]:
    return [Reference(one.id) for one in turn.tx.webhooks.of(turn.person.partner.code)]


@HANDLERS.view(
    "webhook",
    needs=Right.SET_RULES,
    shows=("by", "endpoint", "error", "kinds", "made", "state", "success", "url"),
)
def detail(turn: TurnContext, endpoint: Reference) -> View | None:
    found = turn.tx.webhooks.get(endpoint)
    return None if found is None else View(_facts(turn, found))


@HANDLERS.use_case("check_webhook_url", needs=Right.SET_RULES)
def check(turn: TurnContext, url: str) -> Exit | Refusal:
    checked = turn.app.check_webhook_url(url)
    if isinstance(checked, Refusal):
        return Exit("again", above=turn.say(f"refusal.{checked.code}", checked.facts))
    return _check_cooling_off(turn) or Exit("good", sets={"url": checked})


@HANDLERS.use_case("make_webhook", needs=Right.SET_RULES)
def make(turn: TurnContext, url: str, kinds: str) -> Exit | Refusal:
    partner = turn.person.partner.code
    made = _check_cooling_off(turn) or webhooks.create(
        turn.tx,
        turn.app.keys,
        turn.app.random,
        partner,
        url,
        types_of(kinds),
        None,
        turn.actor,
        check=turn.app.check_webhook_url,
    )
    if isinstance(made, Refusal):
        return made
    endpoint = made.endpoint
    turn.send_sealed(endpoint.id, turn.say("webhooks.secret", {"secret": made.secret}))
    turn.audit(partner, "webhook_added", endpoint.id, {"host": host_of(url), "types": kinds})
    return Exit("made", sets={"endpoint": endpoint.id})


@HANDLERS.use_case("test_webhook", needs=Right.SET_RULES)
def test(turn: TurnContext, endpoint: Reference) -> Exit | Refusal:
    event = webhooks.test(turn.tx, turn.person.partner.code, endpoint)
    if isinstance(event, Refusal):
        return event
    turn.audit(turn.person.partner.code, "webhook_tested", endpoint)
    return Exit("sent", above=turn.say("webhooks.one.tested", {"event": event.id}))


@HANDLERS.use_case("switch_on_webhook", needs=Right.SET_RULES)
def switch_on(turn: TurnContext, endpoint: Reference) -> Exit | Refusal:
    found = _check_cooling_off(turn) or webhooks.switch_on(
        turn.tx, turn.person.partner.code, endpoint
    )
    if isinstance(found, Refusal):
        return found
    if found.is_on:
        return Exit("done", above=turn.say("webhooks.one.on_already"))
    turn.audit(found.partner, "webhook_switched_on", endpoint)
    return Exit("done", above=turn.say("webhooks.one.switched_on"))


@HANDLERS.use_case("remove_webhook", needs=Right.SET_RULES)
def remove(turn: TurnContext, endpoint: Reference) -> Exit | Refusal:
    found = _check_cooling_off(turn) or webhooks.remove(turn.tx, turn.person.partner.code, endpoint)
    if isinstance(found, Refusal):
        return found
    turn.audit(found.partner, "webhook_removed", endpoint, {"host": host_of(found.url)})
    return Exit("done")


def types_of(kinds: str) -> Sequence[str] | None:
    """Every event of a kind, and of both a low balance, which is neither's alone."""
    if kinds == ALL:
        return None
    return [type_ for type_ in EVENT_TYPES if type_.startswith(f"{kinds}.") or type_ == BALANCE_LOW]


def _kinds_of(types: Sequence[str] | None) -> str | None:
    """The word for a choice made here; ``None`` for one made by the partner's own system."""
    for kinds in (ALL, "topup", "float"):
        offered = types_of(kinds)
        if types == (None if offered is None else tuple(offered)):
            return kinds
    return None


def _check_cooling_off(turn: TurnContext) -> Refusal | None:
    """Refuse owners whose account was linked only recently: events tell of all that happens."""
    return approvals.check_account_freeze(turn.tx, turn.app.policy, turn.person)


def _facts(turn: TurnContext, endpoint: WebhookEndpoint) -> dict[str, Any]:
    kinds = _kinds_of(endpoint.types)
    if endpoint.disabled_at is None:
        state = turn.say("webhooks.list.on")
    else:
        state = turn.say("webhooks.list.off", {"at": endpoint.disabled_at})
    never, none = turn.say("webhooks.list.never"), turn.say("webhooks.list.none")
    return {
        "endpoint": endpoint.id,
        "url": shown_url(endpoint.url),
        "kinds": turn.phrase("webhook_kinds", kinds)
        if kinds is not None
        else turn.say("webhooks.list.some", {"n": len(endpoint.types or ())}),
        "state": state,
        "by": actor_name(turn, endpoint.created_by),
        "made": endpoint.created_at,
        "success": never if endpoint.last_success_at is None else endpoint.last_success_at,
        "error": endpoint.last_error or none,
    }
