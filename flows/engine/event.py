"""Input and output of a conversation, the same on every channel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from flows.engine.normalise import normalise_input

_SPLIT = re.compile(r"\s+")
FILE_TOO_LARGE, FILE_NOT_FETCHED = "too-large", "not-fetched"
FILE_BYTES_MAX = 1024 * 1024  # of a file that a person sends
FILE_NAME_MAX = 80  # characters of a file's name that are kept
TEXT_LIMIT = 4096  # characters read from one inbound text (facts: channels, Telegram)


class EventKind(StrEnum):
    TEXT = "text"
    TAP = "tap"
    COMMAND = "command"  # "/topup": ``text`` is the word without slash, ``argument`` the rest
    CONTACT = "contact"
    FILE = "file"  # ``text`` is its name, ``content`` what the channel has fetched of it
    EDIT = "edit"  # an edit of an earlier message: never treated as input
    OTHER = "other"  # anything that is not text, such as a sticker or a photo
    DIAL = "dial"  # a phone's menu begins; ``argument`` is "fresh" if more was dialled behind it


class Event(NamedTuple):
    """One inbound event. ``event_id`` is the channel's own, and stays the same on redelivery.

    ``argument`` is the rest of a command, or the album of a message that is not text. A file whose
    ``content`` could not be fetched has an ``option`` that says why: ``FILE_TOO_LARGE`` or
    ``FILE_NOT_FETCHED``. A tap has
    ``turn``, the turn its screen was drawn on (-1 if the button was not ours), and ``option``, what
    was tapped; ``tap_id`` is the tap the channel wants acknowledged. ``message_id`` is the message
    that carried the event, if any.
    """

    channel: str
    address: str
    event_id: str
    kind: EventKind
    text: str = ""
    argument: str = ""
    turn: int = -1
    option: str = ""
    tap_id: str | None = None
    message_id: str | None = None
    content: bytes = b""


def file_event(
    channel: str, address: str, event_id: str, name: str, content: bytes, message_id: str | None
) -> Event:
    """A file as its channel has fetched it; what is too large is left out."""
    fits = len(content) <= FILE_BYTES_MAX
    return Event(
        channel,
        address,
        event_id,
        EventKind.FILE,
        text=normalise_input(name)[:FILE_NAME_MAX],
        option="" if fits else FILE_TOO_LARGE,
        message_id=message_id,
        content=content if fits else b"",
    )


def from_text(channel: str, address: str, event_id: str, text: str, message_id: str) -> Event:
    """Normalise a typed line; a slash and a word make a command (``/topup@bot`` and ``/topup.``
    too), with its values behind a blank or on the next line."""
    text = normalise_input(text)
    if text.startswith("/"):
        word, _, rest = _SPLIT.sub(" ", text[1:].strip(), count=1).partition(" ")
        word = word.partition("@")[0].rstrip(".,;:!?")
        return Event(
            channel,
            address,
            event_id,
            EventKind.COMMAND,
            text=word[:64].lower(),
            argument=rest.strip()[:TEXT_LIMIT],
            message_id=message_id,
        )
    return Event(channel, address, event_id, EventKind.TEXT, text=text, message_id=message_id)


class Button(NamedTuple):
    """``id`` is what scripts and taps refer to; ``label`` is what the person reads."""

    id: str
    label: str


Row = tuple[Button, ...]
Rows = tuple[Row, ...]


def in_pairs(buttons: Sequence[Button]) -> Iterator[Row]:
    return (tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


class Screen(NamedTuple):
    """One message. ``slot`` names the live message it belongs to.

    With ``replace`` the slot's message is edited in place if there is one; otherwise a new message
    takes over the slot. ``protect`` prevents forwarding on channels that support it. The options of
    an ``unbound`` one belong to no turn: they only open something, and never go stale. After the
    ``last`` one there is nothing to answer. Options that are ``numbered`` have these numbers
    whatever else is shown.
    """

    text: str
    rows: Rows = ()
    slot: str | None = None
    replace: bool = False
    protect: bool = False
    unbound: bool = False
    last: bool = False
    numbered: Mapping[str, int] = MappingProxyType({})


class StepResult(NamedTuple):
    """``transition`` is for the trail: the exit taken, or why nothing happened. ``wipe`` means that
    what the person typed must be deleted from the chat."""

    screen: Screen | None
    transition: str
    alert: str | None = None
    operation: str | None = None
    wipe: bool = False
