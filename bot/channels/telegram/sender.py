"""Sends messages to Telegram, one call each; the outbox decides when."""

from __future__ import annotations

from typing import Any

from telegram import Bot, InputFile

from bot.channels.telegram.capabilities import CAPABILITIES
from bot.channels.telegram.errors import as_channel_errors
from bot.channels.telegram.render import is_inline, render, reply_markup, truncate
from bot.channels.telegram.wire import CHANNEL
from bot.outbox.channel import MessageContent, Undeliverable, without_copy_marks

CAPTION_LIMIT = 1024  # characters
ALERT_LIMIT = 200  # characters in the answer to a tap (facts: channels, Telegram)
UNKNOWN_ID = "0"  # id of a message that was accepted by an answer without one


class TelegramChannel:
    """``bot.outbox.channel.Channel`` over PTB's client. An address is the id of a private chat."""

    capabilities = CAPABILITIES

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @property
    def name(self) -> str:
        return CHANNEL

    async def send(self, address: str, content: MessageContent) -> str:
        call = {"chat_id": _chat_id(address), **render(content), **_delivery_options(content)}
        return await self._sent("sendMessage", call, content.timeout_s)

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        # As a photo, a picture is shown in the chat and can be scanned at once.
        method, field = (
            ("sendPhoto", "photo") if name.endswith(".png") else ("sendDocument", "document")
        )
        call = {
            "chat_id": _chat_id(address),
            field: InputFile(content, filename=name),
            "caption": truncate(without_copy_marks(caption.text), CAPTION_LIMIT),
            **reply_markup(caption),
            **_delivery_options(caption),
        }
        return await self._sent(method, call, caption.timeout_s)

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        call = {
            "chat_id": _chat_id(address),
            "message_id": int(message_id),
            **render(content),
        }
        if content.rows and not is_inline(content.rows):
            del call["reply_markup"]
        with as_channel_errors("message is not modified"):
            await self._bot.do_api_request(
                "editMessageText", api_kwargs=call, read_timeout=content.timeout_s
            )

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        call = {"callback_query_id": tap_id}
        if text is not None:
            call["text"] = truncate(text, ALERT_LIMIT)
        with as_channel_errors("query is too old", "query id is invalid"):
            await self._bot.do_api_request("answerCallbackQuery", api_kwargs=call)

    async def delete(self, address: str, message_id: str) -> None:
        with as_channel_errors("message to delete not found", "message can't be deleted"):
            await self._bot.delete_message(_chat_id(address), int(message_id))

    async def _sent(self, method: str, call: dict[str, Any], patience_s: float) -> str:
        """Reads only the id from the answer, so that nothing else in it can make a send fail."""
        with as_channel_errors():
            message = await self._bot.do_api_request(
                method, api_kwargs=call, read_timeout=patience_s
            )
        message_id = message.get("message_id") if isinstance(message, dict) else None
        return str(message_id) if isinstance(message_id, int) else UNKNOWN_ID


def _delivery_options(content: MessageContent) -> dict[str, bool]:
    manner = {}
    if content.silent:
        manner["disable_notification"] = True
    if content.protect:
        manner["protect_content"] = True
    return manner


def _chat_id(address: str) -> int:
    try:
        return int(address)
    except ValueError:
        raise Undeliverable("not a Telegram address") from None
