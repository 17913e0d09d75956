"""A Bot API server of our own: python-telegram-bot talks to it when Telegram is simulated.

It is part of the outside: it survives restarts of the product, keeps unacknowledged updates, and
refuses what Telegram refuses, in Telegram's words.
"""

from __future__ import annotations

from random import Random
from typing import Any

from starlette.types import ASGIApp

from bot.simulation.telegram.app import ApiTransport, api_app
from bot.simulation.telegram.body import Upload
from bot.simulation.telegram.chats import Chat, Chats, Message
from bot.simulation.telegram.errors import ApiRefusal
from bot.simulation.telegram.faults import Faults
from bot.simulation.telegram.files import Files
from bot.simulation.telegram.methods import HELD_MAX_S, Methods
from bot.simulation.telegram.people import People
from bot.simulation.telegram.taps import TapAnswer
from bot.simulation.telegram.updates import Updates
from bot.simulation.telegram.webhook_sender import Post, WebhookSender
from services.ports import Clock

TOKEN = "7000000001:simulated-token-that-opens-nothing"
BASE_URL = "http://telegram.simulated/bot"

__all__ = ["BASE_URL", "TOKEN", "Chat", "Message", "Post", "TapAnswer", "TelegramApi", "Upload"]


class TelegramApi(People):
    """Serve ``app``, or give a client ``transport()``; the rest is for the people's side.

    ``post`` calls the webhook; without it there is only polling. ``clock`` times waits, retries and
    expiry. ``local_webhook`` allows plain http and any address and port, like a self-hosted Bot API
    server started that way; without it Telegram's rules hold. An empty poll is held for at most
    ``held_max_s`` seconds.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = TOKEN,
        post: Post | None = None,
        first_id: int = 1000,
        local_webhook: bool = False,
        held_max_s: int = HELD_MAX_S,
    ) -> None:
        chats = Chats()
        files = Files()
        updates = Updates(clock, first_id)
        self._push = WebhookSender(updates, post, clock) if post else None
        self._faults = Faults()
        self._methods = Methods(
            chats, files, updates, self._push, clock, local=local_webhook, held_max_s=held_max_s
        )
        super().__init__(chats, files, updates, self._methods.taps, clock)
        self.app: ASGIApp = api_app(token, self._methods, files, self._faults)

    def transport(self) -> ApiTransport:
        return ApiTransport(self.app)

    def close(self) -> None:
        """End the long poll and the webhook, so that a server of ``app`` can stop."""
        self._updates.end_poll(ApiRefusal.OTHER_POLL)
        if self._push is not None:
            self._push.stop()

    @property
    def chats(self) -> list[Chat]:
        return list(self._chats)

    @property
    def answers(self) -> list[TapAnswer]:
        """Answers to taps, oldest first."""
        return self._taps.answers

    @property
    def unanswered(self) -> list[str]:
        """Ids of taps without an answer, oldest first."""
        return self._taps.unanswered

    @property
    def ignored(self) -> set[tuple[str, str]]:
        """Methods, each with a given field that nothing here reads, because Telegram silently
        accepts misspelt ones.
        """
        return self._methods.ignored

    @property
    def commands(self) -> dict[tuple[str, int | None, str], list[tuple[str, str]]]:
        """Menus by (scope, chat id, language)."""
        return self._methods.menus.commands

    @property
    def unacknowledged(self) -> list[int]:
        """Ids of updates the bot has not confirmed, in sending order."""
        return self._updates.unacknowledged

    def fail_next(self, fault: str, times: int = 1) -> None:
        """The next sends and edits meet ``403``, ``429:5`` or ``timeout``, without effect."""
        self._faults.arm(fault, times)

    def resend(self, update_id: int) -> None:
        """Send the same update again, even after it was acknowledged."""
        self._updates.repeat(update_id)

    def shuffle(self, random: Random) -> None:
        """Send waiting updates in another order."""
        self._updates.shuffle(random)

    def restart_ids(self, first_id: int) -> None:
        """Renumber updates, as Telegram may after a week without any."""
        self._updates.restart_ids(first_id)

    def send_raw(self, kind: str, content: dict[str, Any]) -> int:
        """Send an update that no person could cause; returns its id."""
        return self._updates.add(kind, content)
