"""What each Bot API method does to the chats."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from pydantic import ValidationError

from bot.simulator.telegram import errors, requests
from bot.simulator.telegram.body import Upload
from bot.simulator.telegram.chats import Chat, Chats, Message, Rows
from bot.simulator.telegram.push import Push
from bot.simulator.telegram.updates import Updates
from services.ports import Clock

TEXT_LIMIT = 4096  # characters (facts: channels, Telegram)
DELETABLE = timedelta(hours=48)  # a private chat's messages (facts: channels, Telegram)
BOT_NAME = "hazina_bot"
BOT = {
    "id": 7_000_000_001,
    "is_bot": True,
    "first_name": "Hazina",
    "username": BOT_NAME,
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}

Result: TypeAlias = bool | dict[str, Any] | list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person saw for a moment after a tap; ``text`` ``None`` when only the wait ended."""

    tap_id: str
    user_id: int
    text: str | None


class Methods:
    """``call`` is the Bot API without HTTP."""

    def __init__(self, chats: Chats, updates: Updates, push: Push | None, clock: Clock) -> None:
        self._chats = chats
        self._updates = updates
        self._push = push
        self._clock = clock
        self.taps: dict[str, int] = {}  # not answered yet: tap id to user id
        self.answers: list[Answer] = []
        self.commands: dict[tuple[str, int | None, str], list[tuple[str, str]]] = {}
        self._methods: dict[str, tuple[type[requests.Request], Callable[[Any], Result]]] = {
            "getMe": (requests.GetMe, lambda _: BOT),
            "setWebhook": (requests.SetWebhook, self._set_webhook),
            "deleteWebhook": (requests.DeleteWebhook, self._delete_webhook),
            "sendMessage": (requests.SendMessage, self._send_message),
            "sendPhoto": (requests.SendPhoto, lambda r: self._send_file(r, r.photo, "photo")),
            "sendDocument": (
                requests.SendDocument,
                lambda r: self._send_file(r, r.document, "document"),
            ),
            "sendChatAction": (requests.SendChatAction, self._send_chat_action),
            "editMessageText": (requests.EditMessageText, self._edit_text),
            "editMessageReplyMarkup": (requests.EditMessageReplyMarkup, self._edit_markup),
            "deleteMessage": (requests.DeleteMessage, self._delete_message),
            "answerCallbackQuery": (requests.AnswerCallbackQuery, self._answer_tap),
            "setMyCommands": (requests.SetMyCommands, self._set_commands),
            "deleteMyCommands": (requests.DeleteMyCommands, self._delete_commands),
        }

    async def call(self, method: str, parameters: dict[str, Any]) -> Result:
        """The ``result`` of the answer. Raises ``ApiError``."""
        try:
            if method == "getUpdates":
                return await self._get_updates(requests.GetUpdates.model_validate(parameters))
            if method not in self._methods:
                raise errors.not_found()
            model, act = self._methods[method]
            return act(model.model_validate(parameters))
        except ValidationError as error:
            raise errors.malformed(error) from error

    def _get_updates(self, request: requests.GetUpdates) -> Awaitable[list[dict[str, Any]]]:
        if self._push is not None and self._push.is_on:
            raise errors.webhook_active()
        self._updates.allow(request.allowed_updates)
        return self._updates.poll(request.offset, request.limit, request.timeout)

    def _set_webhook(self, request: requests.SetWebhook) -> bool:
        if self._push is None:
            raise errors.bad_request("bad webhook: this simulator was given no way to post")
        self._forget_if(request.drop_pending_updates)
        self._updates.allow(request.allowed_updates)
        self._updates.end_poll()
        if request.url:
            self._push.start(request.url, request.secret_token)
        else:
            self._push.stop()
        return True

    def _delete_webhook(self, request: requests.DeleteWebhook) -> bool:
        self._forget_if(request.drop_pending_updates)
        if self._push is not None:
            self._push.stop()
        return True

    def _forget_if(self, wanted: bool) -> None:
        if wanted:
            self._updates.drop_all()

    def _send_message(self, request: requests.SendMessage) -> Result:
        chat = self._chats.reachable(request.chat_id)
        text = _checked(request.text)
        copied = _copied(text, request.entities)
        message = self._post(chat, request, text)
        message.copied = copied
        return self._shown(chat, message)

    def _send_file(self, request: requests.Send, file: Upload | str, kind: str) -> Result:
        chat = self._chats.reachable(request.chat_id)
        message = self._post(chat, request, getattr(request, "caption", ""))
        message.file = file
        content: Any = {"file_id": str(message.message_id), "file_unique_id": kind}
        if kind == "photo":
            content = [{**content, "width": 1, "height": 1}]
        shown = self._shown(chat, message)
        del shown["text"]
        return {**shown, "caption": message.text, kind: content}

    def _post(self, chat: Chat, request: requests.Send, text: str) -> Message:
        message = Message(
            self._chats.next_message_id(),
            by_bot=True,
            date=self._clock.now(),
            text=text,
            buttons=_inline_rows(request.reply_markup),
            reply_keyboard=_reply_rows(request.reply_markup),
            protect_content=request.protect_content,
        )
        chat.messages.append(message)
        return message

    def _send_chat_action(self, request: requests.SendChatAction) -> bool:
        self._chats.reachable(request.chat_id)
        return True

    def _edit_text(self, request: requests.EditMessageText) -> Result:
        chat, message = self._editable(request.chat_id, request.message_id)
        text, buttons = _checked(request.text), _inline_rows(request.reply_markup)
        if (text, buttons) == (message.text, message.buttons):
            raise errors.not_modified()
        message.edits.append(message.text)
        message.text, message.buttons = text, buttons
        message.copied = _copied(text, request.entities)
        return self._shown(chat, message)

    def _edit_markup(self, request: requests.EditMessageReplyMarkup) -> Result:
        chat, message = self._editable(request.chat_id, request.message_id)
        buttons = _inline_rows(request.reply_markup)
        if buttons == message.buttons:
            raise errors.not_modified()
        message.buttons = buttons
        return self._shown(chat, message)

    def _editable(self, chat_id: int, message_id: int) -> tuple[Chat, Message]:
        chat = self._chats.reachable(chat_id)
        message = chat.find(message_id)
        if message is None:
            raise errors.bad_request("message to edit not found")
        if not message.by_bot:
            raise errors.bad_request("message can't be edited")
        return chat, message

    def _delete_message(self, request: requests.DeleteMessage) -> bool:
        message = self._chats.get(request.chat_id).find(request.message_id)
        if message is None:
            raise errors.bad_request("message to delete not found")
        if self._clock.now() - message.date > DELETABLE:
            raise errors.bad_request("message can't be deleted for everyone")
        message.deleted = True
        return True

    def _answer_tap(self, request: requests.AnswerCallbackQuery) -> bool:
        user_id = self.taps.pop(request.callback_query_id, None)
        if user_id is None:
            raise errors.query_too_old()
        self.answers.append(Answer(request.callback_query_id, user_id, request.text))
        return True

    def _set_commands(self, request: requests.SetMyCommands) -> bool:
        menu = [(command.command, command.description) for command in request.commands]
        self.commands[self._scope(request)] = menu
        return True

    def _delete_commands(self, request: requests.DeleteMyCommands) -> bool:
        self.commands.pop(self._scope(request), None)
        return True

    def _scope(self, request: requests.DeleteMyCommands) -> tuple[str, int | None, str]:
        scope = request.scope
        if scope.type == "chat" and not self._chats.get(scope.chat_id or 0).is_open:
            raise errors.bad_request("chat not found")
        return scope.type, scope.chat_id, request.language_code

    def _shown(self, chat: Chat, message: Message) -> dict[str, Any]:
        return {
            "message_id": message.message_id,
            "from": {key: BOT[key] for key in ("id", "is_bot", "first_name", "username")},
            "chat": {"id": chat.chat_id, "type": chat.type},
            "date": int(message.date.timestamp()),
            "text": message.text,
        }


def _copied(text: str, entities: list[requests.Entity] | None) -> list[str]:
    units = text.encode("utf-16-le")
    copied = []
    for entity in entities or ():
        end = entity.offset + entity.length
        if end * 2 > len(units):
            raise errors.bad_request("entity is outside the text")
        copied.append(units[entity.offset * 2 : end * 2].decode("utf-16-le"))
    return copied


def _checked(text: str) -> str:
    if not text.strip():
        raise errors.bad_request("message text is empty")
    if len(text) > TEXT_LIMIT:
        raise errors.bad_request("message is too long")
    return text


def _inline_rows(markup: requests.Markup | None) -> Rows:
    if not isinstance(markup, requests.InlineKeyboard):
        return []
    return [
        [(button.text, button.callback_data or button.url or "") for button in row]
        for row in markup.inline_keyboard
    ]


def _reply_rows(markup: requests.Markup | None) -> list[list[str]]:
    if not isinstance(markup, requests.ReplyKeyboard):
        return []
    return [[button.text for button in row] for row in markup.keyboard]
