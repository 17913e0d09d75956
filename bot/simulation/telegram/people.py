"""What people do in Telegram. Every action causes an update and returns its id."""

from __future__ import annotations

from typing import Any

from bot.simulation.telegram import api_objects
from bot.simulation.telegram.body import Upload
from bot.simulation.telegram.chats import Chat, Chats, Message
from bot.simulation.telegram.files import Files, StoredFile
from bot.simulation.telegram.taps import Taps
from bot.simulation.telegram.text import Text, typed
from bot.simulation.telegram.updates import Updates
from services.ports import Clock

_PICTURE = Upload("photo.jpg", "image/jpeg", b"\xff\xd8 a picture \xff\xd9")
_STICKER = Upload("sticker.webp", "image/webp", b"RIFF a sticker WEBP")

# The bot's membership in a private chat.
_MEMBER: dict[str, Any] = {"user": api_objects.BOT, "status": "member"}
_KICKED: dict[str, Any] = {"user": api_objects.BOT, "status": "kicked", "until_date": 0}


class People:
    """A user id is also the id of that person's private chat with the bot."""

    def __init__(
        self, chats: Chats, files: Files, updates: Updates, taps: Taps, clock: Clock
    ) -> None:
        self._chats = chats
        self._files = files
        self._updates = updates
        self._taps = taps
        self._clock = clock

    def user_types(self, user_id: int, text: str, *, reply_to: int | None = None) -> int:
        """A reply keyboard's key types its own text. ``reply_to`` is a message id."""
        message = self._new(user_id, typed(text))
        if reply_to is not None:
            message.reply_to = self._chats.get(user_id).find(reply_to)
        return self._say(self._chats.get(user_id), message)

    def user_sends_sticker(self, user_id: int) -> int:
        return self._send(user_id, self._files.add("sticker", _STICKER))

    def user_sends_photo(self, user_id: int, caption: str = "") -> int:
        return self._send(user_id, self._files.add("photo", _PICTURE), caption)

    def user_sends_document(self, user_id: int, file: Upload, caption: str = "") -> int:
        return self._send(user_id, self._files.add("document", file), caption)

    def user_shares_contact(
        self,
        user_id: int,
        phone: str,
        *,
        owner_id: int | None = None,
        forwarded: bool = False,
    ) -> int:
        """Their own contact, unless ``owner_id`` names another person."""
        owner_id = user_id if owner_id is None else owner_id
        message = self._new(user_id, Text())
        message.content["contact"] = {
            "phone_number": phone,
            "first_name": "C",
            "user_id": owner_id,
        }
        if forwarded:
            message.content["forward_origin"] = {
                "type": "user",
                "date": api_objects.seconds(message.date),
                "sender_user": api_objects.user(owner_id),
            }
        return self._say(self._chats.get(user_id), message)

    def user_edits(self, user_id: int, text: str, message_id: int | None = None) -> int:
        """Edit this message, or the person's last one. Raises ``LookupError`` if there is none."""
        message = self._own(user_id, message_id)
        message.rewrite(typed(text), self._clock.now())
        edited = api_objects.message(self._chats.get(user_id), message)
        return self._updates.add("edited_message", edited)

    def user_taps(self, user_id: int, message_id: int, data: str) -> int:
        """Tap any data on any message, even if never shown: taps can be forged."""
        tap = self._taps.tap(self._chats.get(user_id), user_id, message_id, data)
        return self._updates.add("callback_query", tap)

    def user_blocks(self, user_id: int) -> int:
        self._chats.get(user_id).blocked = True
        return self._member(user_id, _MEMBER, _KICKED)

    def user_unblocks(self, user_id: int) -> int:
        self._chats.get(user_id).blocked = False
        return self._member(user_id, _KICKED, _MEMBER)

    def group_message(self, chat_id: int, user_id: int, text: str) -> int:
        """The bot has then met the speaker, but still may not write to them."""
        self._chats.get(user_id).is_known = True
        return self._say(self._chats.get(chat_id, "supergroup"), self._new(user_id, typed(text)))

    def open_chat(self, user_id: int) -> Chat:
        """As if the person had written before the story begins."""
        chat = self._chats.get(user_id)
        chat.is_open = True
        return chat

    def chat(self, chat_id: int) -> Chat:
        return self._chats.get(chat_id)

    def _send(self, user_id: int, file: StoredFile, caption: str = "") -> int:
        message = self._new(user_id, typed(caption))
        message.stored = file
        return self._say(self._chats.get(user_id), message)

    def _new(self, user_id: int, written: Text) -> Message:
        return Message(self._chats.next_message_id(), user_id, self._clock.now(), written)

    def _say(self, chat: Chat, message: Message) -> int:
        chat.is_open = True
        chat.messages.append(message)
        return self._updates.add("message", api_objects.message(chat, message))

    def _own(self, user_id: int, message_id: int | None) -> Message:
        for message in reversed(self._chats.get(user_id).messages):
            if not message.by_bot and message_id in (None, message.message_id):
                return message
        raise LookupError(f"no message of user {user_id} to edit")

    def _member(self, user_id: int, old: dict[str, Any], new: dict[str, Any]) -> int:
        return self._updates.add(
            "my_chat_member",
            {
                "chat": api_objects.chat(self._chats.get(user_id)),
                "from": api_objects.user(user_id),
                "date": api_objects.seconds(self._clock.now()),
                "old_chat_member": old,
                "new_chat_member": new,
            },
        )
