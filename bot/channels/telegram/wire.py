"""Parses the parts of Telegram updates that we use.

Updates come from the open internet: unknown fields are ignored, known ones have limits, and
anything that does not fit becomes ``UnreadableUpdate``, never an exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, ValidationError

from bot.channels.telegram.service_messages import SERVICE
from flows.engine.event import TEXT_LIMIT, Event, EventKind, file_event, from_text
from services.domain.otp import read_code

CHANNEL = "telegram"
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
NOT_JSON = "not JSON"

# Canonical decimals only, so that each button has exactly one spelling.
_CALLBACK_DATA = re.compile(r"(0|[1-9][0-9]{0,14}):([a-z0-9-]{1,48}(?::[a-z0-9_-]{1,48})?)")


def _storable(text: str) -> str:
    """Reject lone surrogates: JSON can escape them, UTF-8 and so the database cannot hold them."""
    text.encode()  # UnicodeEncodeError is a ValueError
    return text


_Id = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
_Natural = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
_Text = Annotated[StrictStr, AfterValidator(_storable)]
_Word = Annotated[_Text, Field(max_length=128)]


_Model = TypeVar("_Model", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class User(_Part):
    id: _Natural


class Chat(_Part):
    id: _Id
    type: _Word

    @property
    def is_private(self) -> bool:
        return self.type == "private"


class Contact(_Part):
    phone_number: _Word
    user_id: _Id | None = None


class Document(_Part):
    file_id: Annotated[_Text, Field(max_length=256)]
    file_name: _Text | None = None
    file_size: _Natural | None = None


class Message(_Part):
    model_config = ConfigDict(extra="allow")  # only to recognise the kind of message

    message_id: _Natural
    chat: Chat
    sender: User | None = Field(None, alias="from")  # absent on a channel's posts
    text: _Text | None = None
    contact: Contact | None = None
    document: Document | None = None
    media_group_id: _Word | None = None
    is_automatic_forward: Any = None  # a channel's post in its discussion group
    forward_origin: Any = None
    forward_date: Any = None  # marks a forward on API servers older than 7.0

    @property
    def is_service(self) -> bool:
        return not SERVICE.isdisjoint(self.model_extra or ())

    @property
    def is_forwarded(self) -> bool:
        return self.forward_origin is not None or self.forward_date is not None


class TappedMessage(_Part):
    message_id: _Natural
    chat: Chat


class CallbackQuery(_Part):
    id: _Word
    sender: User = Field(alias="from")
    message: TappedMessage | None = None  # absent if the button was on an inline message
    data: _Text | None = None


class Member(_Part):
    status: _Word


class MemberUpdate(_Part):
    chat: Chat
    sender: User = Field(alias="from")
    new_chat_member: Member


class _Numbered(_Part):
    update_id: _Natural


class Update(_Numbered):
    message: Message | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: MemberUpdate | None = None


@dataclass(frozen=True, slots=True)
class IgnoredUpdate:
    """A readable update that needs no action: a service message, a live location's steps, or
    anything in a group that is not text."""

    address: str  # chat
    update_id: int


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """A message in a group, where others can read: always answered with a link to the bot.

    ``resembles_code``: it looks like a one-time code, which is logged as a warning.
    """

    chat_id: int
    update_id: int
    resembles_code: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """A person blocked the bot, or unblocked it."""

    address: str
    blocked: bool
    update_id: int


@dataclass(frozen=True, slots=True)
class SentFile:
    """A person sent a file, which the adapter fetches: ``event`` still lacks its content."""

    event: Event
    file_id: str
    size: int

    @property
    def address(self) -> str:
        return self.event.address

    @property
    def update_id(self) -> int:
        return int(self.event.event_id)


@dataclass(frozen=True, slots=True)
class UnreadableUpdate:
    """An update that cannot be used. ``why`` names fields, never their content."""

    update_id: int | None
    why: str


InboundUpdate: TypeAlias = Event | SentFile | GroupMessage | Membership | IgnoredUpdate
ParsedUpdate: TypeAlias = InboundUpdate | UnreadableUpdate

HandleUpdate: TypeAlias = Callable[[InboundUpdate], Awaitable[None]]
"""Returns when the update is decided and may be acknowledged. Raises only if nothing was
committed, so that the update must be delivered again."""


def read_update(raw: bytes | dict[str, Any]) -> ParsedUpdate:
    """Parse one update, from a webhook's body or an element of ``getUpdates``."""
    try:
        update = _validate(Update, raw)
    except ValidationError as error:
        if isinstance(raw, bytes) and (known := _other_json(raw)) is not None:
            return read_update(known)
        return UnreadableUpdate(_update_id(raw), _first_fault(error))
    if update.message is not None:
        return _read_message(update.update_id, update.message)
    if update.callback_query is not None:
        return _read_tap(update.update_id, update.callback_query)
    if update.edited_message is not None:
        return _read_edit(update.update_id, update.edited_message)
    if update.my_chat_member is not None:
        return _read_member(update.update_id, update.my_chat_member)
    return UnreadableUpdate(update.update_id, "a kind of update we did not ask for")


