"""A person's chat as bubbles, made of the world's record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.scripts.stage import Option, Shown
from bot.simulation.record import Deleted, Record, Said
from bot.simulation.world import World

_OWN = re.compile(r"s([0-9]{1,9})")
BUBBLES_MAX = 120  # of a chat that is drawn anew; those before them are left out


@dataclass(frozen=True, slots=True)
class File:
    """``id`` is that of the bubble that it came with."""

    id: str
    name: str
    size: int
    is_own: bool = False

    @property
    def is_picture(self) -> bool:
        return self.name.endswith(".png") and not self.is_own


@dataclass(frozen=True, slots=True)
class Bubble:
    id: str
    is_own: bool
    text: str
    rows: tuple[tuple[Option, ...], ...] = ()
    message_id: str = ""
    is_gone: bool = False
    is_edited: bool = False
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What has come into a chat, what of it has changed, and the short answers to taps."""

    new: tuple[Bubble, ...]
    changed: tuple[Bubble, ...]
    alerts: tuple[str, ...]


def sent_file(record: Record, bubble_id: str) -> tuple[str, bytes] | None:
    """Name and content of the file that a person's own bubble shows."""
    place = _OWN.fullmatch(bubble_id)
    said = record.entries[int(place[1])] if place and int(place[1]) < len(record.entries) else None
    if not isinstance(said, Said) or said.content is None or said.gone:
        return None
    return said.text, said.content


class Chat:
    """``person``'s chat in one world."""

    def __init__(self, world: World, record: Record, person: str) -> None:
        self._world = world
        self._record = record
        self._person = person

    def newest(self) -> tuple[Bubble, ...]:
        """The newest ``BUBBLES_MAX`` bubbles, oldest first."""
        places = list(dict.fromkeys(self._places(0)))
        return tuple(self._bubble(place) for place in places[-BUBBLES_MAX:])

    def since(self, entry: int) -> Changes:
        """What the entries from this one on have changed."""
        touched = list(dict.fromkeys(self._places(entry)))
        new = [place for place in touched if self._began(place) >= entry]
        alerts = [
            shown.text
            for shown in self._record.entries[entry:]
            if isinstance(shown, Shown) and shown.kind == "alert" and shown.to == self._person
        ]
        return Changes(
            tuple(map(self._bubble, new)),
            tuple(self._bubble(place) for place in touched if place not in new),
            tuple(alerts),
        )

    def _places(self, start: int) -> Iterable[int | str]:
        """The bubbles that entries belong to: an own one by its entry, a message by its id."""
        entries = self._record.entries
        for at in range(start, len(entries)):
            entry = entries[at]
            match entry:
                case Said(hop=None) if entry.person == self._person:
                    yield at
                case Shown(page=None) if entry.to == self._person and entry.kind != "alert":
                    yield entry.message_id
                case Deleted():
                    said = entries[entry.said]
                    if isinstance(said, Said) and said.person == self._person:
                        yield entry.said

    def _began(self, place: int | str) -> int:
        return place if isinstance(place, int) else self._record.began(place)

    def _bubble(self, place: int | str) -> Bubble:
        if isinstance(place, int):
            said = self._record.entries[place]
            assert isinstance(said, Said), "the place of an own bubble"
            id_ = f"s{place}"
            if said.content is None:
                return Bubble(id_, True, said.text, is_gone=said.gone)
            file = File(id_, said.text, len(said.content), is_own=True)
            return Bubble(id_, True, "", is_gone=said.gone, file=file)
        versions = self._record.versions(place)
        document = self._world.terminal.documents.get(place)
        came = None if document is None else File(place, document[0], len(document[1]))
        return Bubble(
            place,
            False,
            versions[-1].text,
            versions[-1].rows,
            place,
            is_edited=any(shown.kind == "edit" for shown in versions),
            file=came,
        )
