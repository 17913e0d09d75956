"""A person's chat as bubbles, made of the world's record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.scripts.stage import Option, Shown
from bot.simulation.record import Deleted, Record, Said
from bot.simulation.world import World

BUBBLES_MAX = 120  # of a chat that is drawn anew; those before them are left out


@dataclass(frozen=True, slots=True)
class File:
    """``message_id`` names the message that it came with."""

    message_id: str
    name: str
    size: int

    @property
    def is_picture(self) -> bool:
        return self.name.endswith(".png")


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
            return Bubble(f"s{place}", True, said.text, is_gone=said.gone)
        versions = self._record.versions(place)
        document = self._world.terminal.documents.get(place)
        file = None if document is None else File(place, document[0], len(document[1]))
        return Bubble(
            place,
            False,
            versions[-1].text,
            versions[-1].rows,
            place,
            is_edited=any(shown.kind == "edit" for shown in versions),
            file=file,
        )
