"""What a channel must do for the outbox, and how it says that it could not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from flows.engine.event import Rows

Commands: TypeAlias = Sequence[tuple[str, str]]  # each without its slash, and what it does

# What stands between these (isolates, which cannot be seen) is copied by one tap, on a channel
# that can do that. Whoever types them marks up nothing but their own words.
COPY, COPY_END = "\u2068", "\u2069"

# ChannelError
# ├── Blocked      the person shut us out; nothing will arrive
# ├── RetryAfter   the channel wants us to wait
# ├── Gone         the message to edit is not there any more: send a new one
# ├── Invalid      the channel will never take this message
# └── Unclear      not surely delivered: to be tried again
#     └── Lost     handed over, and the answer was lost: it may well have arrived


class ChannelError(Exception):
    """A message was not, or not surely, delivered."""


class Blocked(ChannelError):
    pass


class RetryAfter(ChannelError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"retry after {seconds} s")
        self.seconds = seconds


class MessageGone(ChannelError):
    pass


class Undeliverable(ChannelError):
    pass


class Unclear(ChannelError):
    pass


class AnswerLost(Unclear):
    pass


def without_copy_marks(text: str) -> str:
    """The text without the marks around what is to be copied."""
    return text.replace(COPY, "").replace(COPY_END, "")


class MessageContent(NamedTuple):
    """A message as the channel shows it. ``turn`` goes into every button's data."""

    text: str
    rows: Rows = ()
    turn: int = 0
    silent: bool = False  # without a sound, where that exists
    protect: bool = False  # keep a receipt or a balance from being forwarded, where that exists
    timeout_s: float = 15.0  # how long the channel's answer is waited for


class Channel(Protocol):
    """One way to reach people. Every method raises ``ChannelError`` when it fails."""

    @property
    def name(self) -> str: ...

    async def send(self, address: str, content: MessageContent) -> str:
        """Show a new message; returns its id."""
        ...

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        """Show a file with its caption; returns the message's id."""
        ...

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        """Replace a message's text and buttons; "not modified" is success."""
        ...

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        """End the tap's waiting; ``text`` (200 characters at most) is shown for a moment."""
        ...

    async def delete(self, address: str, message_id: str) -> None:
        """Take a message away; one that cannot be deleted any more is left."""
        ...
