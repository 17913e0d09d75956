"""A person who types and taps, as the bytes Telegram would send us."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence

from bot.app import App
from bot.bench.program import Person
from bot.channels.telegram.wire import read_update
from bot.turns.turn import Decided
from flows.engine.event import Event

_MESSAGE = (
    b'{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,'
    b'"first_name":"Achieng","last_name":"Otieno","username":"achieng_otieno",'
    b'"language_code":"en"},"chat":{"id":%d,"first_name":"Achieng","last_name":"Otieno",'
    b'"username":"achieng_otieno","type":"private"},"date":1772431200,"text":"%s"%s}}'
)
_COMMAND = b',"entities":[{"offset":0,"length":%d,"type":"bot_command"}]'
_TAP = (
    b'{"update_id":%d,"callback_query":{"id":"%d","from":{"id":%d,"is_bot":false,'
    b'"first_name":"Achieng","last_name":"Otieno","username":"achieng_otieno",'
    b'"language_code":"en"},"message":{"message_id":%d,"from":{"id":7000000001,"is_bot":true,'
    b'"first_name":"Hazina","username":"hazina_bot"},"chat":{"id":%d,"first_name":"Achieng",'
    b'"last_name":"Otieno","username":"achieng_otieno","type":"private"},"date":1772431200,'
    b'"text":"Which phone pays? The prompt to enter your PIN appears on it.","reply_markup":'
    b'{"inline_keyboard":[[{"text":"Mine","callback_data":"7:mine"}],[{"text":"Another phone",'
    b'"callback_data":"7:other"}],[{"text":"Back","callback_data":"7:back"},'
    b'{"text":"Cancel","callback_data":"7:cancel"}]]}},"chat_instance":"-3216549870123456789",'
    b'"data":"%s"}}'
)

# What 64 people do at once: a top-up up to its confirmation, cancelled, with other screens in
# between. A leading slash or digit is typed, "abc" is a typing error, anything else is a button.
ROUND_INPUTS = (
    "/topup",
    "abc",
    "1,500",
    "mine",
    "back",
    "mine",
    "edit-amount",
    "2,000",
    "cancel",
    "/balance",
    "refresh",
    "menu",
)
TYPED_WORDS = frozenset({"abc"})


class ScriptedUser:
    """Does one thing after another, each after the committed answer to the previous one.

    ``update_ids`` is shared by all users, as Telegram's are.
    """

    def __init__(self, app: App, person: Person, update_ids: Iterator[int]) -> None:
        self._app = app
        self._user = person.user_id
        self._update_ids = update_ids
        self._turn = 0

    async def perform(self, what: str) -> float:
        """Returns the seconds from the update's bytes to the committed answer."""
        update_id = next(self._update_ids)
        if is_typed(what):
            raw = text_update(update_id, self._user, what)
        else:
            raw = tap_update(update_id, self._user, f"{self._turn}:{what}")
        began = time.perf_counter()
        event = read_update(raw)
        assert isinstance(event, Event), event
        decided = await self._app.handle(event)
        seconds = time.perf_counter() - began
        self._see(what, decided)
        return seconds

    def _see(self, what: str, decided: Decided) -> None:
        if not decided.rows:
            raise RuntimeError(f"{what!r} was not answered: {decided}")
        self._turn = decided.rows[-1].turn

    @property
    def address(self) -> str:
        return str(self._user)

    def at_turn(self, turn: int) -> None:
        """The current screen was drawn on this turn."""
        self._turn = turn


def text_update(update_id: int, user: int, text: str) -> bytes:
    word = text.encode()
    entities = _COMMAND % len(word) if text.startswith("/") else b""
    return _MESSAGE % (update_id, update_id, user, user, word, entities)


def tap_update(update_id: int, user: int, data: str) -> bytes:
    """``data`` is the button's payload."""
    return _TAP % (update_id, update_id, user, update_id, user, data.encode())


def is_typed(what: str) -> bool:
    return what[0] == "/" or what[0].isdigit() or what in TYPED_WORDS


class Load:
    """Everybody repeats the script. ``rate`` is total turns per second; ``None``: without pauses.

    ``answered`` is set by address when an answer was sent; if given, users wait for it.
    """

    def __init__(
        self,
        walkers: Sequence[ScriptedUser],
        rate: float | None = None,
        answered: Mapping[str, asyncio.Event] | None = None,
    ) -> None:
        self._walkers = walkers
        self._answered = answered
        self._every_s = None if rate is None else len(walkers) / rate
        self._tasks: list[asyncio.Task[None]] = []
        self.latencies_s: list[float] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._walk(walker, n)) for n, walker in enumerate(self._walkers)
        ]

    def reset(self) -> None:
        """Discard measurements of the warm-up."""
        self.latencies_s.clear()

    async def stop(self) -> None:
        """Let everybody finish their current turn. Raises the first error of any."""
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def _walk(self, walker: ScriptedUser, n: int) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        if self._every_s is not None:
            due += self._every_s * n / len(self._walkers)
        while True:
            for what in ROUND_INPUTS:
                if self._every_s is not None:
                    due += self._every_s
                    await asyncio.sleep(max(0.0, due - loop.time()))
                self.latencies_s.append(await walker.perform(what))
                if self._answered is not None:
                    await self._answered[walker.address].wait()
                    self._answered[walker.address].clear()
