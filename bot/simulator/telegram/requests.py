"""What each Bot API method takes.

Stricter than Telegram, which ignores fields it does not know: here they are refused, so that a
misspelt one is found by a test and not by a person.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError, from_json

from bot.simulator.telegram.body import Upload

T = TypeVar("T")


def _parsed(value: object) -> object:
    """Form fields carry structures as JSON text; a JSON body carries them as they are."""
    return from_json(value) if isinstance(value, str) else value


Json = Annotated[T, BeforeValidator(_parsed)]


def _refuse(words: str) -> PydanticCustomError:
    return PydanticCustomError("telegram", "{words}", {"words": words})


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class InlineButton(Request):
    text: str
    callback_data: str | None = None
    url: str | None = None

    @model_validator(mode="after")
    def _check(self) -> InlineButton:
        if not self.text.strip():
            raise _refuse("can't parse inline keyboard button: Text buttons must be non-empty")
        if (self.callback_data is None) == (self.url is None):
            raise _refuse("can't parse inline keyboard button: Text buttons are unallowed")
        if self.callback_data is not None and not 1 <= len(self.callback_data.encode()) <= 64:
            raise _refuse("BUTTON_DATA_INVALID")
        return self


class InlineKeyboard(Request):
    inline_keyboard: list[list[InlineButton]]


class ReplyButton(Request):
    text: Annotated[str, Field(min_length=1)]
    request_contact: bool = False


class ReplyKeyboard(Request):
    keyboard: list[list[ReplyButton]]
    resize_keyboard: bool = False
    one_time_keyboard: bool = False
    is_persistent: bool = False
    selective: bool = False
    input_field_placeholder: str | None = None


class RemoveReplyKeyboard(Request):
    remove_keyboard: Literal[True]
    selective: bool = False


Markup = InlineKeyboard | ReplyKeyboard | RemoveReplyKeyboard


class GetMe(Request):
    pass


class GetUpdates(Request):
    offset: int | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 100
    timeout: Annotated[int, Field(ge=0)] = 0
    allowed_updates: Json[list[str]] | None = None


class SetWebhook(Request):
    url: str
    secret_token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,256}$")] | None = None
    allowed_updates: Json[list[str]] | None = None
    max_connections: Annotated[int, Field(ge=1, le=100)] = 40
    drop_pending_updates: bool = False


class DeleteWebhook(Request):
    drop_pending_updates: bool = False


class ToChat(Request):
    chat_id: int


class Send(ToChat):
    protect_content: bool = False
    disable_notification: bool = False
    reply_markup: Json[Markup] | None = None


class Entity(Request):
    """A part of a text that is shown in another way; Telegram counts in UTF-16 units."""

    type: Literal["code"]
    offset: Annotated[int, Field(ge=0)]
    length: Annotated[int, Field(ge=1)]


class SendMessage(Send):
    text: str = ""  # Telegram takes no text for an empty one
    entities: Json[list[Entity]] | None = None
    link_preview_options: Json[dict[str, object]] | None = None


class SendPhoto(Send):
    photo: Upload | str
    caption: Annotated[str, Field(max_length=1024)] = ""


class SendDocument(Send):
    document: Upload | str
    caption: Annotated[str, Field(max_length=1024)] = ""


class EditMessageText(ToChat):
    message_id: int
    text: str = ""
    entities: Json[list[Entity]] | None = None
    reply_markup: Json[InlineKeyboard] | None = None
    link_preview_options: Json[dict[str, object]] | None = None


class EditMessageReplyMarkup(ToChat):
    message_id: int
    reply_markup: Json[InlineKeyboard] | None = None


class DeleteMessage(ToChat):
    message_id: int


class AnswerCallbackQuery(Request):
    callback_query_id: str
    text: Annotated[str, Field(max_length=200)] | None = None
    show_alert: bool = False


class SendChatAction(ToChat):
    action: str


class Command(Request):
    command: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    description: Annotated[str, Field(min_length=1, max_length=256)]


class Scope(Request):
    type: Literal["default", "all_private_chats", "all_group_chats", "chat"] = "default"
    chat_id: int | None = None


class DeleteMyCommands(Request):
    scope: Json[Scope] = Scope()
    language_code: Annotated[str, Field(pattern=r"^([a-z]{2})?$")] = ""


class SetMyCommands(DeleteMyCommands):
    commands: Json[Annotated[list[Command], Field(max_length=100)]]
