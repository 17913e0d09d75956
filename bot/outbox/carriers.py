"""SMS and mail as channels of the outbox: what carriers answer, in the outbox's words."""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import from_json, to_json

from bot.outbox.channel import (
    AnswerLost,
    MessageContent,
    MessageGone,
    Unclear,
    Undeliverable,
    without_copy_marks,
)
from flows.engine.event import Button, Rows
from services.domain.gsm7 import as_sms_text
from services.domain.message import Mail, MessageAnswer, NotTaken, Taken, Unsure
from services.domain.phone import Phone
from services.ports import Mailer, Sms

SMS = "sms"
MAIL = "mail"
BUTTONS_CACHED_MAX = (
    1_024  # rows that are remembered as they are stored, and read: most are everybody's
)


@lru_cache(maxsize=BUTTONS_CACHED_MAX)
def buttons_to_json(rows: Rows) -> str:
    """Option rows as the outbox keeps them: each button is [option id, label]."""
    # Plain lists: what is derived from tuple takes three times as long.
    return to_json([[[*button] for button in row] for row in rows]).decode() if rows else "[]"


@lru_cache(maxsize=BUTTONS_CACHED_MAX)
def buttons_from_json(stored: str) -> Rows:
    """The same, read back."""
    return tuple(tuple(map(Button._make, row)) for row in from_json(stored))


class SmsChannel:
    """``bot.outbox.channel.Channel``: an address is a phone. What was sent cannot be changed.

    Every text goes out as ``gsm7.as_sms_text``, the one place where it is.
    """

    name = SMS

    def __init__(self, carrier: Sms) -> None:
        self._carrier = carrier

    async def send(self, address: str, content: MessageContent) -> str:
        text = as_sms_text(without_copy_marks(content.text))
        return _message_id(await self._carrier.send(Phone(address), text))

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        raise Undeliverable("an SMS carries no file")

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        raise MessageGone("an SMS cannot be changed")

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        """Nobody taps an SMS."""

    async def delete(self, address: str, message_id: str) -> None:
        """An SMS cannot be taken back."""


class MailChannel:
    """A ``Channel`` whose addresses are mail addresses; a text's first line is the subject."""

    name = MAIL

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    async def send(self, address: str, content: MessageContent) -> str:
        subject, _, text = without_copy_marks(content.text).partition("\n")
        return _message_id(await self._mailer.send(Mail(address, subject, text.strip())))

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        raise Undeliverable("files go to the chat they were asked for in")

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        raise MessageGone("a mail cannot be changed")

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        """Nobody taps a mail."""

    async def delete(self, address: str, message_id: str) -> None:
        """A mail cannot be taken back."""


def _message_id(answer: MessageAnswer) -> str:
    match answer:
        case Taken(message_id):
            return message_id
        case NotTaken(why, final):
            raise Undeliverable(why) if final else Unclear(why)
        case Unsure(why):
            raise AnswerLost(why)
