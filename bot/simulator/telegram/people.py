"""What people do in Telegram. Every act becomes an update; its id is returned."""

from __future__ import annotations

from typing import Any

from bot.simulator.telegram.chats import Chat, Chats, Message
from bot.simulator.telegram.methods import Methods
from bot.simulator.telegram.updates import Updates
from services.ports import Clock


class People:
    """A user id is also the id of that person's private chat with the bot."""

    def __init__(self, chats: Chats, updates: Updates, methods: Methods, clock: Clock) -> None:
        self._chats = chats
        self._updates = updates
        self._methods = methods
        self._clock = clock
        self._taps = 0

    def user_types(self, user_id: int, text: str) -> int:
        return self._updates.add("message", self._say(user_id, text, _text(text)))

    def user_sends_sticker(self, user_id: int) -> int:
        sticker = {
            **_file("sticker"),
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
        }
        return self._updates.add("message", self._say(user_id, "", {"sticker": sticker}))

    def user_sends_photo(self, user_id: int, caption: str = "") -> int:
        photo = {"photo": [{**_file("photo"), "width": 90, "height": 90}], "caption": caption}
        return self._updates.add("message", self._say(user_id, caption, photo))

    def user_shares_contact(
        self,
        user_id: int,
        phone: str,
        *,
        owner_id: int | None = None,
        forwarded: bool = False,
    ) -> int:
        """The own contact, unless ``owner_id`` says whose it is."""
        owner_id = user_id if owner_id is None else owner_id
        content: dict[str, Any] = {
            "contact": {"phone_number": phone, "first_name": "C", "user_id": owner_id}
        }
        if forwarded:
            content["forward_origin"] = {
                "type": "user",
                "date": self._date(),
                "sender_user": _user(owner_id),
            }
        return self._updates.add("message", self._say(user_id, "", content))

    def user_edits(self, user_id: int, text: str, message_id: int | None = None) -> int:
        """Edits that message, else the person's last. ``LookupError`` when there is none."""
        message = self._own(user_id, message_id)
        message.edits.append(message.text)
        message.text = text
        shown = self._envelope(user_id, message.message_id) | _text(text)
        return self._updates.add("edited_message", shown | {"edit_date": self._date()})

    def user_taps(self, user_id: int, message_id: int, data: str) -> int:
        """Taps any button data on any message, also what was never there: it can be forged."""
        self._taps += 1
        tap_id = f"tap-{self._taps}"
        self._methods.taps[tap_id] = user_id
        message = self._envelope(user_id, message_id) | {"text": "…"}
        return self._updates.add(
            "callback_query",
            {
                "id": tap_id,
                "from": _user(user_id),
                "message": message,
                "chat_instance": str(user_id),
                "data": data,
            },
        )

    def user_blocks(self, user_id: int) -> int:
        self._chats.get(user_id).blocked = True
        return self._member(user_id, "member", "kicked")

    def user_unblocks(self, user_id: int) -> int:
        self._chats.get(user_id).blocked = False
        return self._member(user_id, "kicked", "member")

    def group_message(self, chat_id: int, user_id: int, text: str) -> int:
        chat = self._chats.get(chat_id, "supergroup")
        return self._updates.add("message", self._say(user_id, text, _text(text), chat))

    def open_chat(self, user_id: int) -> Chat:
        """As if the person had written before the story begins."""
        chat = self._chats.get(user_id)
        chat.is_open = True
        return chat

    def chat(self, chat_id: int) -> Chat:
        return self._chats.get(chat_id)

    def _say(
        self, user_id: int, text: str, content: dict[str, Any], chat: Chat | None = None
    ) -> dict[str, Any]:
        chat = chat or self._chats.get(user_id)
        chat.is_open = True
        message = Message(self._chats.next_message_id(), False, self._clock.now(), text)
        chat.messages.append(message)
        return self._envelope(user_id, message.message_id, chat) | content

    def _own(self, user_id: int, message_id: int | None) -> Message:
        for message in reversed(self._chats.get(user_id).messages):
            if not message.by_bot and message_id in (None, message.message_id):
                return message
        raise LookupError(f"no message of user {user_id} to edit")

    def _envelope(self, user_id: int, message_id: int, chat: Chat | None = None) -> dict[str, Any]:
        chat = chat or self._chats.get(user_id)
        return {
            "message_id": message_id,
            "from": _user(user_id),
            "chat": {"id": chat.chat_id, "type": chat.type},
            "date": self._date(),
        }

    def _member(self, user_id: int, old: str, new: str) -> int:
        return self._updates.add(
            "my_chat_member",
            {
                "chat": {"id": user_id, "type": "private"},
                "from": _user(user_id),
                "date": self._date(),
                "old_chat_member": {"status": old},
                "new_chat_member": {"status": new},
            },
        )

    def _date(self) -> int:
        return int(self._clock.now().timestamp())


def _user(user_id: int) -> dict[str, Any]:
    return {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}


def _text(text: str) -> dict[str, Any]:
    if not text.startswith("/"):
        return {"text": text}
    entity = {"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}
    return {"text": text, "entities": [entity]}


def _file(kind: str) -> dict[str, Any]:
    return {"file_id": kind, "file_unique_id": kind}
