"""``hazina bench telegram``: time to an answer, compared with python-telegram-bot's conversations.

Both get the same updates as bytes and are measured up to the request given to the HTTP client; the
peer keeps everything in memory, our bot commits each turn to disk.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TypeAlias

from bot.bench.peer import peer
from bot.bench.program import Person, running_program, seed_people, temporary_folder
from bot.bench.report import Case, Target
from bot.bench.request_stub import TOKEN, RequestStub
from bot.bench.scripted_chat import Feed, ScriptedChat, answers_of
from bot.channels.telegram.adapter import TelegramAdapter
from bot.channels.telegram.client import TokenSafeBot, keep_quiet
from bot.channels.telegram.sender import TelegramChannel
from bot.channels.telegram.wire import UnreadableUpdate, read_update

WARM_UP_S = 1.0
TARGETS = (Target("of_peer", at_least=1.0),)

Opened: TypeAlias = AbstractAsyncContextManager[tuple[Feed, RequestStub]]
Figures: TypeAlias = dict[str, float]


async def measure(
    people: int, seconds: float, pairs: int, within: Path | None
) -> AsyncIterator[Case]:
    """Measure both ``pairs`` times in alternation, and take the median of the ratios."""
    crowd = [Person(n) for n in range(people)]
    runs: list[tuple[Figures, Figures]] = []
    for _ in range(pairs):
        with temporary_folder(within) as folder:
            ours = await _walk(hazina_bot(Path(folder) / "telegram.db", crowd), crowd, seconds)
        runs.append((ours, await _walk(peer(), crowd, seconds)))
    parameters = {"people": people, "pairs": pairs, "seconds": seconds}
    yield Case("telegram: this desk, durable", parameters, _median([ours for ours, _ in runs]))
    yield Case(
        "telegram: PTB's ConversationHandler, in memory",
        parameters,
        _median([other for _, other in runs]),
    )
    ratios = [ours["answers_per_s"] / theirs["answers_per_s"] for ours, theirs in runs]
    figures = {
        "of_peer": statistics.median(ratios),
        "of_peer_least": min(ratios),
        "of_peer_most": max(ratios),
    }
    yield Case("telegram", parameters, figures, TARGETS)


async def _walk(opened: Opened, crowd: Sequence[Person], seconds: float) -> Figures:
    async with opened as (feed, request):
        update_ids = count(1)
        phones = [ScriptedChat(person, feed, update_ids) for person in crowd]
        by_chat = {phone.chat: phone for phone in phones}
        request.on_message = lambda method, parameters: by_chat[parameters["chat_id"]].hear(
            parameters
        )
        walking = [asyncio.create_task(phone.walk()) for phone in phones]
        await asyncio.sleep(WARM_UP_S)
        answers, began, cpu = answers_of(phones), time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
        answers = answers_of(phones) - answers
        for task in walking:
            task.cancel()
        for ended in await asyncio.gather(*walking, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
    return {"answers_per_s": answers / elapsed, "cpu_us_per_answer": cpu / max(1, answers) * 1e6}


@asynccontextmanager
async def hazina_bot(
    database: Path, crowd: Sequence[Person]
) -> AsyncIterator[tuple[Feed, RequestStub]]:
    keep_quiet()
    request = RequestStub()
    bot = TokenSafeBot(TOKEN, request=request, get_updates_request=RequestStub())
    await bot.initialize()
    async with running_program(database, TelegramChannel(bot)) as app:
        await app.database.write(lambda tx: seed_people(tx, crowd))
        adapter = TelegramAdapter(app, bot)

        async def feed(raw: bytes) -> None:
            inbound = read_update(raw)
            assert not isinstance(inbound, UnreadableUpdate), inbound
            await adapter.handle(inbound)

        yield feed, request
        await adapter.close()


def _median(figures: Sequence[Figures]) -> Figures:
    return {name: statistics.median(figure[name] for figure in figures) for name in figures[0]}
