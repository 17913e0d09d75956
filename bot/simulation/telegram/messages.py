"""Calls that send, edit and delete messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.simulation.telegram import api_objects, requests
from bot.simulation.telegram.chats import Chat, Chats, Message
from bot.simulation.telegram.errors import ApiError, ApiRefusal
from bot.simulation.telegram.files import Files, StoredFile
from bot.simulation.telegram.keyboards import InlineKeyboard, read_inline, read_keyboard
from bot.simulation.telegram.text import Text, read_caption, read_text
from services.ports import Clock

DELETABLE = timedelta(hours=48)  # in a private chat (facts: channels, Telegram)
_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)

Shown = dict[str, Any]


class Messages:
    def __init__(self, chats: Chats, files: Files, clock: Clock) -> None:
        self._chats = chats
        self._files = files
        self._clock = clock

    def send_text(self, request: requests.SendMessage) -> Shown:
        chat = self._chats.reachable(request.chat_id)
        written = read_text(request.text, request.parse_mode, request.entities)
        message = self._new(chat, request, written)
        message.link_preview = _preview(request.link_preview_options)
        return self._post(chat, message)

    def send_photo(self, request: requests.SendPhoto) -> Shown:
        chat = self._chats.reachable(request.chat_id)
        return self._send_file(chat, request, self._files.given("photo", request.photo))

    def send_document(self, request: requests.SendDocument) -> Shown:
        chat = self._chats.reachable(request.chat_id)
        return self._send_file(chat, request, self._files.given("document", request.document))

    def _send_file(self, chat: Chat, request: requests.SendFile, file: StoredFile) -> Shown:
        written = read_caption(request.caption, request.parse_mode, request.caption_entities)
        message = self._new(chat, request, written)
        message.stored = file
        return self._post(chat, message)

    def _new(self, chat: Chat, request: requests.Send, written: Text) -> Message:
        """Not added to its chat yet, so that a refused call leaves nothing behind."""
        keyboard = read_keyboard(request.reply_markup, private=chat.type == "private")
        answered, quote = _replied(chat, request)
        return Message(
            message_id=0,
            sender=None,
            date=self._clock.now(),
            written=written,
            keyboard=keyboard,
            protect_content=request.protect_content,
            reply_to=answered,
            quote=quote,
        )

    def _post(self, chat: Chat, message: Message) -> Shown:
        message.message_id = self._chats.next_message_id()
        chat.messages.append(message)
        return api_objects.message(chat, message)

    def chat_action(self, request: requests.SendChatAction) -> bool:
        self._chats.reachable(request.chat_id)
        if request.action.lower() not in _ACTIONS:
            raise ApiError(ApiRefusal.WRONG_ACTION)
        return True

    def edit_text(self, request: requests.EditMessageText) -> Shown:
        chat, message = self._editable(request)
        written = read_text(request.text, request.parse_mode, request.entities)
        if message.stored is not None:
            raise ApiError(ApiRefusal.NO_TEXT_TO_EDIT)
        message.link_preview = _preview(request.link_preview_options)
        return self._rewrite(chat, message, written, request)

    def edit_caption(self, request: requests.EditMessageCaption) -> Shown:
        chat, message = self._editable(request)
        written = read_caption(request.caption, request.parse_mode, request.caption_entities)
        if message.stored is None:
            raise ApiError(ApiRefusal.NO_CAPTION_TO_EDIT)
        return self._rewrite(chat, message, written, request)

    def edit_markup(self, request: requests.EditMessageReplyMarkup) -> Shown:
        chat, message = self._editable(request)
        keyboard = read_inline(request.reply_markup)
        if keyboard == message.keyboard:
            raise ApiError(ApiRefusal.NOT_MODIFIED)
        message.keyboard, message.edited = keyboard, self._clock.now()
        return api_objects.message(chat, message)

    def _rewrite(
        self,
        chat: Chat,
        message: Message,
        written: Text,
        request: requests.EditMessageReplyMarkup,
    ) -> Shown:
        """An edit without a keyboard removes the keyboard."""
        keyboard = read_inline(request.reply_markup)
        if (written, keyboard) == (message.written, message.keyboard):
            raise ApiError(ApiRefusal.NOT_MODIFIED)
        message.rewrite(written, self._clock.now())
        message.keyboard = keyboard
        return api_objects.message(chat, message)

    def _editable(self, request: requests.OfMessage) -> tuple[Chat, Message]:
        if not request.chat_id and not request.message_id:
            raise ApiError(ApiRefusal.NO_MESSAGE_ID)
        chat = self._chats.reachable(request.chat_id)
        message = chat.find(request.message_id)
        if message is None:
            raise ApiError(ApiRefusal.NOT_FOUND, purpose="to edit")
        below = message.keyboard is None or isinstance(message.keyboard, InlineKeyboard)
        if not message.by_bot or not below:
            raise ApiError(ApiRefusal.NOT_EDITABLE)
        return chat, message

    def delete(self, request: requests.OfMessage) -> bool:
        message = self._chats.known(request.chat_id).find(request.message_id)
        if message is None:
            raise ApiError(ApiRefusal.NOT_FOUND, purpose="to delete")
        if self._clock.now() - message.date > DELETABLE:
            raise ApiError(ApiRefusal.NOT_DELETABLE)
        message.deleted = True
        return True


def _replied(chat: Chat, request: requests.Send) -> tuple[Message | None, str]:
    """The message replied to, and the quoted part. Raises ``ApiError``."""
    given = request.reply_parameters
    lenient, quote, message_id = request.allow_sending_without_reply, "", 0
    if given is None:
        message_id = request.reply_to_message_id
    elif not isinstance(given, dict):
        raise ApiError(ApiRefusal.REPLY_UNREADABLE, why="Object expected as reply parameters")
    else:
        known = requests.ReplyParameters.model_validate(given)
        lenient, quote, message_id = (
            known.allow_sending_without_reply,
            known.quote,
            known.message_id,
        )
    if not message_id:
        return None, ""
    answered = chat.find(message_id)
    if answered is None:
        if lenient:
            return None, ""
        raise ApiError(ApiRefusal.NOT_FOUND, purpose="to be replied")
    if quote and quote not in answered.text:
        raise ApiError(ApiRefusal.QUOTE_NOT_THERE)
    return answered, quote


def _preview(given: object) -> dict[str, Any] | None:
    return given if isinstance(given, dict) else None
