"""Where a partner's events are sent: add and remove endpoints, switch them on, test, send again.

Each function runs inside a transaction. An endpoint's secret leaves here once, in the one answer or
message that delivers it; the row holds it sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.domain.ids import draw_unique
from services.domain.partner_event import EVENT_TYPES, TEST, PartnerEvent
from services.domain.refusal import Refusal
from services.domain.webhook import (
    ENDPOINTS_MAX,
    WebhookEndpoint,
    new_endpoint_id,
    tidy_types,
)
from services.domain.webhook_signature import draw_secret
from services.domain.webhook_url import check_url
from services.ports import CheckUrl, Keys, Random, Tx


@dataclass(frozen=True, slots=True)
class CreatedEndpoint:
    """``secret`` exists in the clear nowhere else."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


def create(
    tx: Tx,
    keys: Keys,
    random: Random,
    partner: str,
    url: str,
    types: Sequence[str] | None,
    description: str | None,
    by: str,
    *,
    check: CheckUrl = check_url,
) -> CreatedEndpoint | Refusal:
    """An endpoint that is on. ``types`` are those that it wants, none or ``None`` for all.

    Refusals: ``webhook_url`` (``why``), ``webhook_types`` (``place``, that of the first unknown
    one), ``webhooks_many`` (``most``).
    """
    checked = check(url)
    if isinstance(checked, Refusal):
        return checked
    unknown = [place for place, type_ in enumerate(types or ()) if type_ not in EVENT_TYPES]
    if unknown:
        return Refusal.of("webhook_types", place=unknown[0])
    if len(tx.webhooks.of(partner)) >= ENDPOINTS_MAX:
        return Refusal.of("webhooks_many", most=ENDPOINTS_MAX)
    secret = draw_secret(random)
    sealed = keys.seal(secret)

    def draw() -> WebhookEndpoint:
        return WebhookEndpoint(
            id=new_endpoint_id(random),
            partner=partner,
            url=checked,
            types=tidy_types(types),
            description=description,
            secret=sealed,
            created_by=by,
            created_at=tx.now,
        )

    return CreatedEndpoint(draw_unique(draw, tx.webhooks.add), secret)


def find(tx: Tx, partner: str, endpoint: str) -> WebhookEndpoint | Refusal:
    """Another partner's is as one that is not there. Refusal: ``webhook_unknown``."""
    found = tx.webhooks.get(endpoint)
    if found is None or found.partner != partner:
        return Refusal("webhook_unknown")
    return found


def remove(tx: Tx, partner: str, endpoint: str) -> WebhookEndpoint | Refusal:
    """Nothing more is sent there; what is under way still arrives. Refusal: ``webhook_unknown``."""
    found = find(tx, partner, endpoint)
    if not isinstance(found, Refusal):
        tx.webhooks.remove(endpoint)
    return found


def switch_on(tx: Tx, partner: str, endpoint: str) -> WebhookEndpoint | Refusal:
    """Events from now on are sent again; those before are in the feed. On already: nothing changes.

    Refusal: ``webhook_unknown``.
    """
    found = find(tx, partner, endpoint)
    if not isinstance(found, Refusal):
        tx.webhooks.switch_on(endpoint)
    return found


def test(tx: Tx, partner: str, endpoint: str) -> PartnerEvent | Refusal:
    """Queue an event of type ``webhook.test``, also for one that is off. Refusal:
    ``webhook_unknown``."""
    found = find(tx, partner, endpoint)
    if isinstance(found, Refusal):
        return found
    event = tx.partner_events.add_test(partner, TEST)
    tx.webhooks.queue_test(endpoint, event.n)
    return event


def resend(tx: Tx, partner: str, n: int) -> int | Refusal:
    """Send an event of the feed again, to each endpoint that is on and wants it; returns to how
    many. Refusal: ``event_unknown``."""
    event = tx.partner_events.get(partner, n)
    if event is None or event.type == TEST:
        return Refusal("event_unknown")
    return tx.webhooks.queue_again(partner, n)
