"""What people have been shown in a served world: their chats, and screens as scripts count them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.scripts.inbox import Inbox, Message, Mismatch
from bot.scripts.stage import Option, Shown

SCREENS_BACK_MAX = 100  # that a script can name for an old button


class Screens:
    """``shown`` is everything that was shown to anybody, in order."""

    def __init__(self, shown: Callable[[], Sequence[Shown]]) -> None:
        self._shown = shown
        self._chat: list[Shown] = []  # without the pages of phones that have dialled
        self._seen = 0
        self._chats = Inbox(self._chat_since)
        self._all = Inbox(lambda cursor: shown()[cursor:])

    def collect(self) -> None:
        self._chats.collect()

    def option(self, person: str, wanted: str) -> tuple[Shown, Option]:
        """The option with this id, or else this label, in the person's chat. Raises
        ``Mismatch``."""
        self._chats.collect()
        return self._chats.option(person, wanted, -1)

    def take_unread(self, person: str) -> Sequence[Message]:
        """All of the chat that the person has not read yet; it is read now."""
        self._chats.collect()
        return self._chats.take_unread(person)

    def written(self, person: str, message_id: str, option: Option) -> str | None:
        """As a script finds this option: by id or label, on the newest screen or on one before it.
        Pages of the person's phone are screens too."""
        # The id of an option for an operation is its reference in small letters: no message shows
        # that.
        names = (option.id, option.label) if option.id != option.label.lower() else (option.label,)
        self._all.collect()
        for screen in range(-1, -SCREENS_BACK_MAX - 1, -1):
            for wanted in names:
                try:
                    found, same = self._all.option(person, wanted, screen)
                except Mismatch:
                    continue
                if (found.message_id, same.data) == (message_id, option.data):
                    return f"[{wanted}]" + ("" if screen == -1 else f" on screen {screen}")
        return None

    def _chat_since(self, cursor: int) -> Sequence[Shown]:
        shown = self._shown()
        self._chat += [one for one in shown[self._seen :] if one.page is None]
        self._seen = len(shown)
        return self._chat[cursor:]
