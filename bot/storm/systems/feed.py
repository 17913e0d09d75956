"""The feed of events as one partner's system has read it, and what must be true of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.storm.systems.promises import KeyedRequest

Event = Mapping[str, Any]
_ID = re.compile(r"ev_([A-Z0-9]+)_([1-9][0-9]*)")


def place(id_: str) -> int:
    match = _ID.fullmatch(id_)
    assert match is not None, f"{id_} is no id of an event"
    return int(match[2])


def as_told(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """An operation as its event tells it: who was paid by first name, and the others' initials. How
    the rows of a batch stand is told by their own events."""
    if operation["kind"] == "payout_batch":
        return {name: told for name, told in operation.items() if name != "counts"}
    first, *others = (operation.get("recipient_name") or "").split() or [""]
    short = " ".join([first, *(f"{name[0]}." for name in others)])
    return {**operation, "recipient_name": short} if others else operation


@dataclass
class Feed:
    """``newest`` is what the newest event of each operation tells."""

    partner: str
    events: list[Event] = field(default_factory=list)
    newest: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def last_id(self) -> str | None:
        return self.events[-1]["id"] if self.events else None

    @property
    def last_place(self) -> int:
        return 0 if self.last_id is None else place(self.last_id)

    def read(self, page: Sequence[Event]) -> Iterator[str]:
        """The next page, after what was read before."""
        for event in page:
            yield from self._follows(event)
            self.events.append(event)
            if operation := operation_of(event):
                self.newest[operation] = as_told(event["data"])

    def _follows(self, event: Event) -> Iterator[str]:
        match, data = _ID.fullmatch(event["id"]), event["data"]
        if match is None or match[1] != self.partner:
            yield f"{event['id']} is in the feed of {self.partner}"
        elif int(match[2]) <= self.last_place:
            yield f"{event['id']} follows {self.last_id}"
        operation = operation_of(event)
        if operation is None:
            return
        before = self.newest.get(operation)
        known = 0 if before is None else before["version"]
        if data["version"] != known + 1:
            yield f"{operation}: version {data['version']} follows {known} in {event['id']}"
        if event["type"] != f"{data['kind']}.{data['status']}":
            yield f"{event['id']} of type {event['type']} tells of {data['status']}"

    def causes(self, keyed: Mapping[tuple[str, str], KeyedRequest]) -> Iterator[str]:
        """Each operation that a key began is the one that its answer names, and the other way
        round. Once every request was answered."""
        begun: dict[str, str] = {}
        for event in self.events:
            operation, key = operation_of(event), event["meta"]["idempotency_key"]
            if operation is None or key is None or event["data"]["version"] != 1:
                continue
            if begun.setdefault(key, operation) != operation:
                yield f"{key} began {begun[key]} and {operation}"
            known = keyed.get((self.partner, key))
            if known is None or known.reference != operation:
                yield f"{operation} was begun by {key}, whose answer does not say so"
        for (partner, key), known in keyed.items():
            if partner == self.partner and known.reference not in (None, begun.get(key)):
                yield f"{key} was answered {known.reference}, and no event says so"


def operation_of(event: Event) -> str | None:
    reference: str | None = event["data"].get("reference")
    return reference
