"""Texts and mails to people, and what may become of one handed over to be delivered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """``text`` is the plain-text part; whoever sends it makes the HTML part from it."""

    to: str
    subject: str
    text: str

    def __repr__(self) -> str:  # the text may hold a code
        return f"Mail({self.subject!r})"


@dataclass(frozen=True, slots=True)
class Taken:
    """The carrier took it. Whether it arrived, a delivery report may say of ``message_id``."""

    message_id: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """It was not taken. ``final`` says that trying again cannot help. ``why`` is for the log."""

    why: str
    final: bool


@dataclass(frozen=True, slots=True)
class Unsure:
    """No clear answer: it may be on its way. ``why`` is for the log."""

    why: str


MessageAnswer = Taken | NotTaken | Unsure


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a carrier says later of a message it took; ``delivered`` is None until it is final."""

    message_id: str
    delivered: bool | None
    why: str
