"""SMS and mails to people, and the possible outcomes of handing one over."""

from __future__ import annotations

from dataclasses import dataclass

DESK = "Hazina"
_SAYS_WHO = f"{DESK}: "


def signed(text: str) -> str:
    """The text of an SMS, which begins with the desk's name: its sender is often just a number."""
    return text if text.startswith(_SAYS_WHO) else f"{_SAYS_WHO}{text}"


@dataclass(frozen=True, slots=True)
class Mail:
    """``text`` is the plain-text part; the sender derives the HTML part from it."""

    to: str
    subject: str
    text: str

    def __repr__(self) -> str:  # the text may hold a code
        return f"Mail({self.subject!r})"


@dataclass(frozen=True, slots=True)
class Taken:
    """The carrier accepted it. A delivery report for ``message_id`` may say whether it arrived."""

    message_id: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """It was not accepted. ``final`` means that a retry cannot help. ``why`` is for the log."""

    why: str
    final: bool


@dataclass(frozen=True, slots=True)
class Unsure:
    """No clear answer: it may have been sent. ``why`` is for the log."""

    why: str


MessageAnswer = Taken | NotTaken | Unsure


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a carrier later reports about a message; ``delivered`` is None until it is final."""

    message_id: str
    delivered: bool | None
    why: str
