"""A simulated world that programs and people use while its clock runs with the real one.

One lock orders everything that moves the clock, or stops or kills the product. Requests to the
product do not take it: they pass the door, which knows when the product is there.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.channels.terminal import CHANNEL
from bot.clock import system_random
from bot.scripts.given import Given
from bot.scripts.inbox import Message, Texts
from bot.scripts.stage import Option, Shown
from bot.simulation.bank_comparison import bank_mismatches
from bot.simulation.home import home
from bot.simulation.notification_sender import Told
from bot.simulation.product_door import ProductDoor
from bot.simulation.real_time import TICK_S, RealTime
from bot.simulation.record import Record
from bot.simulation.scene import Scene
from bot.simulation.served.opening import (
    PARTNERS,
    opening,
    opening_settings,
    with_raised_limits,
)
from bot.simulation.served.screens import Screens
from bot.simulation.settings import SimulatedSettings
from bot.simulation.stage_people import StagePeople
from bot.simulation.world import World
from services import api_keys
from services.domain.api_key import ApiKey, Scope
from services.domain.database import DatabaseServer
from services.domain.refusal import Refusal
from services.ports import Tx

KEYS_MAX = 1_000  # active keys of a partner; tests make one for each case
STRIDE_S = 600.0  # of a long advance: between two strides it can be ended
# A copy of the world cannot repeat what programs did.
API_CALL = "# A partner's system called the API here: say it with @api"
GATEWAY_CALL = "# A program called as a gateway of USSD here: say it with <dial …>"
STEP_S = 1.0  # the world's clock shows whole seconds, so that a script can say how much has passed

_log = structlog.get_logger(__name__)


class ControlError(Exception):
    """What a caller of the controls did wrong, in one line."""


class ServedWorld:
    """``folder`` is used by the worlds alone; their databases are in it, or on ``server``.
    ``overrides`` are settings by name. Raises ``ScriptError`` for those that cannot be set.

    ``watchers`` are called when something may have changed.
    """

    def __init__(
        self, folder: Path, overrides: Mapping[str, str], server: DatabaseServer | None = None
    ) -> None:
        self.door = ProductDoor()
        self.watchers: set[Callable[[], None]] = set()
        self._folder = folder
        self._server = server
        self._home = ExitStack()
        self._opening = opening()
        self._overrides = opening_settings(overrides)
        self._url: str | None = None
        self._worlds = 0
        self._lock = asyncio.Lock()
        self._restarting = asyncio.Lock()
        self._opened = asyncio.Event()
        self._is_ending = False
        self._playing: str | None = None
        self._enter(self._make_scene(self._opening, 1))

    @property
    def world(self) -> World:
        return self.scene.world

    @property
    def people(self) -> StagePeople:
        return self.scene.people

    @property
    def record(self) -> Record:
        return self.scene.record

    @property
    def number(self) -> int:
        """Which world it is, counted from 1."""
        return self._worlds

    @property
    def is_ending(self) -> bool:
        return self._is_ending

    # Begin and end -------------------------------------------------------------------------

    async def open(self) -> dict[str, str]:
        """Start the product; returns a key with every scope for each partner."""
        keys: dict[str, str] = {}

        def add_keys(tx: Tx) -> None:
            for code in PARTNERS:
                keys[code] = _key(tx, code, frozenset(Scope), api_keys.DAYS_MAX)

        async with self._lock:
            await self.scene.open(add_keys)
            self._time.skip()
        self._opened.set()
        return keys

    def served_at(self, url: str) -> None:
        """Call before it is opened: links that the product sends lead there."""
        self._url = url
        self.world.settings = self._with_url(self.world.settings)

    def _with_url(self, settings: SimulatedSettings) -> SimulatedSettings:
        if self._url is None or settings.dashboard_url is not None:
            return settings
        return settings.model_copy(update={"dashboard_url": self._url})

    async def run(self) -> None:
        """Let time pass until the world ends."""
        while not self._is_ending:
            await asyncio.sleep(TICK_S)
            if self._playing is not None:
                continue
            try:
                async with self._lock:
                    await self._follow()
            except Exception:  # noqa: BLE001 - time must go on for everybody else
                _log.exception("the world's clock failed")

    async def end(self) -> None:
        """Cut off whoever is being served, and let nothing new begin."""
        self._is_ending = True
        self.tell_watchers()
        await asyncio.gather(*self.door.close(), return_exceptions=True)

    async def close(self) -> None:
        async with self._lock:
            await self.world.close()
            self._home.close()

    async def reset(self) -> None:
        """A fresh world in place of this one; API keys stay valid."""
        async with self._alone():
            await self.begin(self._opening, 1)

    @asynccontextmanager
    async def story(self, title: str) -> AsyncIterator[None]:
        """While it plays, the world is its own: time passes only as it says."""
        async with self._alone():
            self._playing = title
            try:
                yield
            finally:
                self._playing = None
                self._time.skip()
                self.tell_watchers()

    async def pause_story(self, wait: Awaitable[None]) -> None:
        """Let others look at the world meanwhile. For the story that plays."""
        self._lock.release()
        try:
            await wait
        finally:
            await self._lock.acquire()

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[World]:
        """The world for somebody who only looks at it: nobody changes it meanwhile. Whoever comes
        before it is open waits."""
        await self._opened.wait()
        async with self._lock:
            yield self.world

    async def begin(self, givens: Sequence[Given], seed: int) -> None:
        """Replace the world, for whoever is alone with it."""
        kept = await self.world.app.database.read(_living_keys)
        old = self._home
        scene = self._make_scene(givens, seed)
        scene.world.settings = self._with_url(scene.world.settings)
        await self.world.close()
        self._enter(scene)

        def add_keys(tx: Tx) -> None:
            for key, digest in kept:
                if tx.people.partner(key.partner) is not None:
                    tx.api_keys.add(key, digest)

        await scene.open(add_keys)
        old.close()
        self._time.skip()
        self.tell_watchers()

    def _make_scene(self, givens: Sequence[Given], seed: int) -> Scene:
        self._worlds += 1
        with ExitStack() as made:
            scene = Scene(
                made.enter_context(home(self._server, within=str(self._folder))),
                CHANNEL,
                [*givens, *self._overrides],
                seed=seed,
                start=datetime.now(UTC).replace(microsecond=0),
                door=self.door,
                adjust=with_raised_limits,
            )
            self._home = made.pop_all()
        return scene

    def _enter(self, scene: Scene) -> None:
        self.scene = scene
        self._screens = Screens(lambda: scene.shown)
        self.sms = Texts("SMS", lambda phone: scene.world.sms.texts.get(phone, []))
        self.mail = Texts("mail", lambda address: _mails(scene.world, address))
        self.told: list[Told] = []
        self.calls = 0  # of programs
        self._time = RealTime(scene.world, step_s=STEP_S, before=scene.record.passed)

    # Turns, time and faults ----------------------------------------------------------------

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[World]:
        """The world, for one caller at a time: what is due by now is done before, and what the
        caller caused is done after."""
        self._check_goes_on()
        async with self._lock:
            self._check_goes_on()
            await self._follow()
            yield self.world
            await self.world.settle()
            self._screens.collect()
            self.tell_watchers()

    async def advance(self, seconds: float) -> None:
        async with self.turn():
            await self._advance(seconds)

    async def advance_to_next_due(self) -> None:
        """To the next moment at which something is due."""
        async with self.turn() as world:
            due = world.clock.next_due()
            if due is not None:
                wait_s = (due - world.clock.true_now()).total_seconds()
                await self._advance(max(1, math.ceil(wait_s)))

    async def _advance(self, seconds: float) -> None:
        while seconds > 0:
            self._check_goes_on()
            stride = min(seconds, STRIDE_S)
            self.record.passed(stride)
            await self.world.advance(stride)
            self.tell_watchers()
            seconds -= stride
        self._time.skip()

    async def restart(self) -> None:
        async with self._alone():
            self.record.did("@restart")
            await self.world.restart()
            self.tell_watchers()

    async def crash(self) -> None:
        self._check_goes_on()
        async with self._lock:
            self._check_goes_on()
            self.record.did("@crash")
            await self.world.crash()
            await self.world.settle()
            self.tell_watchers()

    async def redeliver(self) -> None:
        """The last thing that somebody said or typed on a phone reaches the product again."""
        inputs, handsets = self.scene.inputs, self.scene.handsets
        async with self.turn():
            if not (inputs.can_redeliver or handsets.dialled_last):
                raise ControlError("nobody has said anything yet")
            self.record.did("@redeliver")
            if handsets.dialled_last:
                await handsets.redeliver()
            else:
                inputs.redeliver()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Requests under way are answered first, for which time must go on."""
        self._check_goes_on()
        async with self._restarting:
            await self.world.finish_requests()
            async with self._lock:
                self._check_goes_on()
                yield

    async def _follow(self) -> None:
        """Do what is due by now, and what programs have begun."""
        if await self._time.follow() > 0:
            self.tell_watchers()
        else:
            await self.world.settle()

    # People and keys -----------------------------------------------------------------------

    async def say(self, person: str, text: str) -> None:
        async with self.turn():
            self.scene.inputs.say(person, text)

    async def send_file(self, person: str, name: str, content: bytes) -> None:
        async with self.turn():
            self.scene.inputs.send_file(person, name, content)

    async def tap(self, person: str, screen: Shown, option: Option) -> None:
        async with self.turn():
            self._tap(person, screen, option)

    async def tap_named(self, person: str, wanted: str) -> None:
        """Tap the option with this id, or else this label. Raises ``Mismatch`` if there is none."""
        async with self.turn():
            self._tap(person, *self._screens.option(person, wanted))

    def _tap(self, person: str, screen: Shown, option: Option) -> None:
        written = self.written(person, screen, option)
        self.scene.inputs.tap(person, screen, option, written=written)

    def written(self, person: str, screen: Shown, option: Option) -> str | None:
        """How a script taps this option, if not by its id."""
        return self._screens.written(person, screen.message_id, option)

    def take_unread(self, person: str) -> Sequence[Message]:
        """All of the chat that the person has not read yet; it is read now."""
        return self._screens.take_unread(person)

    async def create_key(self, partner: str, scopes: Collection[Scope], days: int) -> str:
        def create(tx: Tx) -> str:
            if tx.people.partner(partner) is None:
                raise ControlError(f"there is no partner {partner}")
            return _key(tx, partner, scopes, days)

        async with self.turn() as world:
            return await world.app.database.write(create)

    async def book_problems(self) -> list[str]:
        async with self.turn() as world:
            violations = await world.app.database.read(lambda tx: tx.invariants.violations())
            return [*violations, *await bank_mismatches(world)]

    def note_call(self, remark: str) -> None:
        """A program changes something."""
        self.calls += 1
        self.record.did(remark)

    def tell_watchers(self) -> None:
        for watcher in list(self.watchers):
            watcher()

    def _check_goes_on(self) -> None:
        if self._is_ending:
            raise ControlError("the world is ending")
        if self._playing is not None:
            raise ControlError(f"the story {self._playing!r} is playing")


def _mails(world: World, address: str) -> list[str]:
    return [mail.text for mail in world.mail.mails.get(address, [])]


def _living_keys(tx: Tx) -> list[tuple[ApiKey, str]]:
    keys = [key for code in PARTNERS for key in tx.api_keys.of(code)]
    living = [key for key in keys if key.is_active(tx.now)]
    return [(key, tx.api_keys.digest_of(key.id) or "") for key in living]


def _key(tx: Tx, partner: str, scopes: Collection[Scope], days: int) -> str:
    made = api_keys.create(
        tx, system_random(), partner, frozenset(scopes), days, "simulation", living_max=KEYS_MAX
    )
    if isinstance(made, Refusal):
        raise ControlError(f"{partner} has {KEYS_MAX} keys already")
    return made.key
