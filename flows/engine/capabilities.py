"""What a channel can do, as a value that the channel gives."""

from __future__ import annotations

from dataclasses import dataclass

LATER = ("edits", "deletes", "files", "waiting")  # what is sent after the answer to an event


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCapabilities:
    """Nothing has a default: a new channel has to answer each of these.

    Without ``push`` a channel only answers requests: an event gets at most one message, which the
    adapter shows and, for the same event again, shows again. Nothing that comes later is possible
    there, so the rest of what ``LATER`` names raises ``ValueError``.
    """

    buttons: bool  # an option that is picked comes as a tap; without, its number comes as text
    edits: bool  # a message that was sent can be replaced
    deletes: bool  # a message that a person sent can be deleted
    contacts: bool  # a person can share their own contact, which proves their number
    files: bool
    push: bool  # a message can be sent without an event to answer
    waiting: bool  # people stay for a later message: without, they ask again for an outcome
    command_menu: bool  # shows a menu of commands beside the chat
    carrier: bool  # one way: it delivers later, perhaps without ever saying so
    page_length: int | None  # characters of one message, for the adapter; None: no limit
    events: bool = False  # outcomes are read from the partner's events: no message tells of them
    # A menu on the screen of the phone that dialled: short pages, digits for answers, and a desk
    # PIN where a chat asks for a code. Its addresses are the numbers that dial.
    phone_menu: bool = False

    def __post_init__(self) -> None:
        wrong = [name for name in LATER if getattr(self, name)]
        if wrong and not self.push:
            raise ValueError(f"without push there is no {', '.join(wrong)}")


# Partners' systems: they ask, and read what has changed.
SYSTEMS = ChannelCapabilities(
    buttons=False,
    edits=False,
    deletes=False,
    contacts=False,
    files=False,
    push=False,
    waiting=False,
    command_menu=False,
    carrier=False,
    page_length=None,
    events=True,
)

# USSD: whoever dials reads short pages and types digits, for three minutes at most.
PHONE_MENU = ChannelCapabilities(
    buttons=True,
    edits=False,
    deletes=False,
    contacts=False,
    files=False,
    push=False,
    waiting=False,
    command_menu=False,
    carrier=False,
    page_length=160,
    phone_menu=True,
)

# Of a channel that the running program does not have: nothing can be sent there.
NOT_SERVED = ChannelCapabilities(
    buttons=False,
    edits=False,
    deletes=False,
    contacts=False,
    files=False,
    push=False,
    waiting=False,
    command_menu=False,
    carrier=False,
    page_length=None,
)
