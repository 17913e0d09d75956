"""A Bot API server of our own: what python-telegram-bot talks to when Telegram is simulated.

It is the outside: it outlives restarts of the product, keeps what was not acknowledged, and
refuses what Telegram refuses, in Telegram's words.
"""

from __future__ import annotations

from random import Random
from typing import Any

from starlette.types import ASGIApp

from bot.simulator.telegram.app import ApiTransport, api_app
from bot.simulator.telegram.chats import Chat, Chats, Message
from bot.simulator.telegram.faults import Faults
from bot.simulator.telegram.methods import Answer, Methods
from bot.simulator.telegram.people import People
from bot.simulator.telegram.push import Post, Push
from bot.simulator.telegram.updates import Updates
from services.ports import Clock

TOKEN = "7000000001:simulated-token-that-opens-nothing"
BASE_URL = "http://telegram.simulated/bot"

__all__ = ["BASE_URL", "TOKEN", "Answer", "Chat", "Message", "Post", "TelegramApi"]


class TelegramApi(People):
    """Serve ``app``, or give a client ``transport()``; the rest is for the people's side.

    ``post`` is how a webhook is called; without it there is only polling. ``clock`` times the
    long poll and the webhook's repeats.
    """

    def __init__(
        self, clock: Clock, *, token: str = TOKEN, post: Post | None = None, first_id: int = 1000
    ) -> None:
        chats = Chats()
        updates = Updates(clock, first_id)
        self._push = Push(updates, post, clock) if post else None
        self._faults = Faults()
        methods = Methods(chats, updates, self._push, clock)
        super().__init__(chats, updates, methods, clock)
        self.app: ASGIApp = api_app(token, methods, self._faults)

    def transport(self) -> ApiTransport:
        return ApiTransport(self.app)

    def close(self) -> None:
        """End the long poll and the webhook, so that a server of ``app`` can go."""
        self._updates.end_poll()
        if self._push is not None:
            self._push.stop()

    @property
    def chats(self) -> list[Chat]:
        return list(self._chats)

    @property
    def answers(self) -> list[Answer]:
        """To taps, oldest first."""
        return self._methods.answers

    @property
    def commands(self) -> dict[tuple[str, int | None, str], list[tuple[str, str]]]:
        """Menus by (scope, chat id, language)."""
        return self._methods.commands

    @property
    def unacknowledged(self) -> list[int]:
        """Ids of updates that the bot has not confirmed, in the order they will be sent."""
        return self._updates.unacknowledged

    def fail_next(self, fault: str, times: int = 1) -> None:
        """The next sends and edits meet ``403``, ``429:5`` or ``timeout``, without effect."""
        self._faults.arm(fault, times)

    def resend(self, update_id: int) -> None:
        """The same update once more, also after it was acknowledged."""
        self._updates.repeat(update_id)

    def shuffle(self, random: Random) -> None:
        """Send what waits in another order."""
        self._updates.shuffle(random)

    def restart_ids(self, first_id: int) -> None:
        """Number updates anew, as Telegram may after a week without any."""
        self._updates.restart_ids(first_id)

    def send_raw(self, kind: str, content: dict[str, Any]) -> int:
        """An update that no person could cause; returns its id."""
        return self._updates.add(kind, content)
