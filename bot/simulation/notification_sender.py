"""Sends the bank's notifications to the product, and again after a crash until one is answered."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx

from bot.simulation.clock import VirtualClock
from bot.simulation.credentials import NOTIFY_SECRET
from bot.simulation.ncba.paybill import BankNotification
from services.domain.money import Money
from services.domain.phone import Phone

NOTIFY_URL = f"http://hazina.simulated/ncba/notify/{NOTIFY_SECRET}"


@dataclass
class NotificationDelivery:
    """A notification being delivered, and the product's answer (``ResultCode``)."""

    notification: BankNotification
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A payment, and each of its notifications."""

    phone: Phone
    amount: Money
    reference: str
    deliveries: Sequence[NotificationDelivery]

    @property
    def answers(self) -> Sequence[str]:
        """What each was answered."""
        return [delivery.answer or "nothing" for delivery in self.deliveries]


class NotificationSender:
    """``start`` runs a delivery as a background task until the product stops or dies."""

    def __init__(
        self, clock: VirtualClock, start: Callable[[Coroutine[None, None, None]], None]
    ) -> None:
        self._clock = clock
        self._start = start
        self._inbound: httpx.ASGITransport | None = None  # the product's HTTP routes
        self._unanswered: list[NotificationDelivery] = []

    def open(self, inbound: httpx.ASGITransport) -> None:
        """Send everything unanswered to a product that has just started."""
        self._inbound = inbound
        for delivery in self._unanswered:
            self._deliver(delivery)

    def send(self, notice: BankNotification, late_s: float = 0) -> NotificationDelivery:
        """Send a notification after ``late_s`` seconds, repeated until it is answered."""
        delivery = NotificationDelivery(notice)
        if late_s:
            when = self._clock.true_now() + timedelta(seconds=late_s)
            self._clock.call_at(when, lambda: self._hand_in(delivery))
        else:
            self._hand_in(delivery)
        return delivery

    def _hand_in(self, delivery: NotificationDelivery) -> None:
        self._unanswered.append(delivery)
        self._deliver(delivery)

    def _deliver(self, delivery: NotificationDelivery) -> None:
        self._start(self._post(delivery))

    async def _post(self, delivery: NotificationDelivery) -> None:
        assert self._inbound is not None
        request = httpx.Request("POST", NOTIFY_URL, content=delivery.notification.body)
        response = await self._inbound.handle_async_request(request)
        await response.aread()
        if response.status_code != 200:
            return  # sent again when the product is back
        if response.headers["content-type"].startswith("text/xml"):
            delivery.answer = "0" if "<Result>OK</Result>" in response.text else "1"
        else:
            delivery.answer = response.json()["ResultCode"]
        self._unanswered.remove(delivery)
        payment = delivery.notification.payment
        if payment is not None and delivery.answer == "0" and payment.reported_at is None:
            payment.reported_at = self._clock.true_now()
