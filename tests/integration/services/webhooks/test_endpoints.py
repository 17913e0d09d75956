"""Adding, removing and testing endpoints, each partner its own."""

from __future__ import annotations

import random
from typing import cast

import pytest

from bot.security.keyring import Keyring
from services import ownership, webhooks
from services.domain.partner_event import EVENT_TYPES
from services.domain.refusal import Refusal
from services.domain.webhook import ENDPOINTS_MAX, Taken
from services.ports import Random
from services.webhooks import CreatedEndpoint
from tests.kit.plain_store import PlainStore
from tests.kit.webhook_queue import URL, WebhookQueue

KEYS = Keyring({"1": bytes(32)})
CHANCE = cast("Random", random.Random(1))
UNKNOWN = Refusal("webhook_unknown")


@pytest.fixture
def queue(store: PlainStore) -> WebhookQueue:
    return WebhookQueue(store)


def create(
    queue: WebhookQueue, url: str = URL, types: list[str] | None = None
) -> CreatedEndpoint | Refusal:
    return queue.store.do(
        lambda tx: webhooks.create(tx, KEYS, CHANCE, "DEMO", url, types, "Till", "key:hz_1")
    )


def created(queue: WebhookQueue, types: list[str] | None = None) -> CreatedEndpoint:
    made = create(queue, types=types)
    assert isinstance(made, CreatedEndpoint)
    return made


def test_the_secret_is_given_once_and_stored_sealed(queue: WebhookQueue) -> None:
    made = created(queue)
    stored = queue.store.do(lambda tx: tx.webhooks.get(made.endpoint.id))
    assert stored == made.endpoint
    assert made.secret.startswith("whsec_")
    assert made.secret not in stored.secret
    assert KEYS.unseal(stored.secret) == made.secret
    assert made.secret not in repr(made)
    assert stored.secret not in repr(stored)


def test_types_are_kept_once_each_and_none_means_all(queue: WebhookQueue) -> None:
    some = created(queue, ["topup.paid", "float.failed", "topup.paid"])
    assert some.endpoint.types == ("topup.paid", "float.failed")
    assert created(queue, []).endpoint.types is None
    assert created(queue, list(EVENT_TYPES)).endpoint.types == EVENT_TYPES


@pytest.mark.parametrize("unknown", ["topup", "webhook.test", "TOPUP.PAID", "", "topup.paid "])
def test_an_unknown_type_is_refused(queue: WebhookQueue, unknown: str) -> None:
    assert create(queue, types=["topup.paid", unknown]) == Refusal.of("webhook_types", place=1)


def test_a_private_address_is_refused(queue: WebhookQueue) -> None:
    assert create(queue, "https://10.0.0.1/") == Refusal.of("webhook_url", why="private")


def test_an_installation_may_have_rules_of_its_own(queue: WebhookQueue) -> None:
    own = "http://127.0.0.1:8420/sim/receive"
    made = queue.store.do(
        lambda tx: webhooks.create(
            tx, KEYS, CHANCE, "DEMO", own, None, None, "key:hz_1", check=lambda url: url
        )
    )
    assert isinstance(made, CreatedEndpoint)
    assert made.endpoint.url == own


def test_a_partner_has_ten_at_most(queue: WebhookQueue) -> None:
    for _ in range(ENDPOINTS_MAX):
        created(queue)
    assert create(queue) == Refusal.of("webhooks_many", most=ENDPOINTS_MAX)


def test_another_partners_is_as_one_that_is_not_there(queue: WebhookQueue) -> None:
    id_ = created(queue).endpoint.id
    for act in (webhooks.remove, webhooks.switch_on, webhooks.test):
        assert queue.store.do(lambda tx, act=act: act(tx, "OTHER", id_)) == UNKNOWN
        assert queue.store.do(lambda tx, act=act: act(tx, "DEMO", "we_none")) == UNKNOWN
    assert queue.store.do(lambda tx: ownership.partner_of(tx, id_)) == "DEMO"


def test_a_removed_one_gets_nothing_more(queue: WebhookQueue) -> None:
    id_ = created(queue).endpoint.id
    queue.event("TU-1")
    queue.store.do(lambda tx: webhooks.remove(tx, "DEMO", id_))
    assert queue.claimed(id_) == []
    assert queue.store.do(lambda tx: tx.webhooks.of("DEMO")) == []


def test_a_test_is_in_no_feed_and_goes_to_one_endpoint(queue: WebhookQueue) -> None:
    one, other = created(queue).endpoint.id, created(queue).endpoint.id
    event = queue.store.do(lambda tx: webhooks.test(tx, "DEMO", one))
    assert not isinstance(event, Refusal)
    (delivery,) = queue.claim(one)
    assert delivery.event.document() == event.document()
    assert delivery.event.document()["data"] == {}
    assert queue.claim(other) == []
    assert queue.store.do(lambda tx: tx.partner_events.page("DEMO", 0, 9)) == []


def test_an_event_is_sent_again_where_it_is_wanted(queue: WebhookQueue) -> None:
    id_ = created(queue, ["topup.paid"]).endpoint.id
    created(queue, ["float.failed"])
    n = queue.event("TU-1")
    (delivery,) = queue.claim(id_)
    queue.store.do(lambda tx: tx.webhook_deliveries.taken(delivery, Taken(200).status))
    assert queue.store.do(lambda tx: webhooks.resend(tx, "DEMO", n)) == 1
    assert queue.claimed(id_) == [n]


def test_neither_a_test_nor_an_unknown_event_is_sent_again(queue: WebhookQueue) -> None:
    id_ = created(queue).endpoint.id
    queue.store.do(lambda tx: webhooks.test(tx, "DEMO", id_))
    for n in (1, 2):
        found = queue.store.do(lambda tx, n=n: webhooks.resend(tx, "DEMO", n))
        assert found == Refusal("event_unknown")
