"""Calls about where a partner's events are sent."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from bot.calls.answers import FieldError, Problem, ProblemCode, Reply, invalid, not_found
from bot.calls.caller import CallContext
from bot.calls.fields import Description, wrong
from bot.calls.requests import Request
from services import webhooks
from services.domain.instant import to_rfc3339
from services.domain.partner_event import EVENT_TYPES, place_of
from services.domain.refusal import Refusal
from services.domain.webhook import WebhookEndpoint
from services.domain.webhook_url import host_of

URL_MAX = 2048
# Names only, as partners have them; addresses and names in other letters are taken as well.
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_URL = rf"^https://({_LABEL}\.)+[A-Za-z]{{2,63}}(:(443|8443))?(/[!-\"$-\[\]-~]*)?$"


def _types(given: Any) -> tuple[str, ...] | None:
    if given is None:
        return None
    is_list = isinstance(given, list) and 0 < len(given) <= 2 * len(EVENT_TYPES)
    if is_list and all(isinstance(type_, str) and type_ in EVENT_TYPES for type_ in given):
        return tuple(dict.fromkeys(given))
    raise wrong("These are types of events.")


EventTypes = Annotated[
    tuple[str, ...] | None,
    BeforeValidator(_types),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "array",
                    "items": {"type": "string", "enum": list(EVENT_TYPES)},
                    "minItems": 1,
                    "maxItems": 2 * len(EVENT_TYPES),
                },
                {"type": "null"},
            ],
            "description": "Left out or null: all.",
        }
    ),
]


class EndpointRequest(Request):
    url: str = Field(
        min_length=1,
        max_length=URL_MAX,
        description="A public address: https, port 443 or 8443, no user name.",
        json_schema_extra={"pattern": _URL},
        examples=["https://duka.example/events"],
    )
    types: EventTypes = None
    description: Description | None = None


def create(call: CallContext, request: EndpointRequest) -> Reply | Problem:
    app = call.app
    made = webhooks.create(
        call.tx,
        app.keys,
        app.random,
        call.partner.code,
        request.url,
        request.types,
        request.description,
        call.turn.actor,
        check=app.check_webhook_url,
    )
    if isinstance(made, Refusal):
        detail = app.texts.say("en", f"refusal.{made.code}", made.facts)
        if made.code == "webhook_url":
            return invalid(FieldError("/url", detail))
        return Problem(ProblemCode.LIMIT_EXCEEDED, detail, {"limit": "webhook_endpoints"})
    endpoint = made.endpoint
    call.turn.audit(
        call.partner.code, "webhook_added", endpoint.id, {"host": host_of(endpoint.url)}
    )
    return Reply({**_created(endpoint), "secret": made.secret})


def listed(call: CallContext) -> Reply:
    return Reply({"data": [_document(one) for one in call.tx.webhooks.of(call.partner.code)]})


def remove(call: CallContext, endpoint: str) -> Reply | Problem:
    removed = webhooks.remove(call.tx, call.partner.code, endpoint)
    if isinstance(removed, Refusal):
        return not_found()
    call.turn.audit(
        call.partner.code, "webhook_removed", removed.id, {"host": host_of(removed.url)}
    )
    return Reply(None)


def test(call: CallContext, endpoint: str) -> Reply | Problem:
    event = webhooks.test(call.tx, call.partner.code, endpoint)
    if isinstance(event, Refusal):
        return not_found()
    return Reply({"id": event.id, "type": event.type, "endpoint": endpoint})


def resend(call: CallContext, event: str) -> Reply | Problem:
    place = place_of(call.partner.code, event)
    sent = None if place is None else webhooks.resend(call.tx, call.partner.code, place)
    if sent is None or isinstance(sent, Refusal):
        return not_found()
    return Reply({"id": event, "endpoints": sent})


def _created(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "types": None if endpoint.types is None else list(endpoint.types),
        "description": endpoint.description,
        "enabled": endpoint.is_on,
        "created_at": to_rfc3339(endpoint.created_at),
    }


def _document(endpoint: WebhookEndpoint) -> dict[str, Any]:
    succeeded = endpoint.last_success_at
    return {
        **_created(endpoint),
        "last_success_at": None if succeeded is None else to_rfc3339(succeeded),
        "last_error": endpoint.last_error,
    }