def update_id_of(inbound: InboundUpdate) -> int:
    return int(inbound.event_id) if isinstance(inbound, Event) else inbound.update_id


def _read_message(update_id: int, message: Message) -> ParsedUpdate:
    if not message.chat.is_private:
        if message.text is None or message.is_automatic_forward:
            return IgnoredUpdate(str(message.chat.id), update_id)
        return GroupMessage(message.chat.id, update_id, read_code(message.text) is not None)
    if message.sender is None:
        return UnreadableUpdate(update_id, "message.from: missing")
    address, message_id = str(message.sender.id), str(message.message_id)
    if message.text is not None:
        text = message.text[:TEXT_LIMIT]
        return from_text(CHANNEL, address, str(update_id), text, message_id)
    if message.contact is not None:
        # Anybody can forward anybody's contact card. Only the sender's own card, sent directly,
        # proves that this account has that number (facts: channels, Telegram).
        own = message.contact.user_id == message.sender.id and not message.is_forwarded
        return Event(
            CHANNEL,
            address,
            str(update_id),
            EventKind.CONTACT,
            text=_digits(message.contact.phone_number) if own else "",
            option="own" if own else "other",
            message_id=message_id,
        )
    if message.is_service:
        return IgnoredUpdate(str(message.chat.id), update_id)
    if message.document is not None and "animation" not in (message.model_extra or ()):
        document = message.document
        name = document.file_name or ""
        event = file_event(CHANNEL, address, str(update_id), name, b"", message_id)
        return SentFile(event, document.file_id, document.file_size or 0)
    return Event(
        CHANNEL,
        address,
        str(update_id),
        EventKind.OTHER,
        argument=message.media_group_id or "",
        message_id=message_id,
    )


def _read_edit(update_id: int, message: Message) -> ParsedUpdate:
    """Only edits of text count: live locations are edited every few seconds, pictures by their
    captions, and neither was meant as an answer."""
    if not message.chat.is_private or message.text is None:
        return IgnoredUpdate(str(message.chat.id), update_id)
    if message.sender is None:
        return UnreadableUpdate(update_id, "edited_message.from: missing")
    return Event(
        CHANNEL,
        str(message.sender.id),
        str(update_id),
        EventKind.EDIT,
        message_id=str(message.message_id),
    )


def _read_tap(update_id: int, tap: CallbackQuery) -> Event:
    """A tap outside a private chat keeps its id, so that it is answered, but names no option."""
    match = None
    if tap.data is not None and tap.message is not None and tap.message.chat.is_private:
        match = _CALLBACK_DATA.fullmatch(tap.data)
    return Event(
        CHANNEL,
        str(tap.sender.id),
        str(update_id),
        EventKind.TAP,
        turn=int(match[1]) if match else -1,
        option=match[2] if match else "",
        tap_id=tap.id,
        message_id=str(tap.message.message_id) if tap.message else None,
    )


def _read_member(update_id: int, change: MemberUpdate) -> ParsedUpdate:
    if not change.chat.is_private:
        return UnreadableUpdate(update_id, "membership of a group")
    blocked = change.new_chat_member.status == "kicked"
    return Membership(str(change.sender.id), blocked, update_id)


def _digits(phone_number: str) -> str:
    return "".join(c for c in phone_number if c in "0123456789")


def _validate(model: type[_Model], raw: bytes | dict[str, Any]) -> _Model:
    return model.model_validate_json(raw) if isinstance(raw, bytes) else model.model_validate(raw)


def _other_json(raw: bytes) -> dict[str, Any] | None:
    """JSON that pydantic rejects because of a lone surrogate; it must not be retried forever."""
    try:
        update = json.loads(raw)
    except (ValueError, RecursionError):  # deeply nested lists raise RecursionError
        return None
    return update if isinstance(update, dict) else None


def _update_id(raw: bytes | dict[str, Any]) -> int | None:
    try:
        return _validate(_Numbered, raw).update_id
    except ValidationError:
        return None


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if fault["type"] == "json_invalid":
        return NOT_JSON
    return f"{'.'.join(map(str, fault['loc'])) or 'update'}: {fault['type']}"
