"""Taps on buttons and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.simulation.telegram import api_objects, requests
from bot.simulation.telegram.chats import Chat
from bot.simulation.telegram.errors import ApiError, ApiRefusal
from bot.simulation.telegram.updates import TAP_KEPT_S
from services.ports import Clock

ALERT_LIMIT = 200  # characters (facts: channels, Telegram)
_FIRST_ID = 4_611_686_018_427_000_001  # as long as Telegram's own, so more than 53 bits


@dataclass(frozen=True, slots=True)
class TapAnswer:
    """What the person briefly saw after a tap; ``text`` is ``None`` if only the spinner ended."""

    tap_id: str
    user_id: int
    text: str | None


class Taps:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        # Who tapped, and until when it may be answered
        self._open: dict[str, tuple[int, float]] = {}
        self.answers: list[TapAnswer] = []

    @property
    def unanswered(self) -> list[str]:
        """Ids of taps without an answer, oldest first."""
        now = self._clock.monotonic()
        return [tap_id for tap_id, (_, until) in self._open.items() if until >= now]

    def tap(self, chat: Chat, user_id: int, message_id: int, data: str) -> dict[str, Any]:
        """The ``callback_query`` for any data on any message, even if never shown: taps can be
        forged.

        It carries the bot's message as it is now, or only its id if it is gone.
        """
        tap_id = str(_FIRST_ID + self._count)
        self._count += 1
        self._open[tap_id] = (user_id, self._clock.monotonic() + TAP_KEPT_S)
        message = chat.find(message_id)
        return {
            "id": tap_id,
            "from": api_objects.user(user_id),
            "message": (
                api_objects.gone(chat, message_id)
                if message is None
                else api_objects.message(chat, message)
            ),
            "chat_instance": str(chat.chat_id),
            "data": data,
        }

    def answer(self, request: requests.AnswerCallbackQuery) -> bool:
        user_id, until = self._open.pop(request.callback_query_id, (0, 0.0))
        if not user_id or until < self._clock.monotonic():
            raise ApiError(ApiRefusal.TAP_TOO_OLD)
        if len(request.text) > ALERT_LIMIT:
            self._open[request.callback_query_id] = (user_id, until)
            raise ApiError(ApiRefusal.ALERT_TOO_LONG)
        self.answers.append(TapAnswer(request.callback_query_id, user_id, request.text or None))
        return True
