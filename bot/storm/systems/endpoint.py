"""One webhook endpoint of a partner's system: what it is sent is checked as it arrives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bot.storm.systems.feed import Event, Feed, operation_of, place
from services.domain.webhook import Gone, Taken, WebhookAnswer


class Behaviour(StrEnum):
    TAKES = "takes"
    FAILS = "fails"
    DOWN = "is down"
    GONE = "is gone"
    LOSES = "loses answers"
    SLOW = "is slow"


class Arrival(NamedTuple):
    """A try of an event."""

    id: str
    operation: str | None
    is_test: bool = False


@dataclass(eq=False)
class Endpoint:
    """``since`` is the place in the feed after which everything is to be sent here."""

    partner: str
    url: str
    id: str
    secret: str = field(repr=False)
    types: tuple[str, ...] | None
    since: int
    behaviour: Behaviour = Behaviour.TAKES
    left: int = 0  # times that the behaviour lasts
    down_until: datetime | None = None
    is_removed: bool = False
    was_gone: bool = False
    problems: list[str] = field(default_factory=list)
    resent: set[str] = field(default_factory=set)  # ids of events sent again on request
    _bodies: dict[str, bytes] = field(default_factory=dict)
    _first: dict[str, list[str]] = field(default_factory=dict)  # ids as first seen, by operation
    _taken: set[str] = field(default_factory=set)
    _under_way: Counter[str] = field(default_factory=Counter)

    def begin(self, headers: Mapping[str, str], body: bytes) -> Arrival:
        """Notes what is wrong with what arrives."""
        id_, event = headers["webhook-id"], json.loads(body)
        if not self._is_signed(headers, body):
            self.problems.append(f"{id_} is not signed with the endpoint's secret")
        if event["id"] != id_ or self._bodies.setdefault(id_, body) != body:
            self.problems.append(f"{id_} was sent with another body")
        if event["type"] == "webhook.test":
            return Arrival(id_, None, is_test=True)
        if self.types is not None and event["type"] not in self.types:
            self.problems.append(f"{id_} of type {event['type']} was not asked for")
        operation = operation_of(event)
        if operation is not None:
            if self._under_way[operation] and id_ not in self.resent:
                self.problems.append(f"two events of {operation} were under way at once")
            if place(id_) > self.since:
                self._note_first(operation, id_)
            self._under_way[operation] += 1
        return Arrival(id_, operation)

    def _note_first(self, operation: str, id_: str) -> None:
        seen = self._first.setdefault(operation, [])
        if id_ in seen or self.was_gone:
            return
        if seen and (place(seen[-1]) > place(id_) or seen[-1] not in self._taken):
            self.problems.append(f"{id_} of {operation} came before {seen[-1]} was taken")
        seen.append(id_)

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        return headers["webhook-signature"] == f"v1,{right}"

    def end(self, arrived: Arrival, answer: WebhookAnswer | None) -> None:
        """``None``: the sender was killed before it heard the answer."""
        if arrived.operation is not None:
            self._under_way[arrived.operation] -= 1
        if isinstance(answer, Taken):
            self._taken.add(arrived.id)
        if isinstance(answer, Gone) and not arrived.is_test:
            self.was_gone = True

    def missing(self, feed: Feed) -> Iterator[str]:
        """Once everything had time to arrive; for an endpoint that was on throughout."""
        wanted: dict[str, list[str]] = {}
        for event in feed.events:
            if place(event["id"]) > self.since and self._wants(event):
                wanted.setdefault(operation_of(event) or "", []).append(event["id"])
        for operation, ids in wanted.items():
            if absent := [id_ for id_ in ids if id_ not in self._taken]:
                yield f"{self.id} never took {absent[0]} of {operation or 'a balance'}"
            elif operation and self._first.get(operation) != ids:
                yield f"{self.id} was sent {self._first.get(operation)} for {ids} of {operation}"

    def differing(self, feed: Feed) -> Iterator[str]:
        """A webhook is the event of the feed."""
        for event in feed.events:
            body = self._bodies.get(event["id"])
            if body is not None and json.loads(body) != event:
                yield f"{self.id} was sent {body!r} for {event}"

    def _wants(self, event: Event) -> bool:
        return self.types is None or event["type"] in self.types
