"""Messages out to Telegram, one call each; when to call is the outbox's affair."""

from __future__ import annotations

from telegram import Bot, InlineKeyboardMarkup, InputFile

from bot.channel import Content, Invalid, plain
from bot.telegram.errors import as_channel_errors
from bot.telegram.render import cut, render
from bot.telegram.wire import CHANNEL

CAPTION_LIMIT = 1024  # characters
ALERT_LIMIT = 200  # characters of a tap's answer (facts: channels, Telegram)


class TelegramChannel:
    """``bot.channel.Channel`` over PTB's typed client. An address is a private chat's id."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @property
    def name(self) -> str:
        return CHANNEL

    async def send(self, address: str, content: Content) -> str:
        text, entities, keyboard = render(content)
        with as_channel_errors():
            message = await self._bot.send_message(
                chat_id=_chat_id(address),
                text=text,
                entities=entities or None,
                reply_markup=keyboard,
                disable_notification=content.silent or None,
                protect_content=content.protect or None,
            )
        return str(message.message_id)

    async def send_document(self, address: str, name: str, content: bytes, caption: Content) -> str:
        file = InputFile(content, filename=name)
        words = cut(plain(caption.text), CAPTION_LIMIT)
        silent, protect = caption.silent or None, caption.protect or None
        chat = _chat_id(address)
        with as_channel_errors():
            if name.endswith(".png"):  # to be seen at once, and scanned
                message = await self._bot.send_photo(
                    chat, file, words, disable_notification=silent, protect_content=protect
                )
            else:
                message = await self._bot.send_document(
                    chat, file, words, disable_notification=silent, protect_content=protect
                )
        return str(message.message_id)

    async def edit(self, address: str, message_id: str, content: Content) -> None:
        text, entities, keyboard = render(content)
        with as_channel_errors("message is not modified"):
            await self._bot.edit_message_text(
                chat_id=_chat_id(address),
                message_id=int(message_id),
                text=text,
                entities=entities or None,
                reply_markup=keyboard if isinstance(keyboard, InlineKeyboardMarkup) else None,
            )

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        with as_channel_errors("query is too old", "query id is invalid"):
            await self._bot.answer_callback_query(
                tap_id, text=None if text is None else cut(text, ALERT_LIMIT)
            )

    async def delete(self, address: str, message_id: str) -> None:
        with as_channel_errors("message to delete not found", "message can't be deleted"):
            await self._bot.delete_message(_chat_id(address), int(message_id))


def _chat_id(address: str) -> int:
    try:
        return int(address)
    except ValueError:
        raise Invalid("not a Telegram address") from None
