"""SMS and mail as outbox channels: translates carriers' answers into channel errors."""

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
from flows.engine.capabilities import ChannelCapabilities
from flows.engine.event import Button, Rows
from services.domain.gsm7 import as_sms_text
from services.domain.message import Mail, MessageAnswer, NotTaken, Taken, Unsure, signed
from services.domain.phone import Phone
from services.ports import Mailer, Sms

SMS = "sms"
MAIL = "mail"
CARRIER = ChannelCapabilities(
    buttons=False,
    edits=False,
    deletes=False,
    contacts=False,
    files=False,
    push=True,
    waiting=False,
    command_menu=False,
    carrier=True,
    page_length=None,
)
BUTTONS_CACHED_MAX = 1_024  # conversions remembered each way: most buttons are the same for all


@lru_cache(maxsize=BUTTONS_CACHED_MAX)
def buttons_to_json(rows: Rows) -> str:
    """Option rows as the outbox stores them: each button is [option id, label]."""
    # Plain lists: serialising subclasses of tuple takes three times as long.
    return to_json([[[*button] for button in row] for row in rows]).decode() if rows else "[]"


@lru_cache(maxsize=BUTTONS_CACHED_MAX)
def buttons_from_json(stored: str) -> Rows:
    """The inverse of ``buttons_to_json``."""
    return tuple(tuple(map(Button._make, row)) for row in from_json(stored))


class SmsChannel:
    """``bot.outbox.channel.Channel``: an address is a phone number. Sent messages cannot change.

    This is the only place where a text becomes an SMS: it gets the desk's name in front, which the
    same text does not need in a chat, and signs that every phone has.
    """

    name = SMS
    capabilities = CARRIER

    def __init__(self, carrier: Sms) -> None:
        self._carrier = carrier

    async def send(self, address: str, content: MessageContent) -> str:
        text = as_sms_text(signed(without_copy_marks(content.text)))
        return _message_id(await self._carrier.send(Phone(address), text))

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        raise Undeliverable("an SMS carries no file")

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        raise MessageGone("an SMS cannot be changed")

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        """SMS has no buttons."""

    async def delete(self, address: str, message_id: str) -> None:
        """An SMS cannot be deleted."""


class MailChannel:
    """A ``Channel`` whose addresses are mail addresses. A text's first line is the subject."""

    name = MAIL
    capabilities = CARRIER

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
        """Mail has no buttons."""

    async def delete(self, address: str, message_id: str) -> None:
        """A mail cannot be deleted."""


def _message_id(answer: MessageAnswer) -> str:
    match answer:
        case Taken(message_id):
            return message_id
        case NotTaken(why, final):
            raise Undeliverable(why) if final else Unclear(why)
        case Unsure(why):
            raise AnswerLost(why)
