"""The interface that a channel implements for the outbox, and its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from flows.engine.capabilities import ChannelCapabilities
from flows.engine.event import Rows

Commands: TypeAlias = Sequence[tuple[str, str]]  # name without slash, and description

# Text between these invisible characters (Unicode isolates) can be copied with one tap, on channels
# that support it. A person who types them marks up only their own words.
COPY, COPY_END = "\u2068", "\u2069"

# ChannelError
# ├── Blocked         the person blocked us; nothing will arrive
# ├── RetryAfter      the channel asks us to wait
# ├── MessageGone     the message to edit no longer exists: send a new one
# ├── Undeliverable   the channel will never accept this message
# └── Unclear         not certainly delivered: retry
#     └── AnswerLost  sent, but the answer was lost: it may have arrived


class ChannelError(Exception):
    """A message was not, or not certainly, delivered."""


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
    """The text without the copy marks."""
    return text.replace(COPY, "").replace(COPY_END, "")


class MessageContent(NamedTuple):
    """A message as the channel shows it. ``turn`` becomes part of every button's data."""

    text: str
    rows: Rows = ()
    turn: int = 0
    silent: bool = False  # without a sound, where supported
    protect: bool = False  # prevent forwarding, where supported
    timeout_s: float = 15.0  # how long to wait for the channel's answer


class Channel(Protocol):
    """A way to reach people. Every method raises ``ChannelError`` on failure."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> ChannelCapabilities: ...

    async def send(self, address: str, content: MessageContent) -> str:
        """Send a new message; returns its id."""
        ...

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        """Send a file with its caption; returns the message's id."""
        ...

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        """Replace a message's text and buttons; "not modified" counts as success."""
        ...

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        """Acknowledge a tap; ``text`` (200 characters at most) is shown briefly."""
        ...

    async def delete(self, address: str, message_id: str) -> None:
        """Delete a message; one that can no longer be deleted stays."""
        ...
