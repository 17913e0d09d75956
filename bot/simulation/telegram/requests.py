"""Parameters of each Bot API method.

Values are read as leniently as Telegram reads them: any value may be text, numbers are clamped
instead of refused, and unknown fields are ignored (facts: channels, Telegram).
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import from_json

from bot.simulation.telegram.body import Upload

_INT_MAX = 2**31 - 1
_NUMBER = re.compile(r"\s*(-?[0-9]{1,20})")
_YES = frozenset({"true", "yes", "1"})


class Within:
    """A number from a text's leading digits, clamped between two limits."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, value: object) -> int:
        match = _NUMBER.match(str(value))
        return max(self._least, min(self._most, int(match[1]) if match else 0))


def _flag(value: object) -> bool:
    return str(value).strip().lower() in _YES


def _parsed(value: object) -> object:
    """Form fields carry structures as JSON text; invalid JSON counts as missing."""
    if not isinstance(value, str):
        return value
    try:
        return from_json(value)
    except ValueError:
        return None


Number = Annotated[int, BeforeValidator(Within(-_INT_MAX, _INT_MAX))]
Flag = Annotated[bool, BeforeValidator(_flag)]
Json = Annotated[Any, BeforeValidator(_parsed)]


class Request(BaseModel):
    model_config = ConfigDict(
        extra="ignore", arbitrary_types_allowed=True, coerce_numbers_to_str=True
    )


class GetUpdates(Request):
    offset: Number = 0
    limit: Annotated[int, BeforeValidator(Within(1, 100))] = 100
    timeout: Annotated[int, BeforeValidator(Within(0, _INT_MAX))] = 0  # seconds
    allowed_updates: Json = None


class DeleteWebhook(Request):
    drop_pending_updates: Flag = False


class SetWebhook(DeleteWebhook):
    url: str = ""
    secret_token: str = ""
    allowed_updates: Json = None
    max_connections: Annotated[int, BeforeValidator(Within(1, 100))] = 40


class ToChat(Request):
    chat_id: str = ""


class Send(ToChat):
    """``reply_to_message_id`` is the older form of ``reply_parameters``."""

    protect_content: Flag = False
    disable_notification: Flag = False
    reply_markup: Any = None
    reply_parameters: Json = None
    reply_to_message_id: Number = 0
    allow_sending_without_reply: Flag = False
    parse_mode: str = ""


class SendMessage(Send):
    text: str = ""
    entities: Json = None
    link_preview_options: Json = None


class SendFile(Send):
    caption: str = ""
    caption_entities: Json = None


class SendPhoto(SendFile):
    photo: Upload | str = ""


class SendDocument(SendFile):
    document: Upload | str = ""
    disable_content_type_detection: Flag = False


class OfMessage(ToChat):
    message_id: Number = 0


class EditMessageReplyMarkup(OfMessage):
    reply_markup: Any = None


class EditMessageText(EditMessageReplyMarkup):
    text: str = ""
    parse_mode: str = ""
    entities: Json = None
    link_preview_options: Json = None


class EditMessageCaption(EditMessageReplyMarkup):
    caption: str = ""
    parse_mode: str = ""
    caption_entities: Json = None


class AnswerCallbackQuery(Request):
    callback_query_id: str = ""
    text: str = ""
    show_alert: Flag = False
    url: str = ""
    cache_time: Number = 0


class SendChatAction(ToChat):
    action: str = ""


class GetFile(Request):
    file_id: str = ""


class OfMenu(Request):
    scope: Json = None
    language_code: str = ""


class SetMyCommands(OfMenu):
    commands: Json = None


class ReplyParameters(Request):
    message_id: Number = 0
    allow_sending_without_reply: Flag = False
    quote: str = ""
