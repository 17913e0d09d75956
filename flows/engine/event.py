"""What comes in and what goes out of a conversation, the same on every channel."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from flows.engine.normalise import normalise_input

TEXT_LIMIT = 4096  # characters of one inbound text that are looked at (facts: channels, Telegram)


class EventKind(StrEnum):
    TEXT = "text"
    TAP = "tap"
    COMMAND = "command"  # "/topup": ``text`` is the word without slash, ``argument`` the rest
    CONTACT = "contact"
    EDIT = "edit"  # an earlier message, edited: never input
    OTHER = "other"  # a sticker, a photo: something that is not text


class Event(NamedTuple):
    """One inbound event. ``event_id`` is the channel's own, and the same when it comes again.

    ``argument`` is the rest of a command, or names the album of something that is not text.
    ``turn`` and ``option`` belong to a tap: the turn its screen was drawn on, and what was
    tapped (``turn`` is -1 when the button was not one of ours). ``tap_id`` is what the channel
    wants answered. ``message_id`` is the message that carried it, where there is one. ``picks``
    says that the channel shows numbers for buttons: a typed number may pick one.
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
    picks: bool = False


def from_text(
    channel: str, address: str, event_id: str, text: str, message_id: str, *, picks: bool = False
) -> Event:
    """Read a typed line, tidied: a leading slash and a word make a command (``/topup@bot`` too)."""
    text = normalise_input(text)
    if text.startswith("/"):
        word, _, rest = text[1:].partition(" ")
        word = word.partition("@")[0]
        return Event(
            channel,
            address,
            event_id,
            EventKind.COMMAND,
            text=word[:64].lower(),
            argument=rest.strip()[:TEXT_LIMIT],
            message_id=message_id,
            picks=picks,
        )
    return Event(
        channel, address, event_id, EventKind.TEXT, text=text, message_id=message_id, picks=picks
    )


class Button(NamedTuple):
    """``id`` is what scripts and taps rely on; ``label`` is what the person reads."""

    id: str
    label: str


Rows = tuple[tuple[Button, ...], ...]


class Screen(NamedTuple):
    """One message. ``slot`` names the live message it belongs to.

    With ``replace`` the slot's message is edited in place where there is one; without it a new
    message takes the slot over. ``protect`` keeps it from being forwarded, where that exists.
    """

    text: str
    rows: Rows = ()
    slot: str | None = None
    replace: bool = False
    protect: bool = False


class StepResult(NamedTuple):
    """``outcome`` is for the trail: the exit taken, or why nothing happened. ``wipe`` says that
    what the person typed must not stay in the chat."""

    screen: Screen | None
    transition: str
    alert: str | None = None
    operation: str | None = None
    wipe: bool = False
