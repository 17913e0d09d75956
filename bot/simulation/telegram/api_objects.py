"""Users, chats and messages in the Bot API's JSON, with every field a typed client requires."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.simulation.telegram.chats import Chat, Message
from bot.simulation.telegram.keyboards import InlineKeyboard

BOT_NAME = "hazina_bot"
BOT_ID = 7_000_000_001
BOT: dict[str, Any] = {
    "id": BOT_ID,
    "is_bot": True,
    "first_name": "Hazina",
    "username": BOT_NAME,
}
ME: dict[str, Any] = {  # only ``getMe`` returns these
    **BOT,
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
    "can_connect_to_business": False,
    "has_main_web_app": False,
}
PHOTO_SIDE = 90  # pixels; pictures are not decoded here


def user(user_id: int) -> dict[str, Any]:
    return {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}


def chat(of: Chat) -> dict[str, Any]:
    name = "first_name" if of.type == "private" else "title"
    word = "User" if of.type == "private" else "Group"
    return {"id": of.chat_id, name: f"{word} {of.chat_id}", "type": of.type}


def message(where: Chat, of: Message, *, with_reply: bool = True) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "message_id": of.message_id,
        "from": BOT if of.sender is None else user(of.sender),
        "chat": chat(where),
        "date": seconds(of.date),
    }
    if of.edited is not None:
        shown["edit_date"] = seconds(of.edited)
    if of.reply_to is not None and with_reply:  # the replied message's own reply is left out
        shown["reply_to_message"] = message(where, of.reply_to, with_reply=False)
        if of.quote:
            position = of.reply_to.text.find(of.quote)
            shown["quote"] = {"text": of.quote, "position": position, "is_manual": True}
    shown |= of.content
    if of.stored is not None:
        shown |= file(of)
    shown |= _written(of)
    if of.link_preview is not None:
        shown["link_preview_options"] = of.link_preview
    if of.protect_content:
        shown["has_protected_content"] = True
    if isinstance(of.keyboard, InlineKeyboard):
        shown["reply_markup"] = of.keyboard.shown()
    return shown


def gone(where: Chat, message_id: int) -> dict[str, Any]:
    """A message that Telegram no longer has: its date is zero."""
    return {"chat": chat(where), "message_id": message_id, "date": 0}


def file(of: Message) -> dict[str, Any]:
    assert of.stored is not None
    described = of.stored.shown()
    match of.stored.kind:
        case "photo":
            return {"photo": [{**described, "width": PHOTO_SIDE, "height": PHOTO_SIDE}]}
        case "document":
            upload = of.stored.upload
            described |= {"file_name": upload.name, "mime_type": upload.content_type}
            return {"document": described}
        case _:
            kind = {"type": "regular", "is_animated": False, "is_video": False}
            return {"sticker": {**described, **kind, "width": 512, "height": 512}}


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _written(of: Message) -> dict[str, Any]:
    """A file's text is its caption; without text there is no such field."""
    if not of.text:
        return {}
    name, marks = ("text", "entities") if of.stored is None else ("caption", "caption_entities")
    shown: dict[str, Any] = {name: of.text}
    if of.written.entities:
        shown[marks] = [entity.shown() for entity in of.written.entities]
    return shown
