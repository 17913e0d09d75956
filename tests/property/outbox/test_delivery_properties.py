"""Every message arrives once and in order, whatever is queued and whatever faults sending meets."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import closing
from datetime import timedelta
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.outbox.channel import ChannelError, MessageContent, RetryAfter, Unclear
from bot.outbox.pacing import MessageRates
from bot.outbox.sender import OutboxSender
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from services.domain.outbox import OutboxRow, Rank
from storage.transaction import StoreTx
from tests.kit import channels
from tests.kit.open_databases import simulated_database

CHAT = "chat"
IN_MEMORY_MAX = {Rank.ANSWER: 5, Rank.NOTICE: 3, Rank.BULK: 2}
KINDS = {Rank.ANSWER: "receipt", Rank.NOTICE: "notice", Rank.BULK: "notice"}
FAULTS = {"unclear": Unclear("no answer"), "429": RetryAfter(20)}


class Chats:
    """A channel with faults on demand; a send that fails has no effect."""

    name, capabilities = CHAT, channels.CHAT

    def __init__(self, clock: VirtualClock, meets: list[str]) -> None:
        self._clock = clock
        self._meets = list(meets)
        self._held: dict[str, float] = {}  # chats that a 429 holds back, and until when
        self.taken: defaultdict[str, list[str]] = defaultdict(list)

    async def send(self, address: str, content: MessageContent) -> str:
        assert self._clock.monotonic() >= self._held.get(address, 0.0) - 1e-6
        await self._clock.sleep(0.01)
        fault = self._meets.pop() if self._meets else ""
        if fault == "429":
            self._held[address] = self._clock.monotonic() + 20
        if fault:
            raise FAULTS[fault]
        self.taken[address].append(content.text)
        return "m"

    async def send_document(self, *_: object) -> str:
        raise ChannelError

    edit = delete = answer_tap = send_document  # type: ignore[assignment]


messages = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(list(Rank))), max_size=25
)


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(messages, max_size=5),
    meets=st.lists(st.sampled_from(["", "", "unclear", "429"]), max_size=12),
    paced=st.booleans(),
    restarts=st.booleans(),
)
def test_everything_arrives_once_and_in_order(
    batches: list[list[tuple[str, Rank]]], meets: list[str], paced: bool, restarts: bool
) -> None:
    asyncio.run(_deliver(batches, meets, paced, restarts))


async def _deliver(
    batches: list[list[tuple[str, Rank]]], meets: list[str], paced: bool, restarts: bool
) -> None:
    clock = VirtualClock()
    chats = Chats(clock, meets)
    pace = MessageRates(2.0, 5.0, 2, 3) if paced else MessageRates(None, None)
    with (
        closing(simulated_database()) as blank,
        mock.patch("bot.outbox.sender.IN_MEMORY_MAX", IN_MEMORY_MAX),
        mock.patch("bot.outbox.sender.PAGE", 4),
    ):
        database = await blank.open(clock.now, monotonic=clock.monotonic)

        def open_sender() -> OutboxSender:
            keys = Keyring({"1": bytes(32)})
            return OutboxSender(database, clock, {CHAT: chats}, pace, keys, lambda tx, otp: [])

        sender, queued = open_sender(), defaultdict(list)
        for batch in batches:
            rows = await database.write(lambda tx, batch=batch: _queue(tx, batch))
            for row in rows:
                queued[row.address, row.rank].append(row.text)
            sender.push(rows)
            await _advance(clock, 0.05)
            assert len(sender._in_memory) <= IN_MEMORY_MAX[Rank.ANSWER]
            if restarts:
                sender.abort()
                await _advance(clock, 0.05)
                sender = open_sender()
                await sender.scan()
        await _advance(clock, 12_000)
        states = await database.read(_states)
        await sender.stop()
        await database.close()
    assert states <= {"sent"}
    for (address, rank), texts in queued.items():
        arrived = [text for text in chats.taken[address] if text.startswith(rank.name)]
        if restarts:  # a message sent just before the program was killed may be sent again
            assert list(dict.fromkeys(arrived)) == texts
        else:
            assert arrived == texts


def _queue(tx: StoreTx, batch: list[tuple[str, Rank]]) -> list[OutboxRow]:
    (many,) = tx.conn.execute("SELECT count(*) FROM outbox").fetchone()
    return [
        tx.outbox.add(CHAT, address, kind=KINDS[rank], text=f"{rank.name} {many + n}", rank=rank)
        for n, (address, rank) in enumerate(batch)
    ]


def _states(tx: StoreTx) -> set[str]:
    return {state for (state,) in tx.conn.execute("SELECT DISTINCT state FROM outbox")}


async def _advance(clock: VirtualClock, seconds: float) -> None:
    end = clock.now() + timedelta(seconds=seconds)
    await _settle()
    while (due := clock.next_due()) is not None and due <= end:
        clock.jump(due)
        await _settle()
    clock.jump(end)


async def _settle() -> None:
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - until nothing can run but by time
        await asyncio.sleep(0)
