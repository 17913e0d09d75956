"""Partners' webhook receivers in a storm: failing, down, gone, slow, or losing answers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta

from bot.simulation.clock import VirtualClock
from bot.storm.systems.endpoint import Behaviour, Endpoint
from services.domain.webhook import NotTaken, Taken, WebhookAnswer, read_answer

DOWN = timedelta(hours=24)
FAILURES = (500, 503, 404, 302, 429)


class StormReceivers:
    """``services.ports.WebhookTransport`` to the endpoints of a storm, by their addresses."""

    def __init__(self, dice: random.Random) -> None:
        self._clock: VirtualClock  # set by ``follow``, whenever a world is begun
        self._dice = dice
        self.endpoints: dict[str, Endpoint] = {}

    def follow(self, clock: VirtualClock) -> None:
        self._clock = clock

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        endpoint = self.endpoints.get(url)
        if endpoint is None or endpoint.is_removed:
            return Taken(200)
        if endpoint.behaviour is Behaviour.DOWN and endpoint.down_until is not None:
            if self._clock.true_now() < endpoint.down_until:
                return NotTaken(None, "no connection")
            endpoint.behaviour = Behaviour.TAKES
        behaviour = self._behaviour_now(endpoint)
        arrived = endpoint.begin(headers, body)
        answer: WebhookAnswer | None = None
        try:
            if behaviour is Behaviour.SLOW:
                await self._clock.true.sleep(self._dice.choice((1.0, 5.0, 14.0)))
            answer = self._answer(behaviour)
        finally:
            endpoint.end(arrived, answer)
        return answer

    def _behaviour_now(self, endpoint: Endpoint) -> Behaviour:
        behaviour = endpoint.behaviour
        if behaviour in (Behaviour.FAILS, Behaviour.LOSES):
            endpoint.left -= 1
            if endpoint.left <= 0:
                endpoint.behaviour = Behaviour.TAKES
        return behaviour

    def _answer(self, behaviour: Behaviour) -> WebhookAnswer:
        match behaviour:
            case Behaviour.FAILS:
                return read_answer(self._dice.choice(FAILURES))
            case Behaviour.GONE:
                return read_answer(410)
            case Behaviour.LOSES:
                return NotTaken(None, "timeout")
            case Behaviour.TAKES | Behaviour.SLOW | Behaviour.DOWN:
                return Taken(self._dice.choice((200, 202, 204)))

    def change(self, endpoint: Endpoint) -> Behaviour:
        """Draw what the receiver does from now on. It is down for a day at most once."""
        dice = self._dice
        if endpoint.behaviour is Behaviour.GONE:
            return endpoint.behaviour
        behaviour = dice.choices(list(Behaviour), weights=(6, 3, 1, 1, 3, 4))[0]
        if behaviour is Behaviour.DOWN:
            if endpoint.down_until is not None:
                return endpoint.behaviour
            endpoint.down_until = self._clock.true_now() + DOWN
        endpoint.behaviour, endpoint.left = behaviour, dice.randint(1, 3)
        return behaviour

    def calm(self) -> None:
        """Whoever is down still is, until the day is over; whoever is gone stays so."""
        for endpoint in self.endpoints.values():
            if endpoint.behaviour not in (Behaviour.DOWN, Behaviour.GONE):
                endpoint.behaviour = Behaviour.TAKES

    async def close(self) -> None:
        """The receivers live on when the product stops."""
