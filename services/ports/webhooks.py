"""Stored endpoints and deliveries of partners' events, and what carries them out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from services.domain.lease import Lease
from services.domain.refusal import Refusal
from services.domain.webhook import (
    Delivery,
    WaitingEndpoint,
    WebhookAnswer,
    WebhookEndpoint,
)

# The URL as it is stored, or why it cannot be taken (``services.domain.webhook_url.check_url``).
CheckUrl: TypeAlias = Callable[[str], str | Refusal]


class WebhookTransport(Protocol):
    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """One signed request, made once, to a URL that was checked when it was stored. Only
        cancellation raises."""
        ...

    async def close(self) -> None:
        """Called once, when nothing is sent any more."""
        ...


class Webhooks(Protocol):
    """Endpoints, and which events are queued for them: one delivery for each event and endpoint."""

    # Endpoints

    def add(self, endpoint: WebhookEndpoint) -> bool:
        """False if the id is taken: draw another."""
        ...

    def get(self, endpoint: str) -> WebhookEndpoint | None: ...

    def of(self, partner: str) -> Sequence[WebhookEndpoint]:
        """Newest first, including those that are switched off."""
        ...

    def remove(self, endpoint: str) -> None:
        """With all of its deliveries."""
        ...

    def switch_off(self, endpoint: str, why: str) -> bool:
        """False if it was off already, or is gone. What is queued for it is given up
        (``WebhookDeliveries.give_up_switched_off``)."""
        ...

    def switch_on(self, endpoint: str) -> bool:
        """False if it was on already, or is gone. What was queued before is not sent."""
        ...

    def secrets(self) -> Mapping[str, str]:
        """Every endpoint with its sealed secret."""
        ...

    def reseal(self, endpoint: str, sealed: str) -> None:
        """Replace the seal of the same secret."""
        ...

    # Queueing

    def queue(self, partner: str, n: int, type_: str, operation: str | None) -> int:
        """Queue an event for each endpoint of its partner that is on and wants it; returns for how
        many. It stands in the transaction that adds the event."""
        ...

    def queue_test(self, endpoint: str, n: int) -> None:
        """Queue an event for this endpoint alone, on or off, to be tried once."""
        ...

    def queue_again(self, partner: str, n: int) -> int:
        """Queue an event of the feed once more for each endpoint that ``queue`` would take, with
        all tries; what is queued still becomes due at once. Returns for how many."""
        ...

    def take_queued(self) -> bool:
        """Whether anything was queued on this connection since the last call."""
        ...


class WebhookDeliveries(Protocol):
    """Deliveries that are queued, of which those of one endpoint and operation go in order.

    What is recorded names the claim's attempt. Of a claim that was taken over nothing counts.
    """

    def waiting(self) -> Sequence[WaitingEndpoint]: ...

    def next_due(self, endpoint: str) -> datetime | None:
        """When the first of what is queued for it is due; ``None``: nothing is queued."""
        ...

    def claim(
        self, endpoint: str, lease: Lease, most: int, *, only_tests: bool = False
    ) -> Sequence[Delivery]:
        """Claim what is due for one endpoint: another may claim it when the lease is over."""
        ...

    def taken(self, delivery: Delivery, status: int) -> bool:
        """False if it was claimed again meanwhile, or its endpoint is gone."""
        ...

    def try_again(self, delivery: Delivery, at: datetime, status: int | None, why: str) -> bool:
        """False as above, or if it is no longer queued."""
        ...

    def give_up(self, delivery: Delivery, status: int | None, why: str) -> bool:
        """False as above."""
        ...

    def give_up_switched_off(self, endpoint: str, limit: int) -> int:
        """Give up what is queued for an endpoint that is off, but for tests; returns how many."""
        ...

    def end_leases_of_others(self, owner: str) -> int:
        """What others hold becomes due; for when no other process can hold anything."""
        ...

    def end_leases_of(self, owners: Collection[str]) -> int:
        """What these hold becomes due."""
        ...
