"""Posts Results to where each request asked for them, once.

What could not be delivered is not sent again (facts: Daraja 5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

# One of those that Safaricom calls from (facts: Daraja 5).
CALLS_FROM = "196.201.214.200"

Later = Callable[[timedelta, Callable[[], None]], object]
Start = Callable[[Coroutine[None, None, None]], object]


@dataclass(eq=False)
class ResultDelivery:
    """``body`` is empty before it leaves. ``status`` is the HTTP status of the answer, ``None``
    where there was none. ``over`` is set when it has been answered, or never will be.
    """

    url: str
    body: bytes = b""
    status: int | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class ResultSender:
    """``later`` calls a function after a time on the world's clock, and ``start`` runs a delivery
    beside everything else. Results wait with the outside, so they come to a product that was
    restarted meanwhile; one that is on its way while the product dies is lost.
    """

    def __init__(self, later: Later, start: Start) -> None:
        self._later = later
        self._start = start
        self._inbound: httpx.AsyncBaseTransport | None = None
        self.deliveries: list[ResultDelivery] = []  # those that have left, in order

    def open(self, inbound: httpx.AsyncBaseTransport) -> None:
        """From now on Results go through this, for example into a product that has just started."""
        self._inbound = inbound

    def close(self) -> None:
        """Until it is opened again nobody is there: what leaves meanwhile is lost."""
        self._inbound = None

    def send(
        self,
        url: str,
        body: Callable[[], bytes],
        after: timedelta = timedelta(0),
        taken: Callable[[], None] = lambda: None,
    ) -> ResultDelivery:
        """``body`` is called when the Result leaves, and ``taken`` if a 2xx answers."""
        delivery = ResultDelivery(url)

        def leave() -> None:
            delivery.body = body()
            self.deliveries.append(delivery)
            self._start(self._post(delivery, taken))

        if after:
            self._later(after, leave)
        else:
            leave()
        return delivery

    async def _post(self, delivery: ResultDelivery, taken: Callable[[], None]) -> None:
        try:
            if self._inbound is None:
                return
            request = httpx.Request(
                "POST",
                delivery.url,
                content=delivery.body,
                headers={"Content-Type": "application/json"},
            )
            response = await self._inbound.handle_async_request(request)
            await response.aread()
            delivery.status = response.status_code
            if delivery.is_taken:
                taken()
        except httpx.TransportError:
            return  # nobody there; it is not sent again
        finally:
            delivery.over.set()
