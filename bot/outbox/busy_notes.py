"""Tells people that the desk is busy while nothing can be stored.

The message stands in no outbox, so it is sent once and never again. Their own message is delivered
again by its channel, and answered when the database is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from bot.outbox.attempt import OnDelivered
from bot.outbox.channel import Channel, ChannelError, MessageContent
from flows.engine.texts import Texts
from services.domain.outbox import OutboxRow
from services.ports import Clock

_log = structlog.get_logger(__name__)

AGAIN_S = 60.0  # the same chat is not told so often
CHATS_MAX = 1_000  # that are told, until the first of them may be told again
UNSTORED = 0  # no row has this number


class BusyNotes:
    """``delivered`` is called for each message that was accepted."""

    def __init__(
        self,
        clock: Clock,
        texts: Texts,
        channels: Mapping[str, Channel],
        delivered: OnDelivered | None,
    ) -> None:
        self._clock = clock
        # Whose language nobody can look up.
        self._text = "\n".join(texts.say(language, "engine.busy") for language in texts.languages)
        self._channels = channels
        self._delivered = delivered
        self._told: dict[tuple[str, str], float] = {}  # by chat: when, oldest first
        self._sending: set[asyncio.Task[None]] = set()

    def tell(self, channel: str, address: str) -> None:
        """Nothing was committed. Channels that only answer have their own words."""
        now = self._clock.monotonic()
        while self._told and next(iter(self._told.values())) <= now - AGAIN_S:
            del self._told[next(iter(self._told))]
        chat = (channel, address)
        if channel not in self._channels or chat in self._told or len(self._told) >= CHATS_MAX:
            return
        self._told[chat] = now
        task = asyncio.create_task(self._send(channel, address))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def abort(self) -> None:
        for task in self._sending:
            task.cancel()

    async def _send(self, channel: str, address: str) -> None:
        try:
            message_id = await self._channels[channel].send(address, MessageContent(self._text))
        except ChannelError as error:
            _log.info("nobody could be told that the desk is busy", why=str(error))
            return
        if self._delivered is not None:
            self._delivered(self._row(channel, address), message_id, False)

    def _row(self, channel: str, address: str) -> OutboxRow:
        return OutboxRow(
            id=UNSTORED,
            channel=channel,
            address=address,
            event_id=None,
            n=0,
            kind="notice",
            slot=None,
            edits=False,
            text=self._text,
            rows="[]",
            turn=0,
            fallback=None,
            protect=False,
            otp=None,
            target=None,
            silent=False,
            document=None,
            attempts=1,
            due_at=self._clock.now(),
        )
