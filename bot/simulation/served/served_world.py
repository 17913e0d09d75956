"""A simulated world that programs use while its clock runs with the real one.

One lock orders everything that moves the clock, or stops or kills the product. Requests to the
product do not take it: they pass ``World.door``, which knows when the product is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.channels.terminal import CHANNEL
from bot.clock import system_random
from bot.scripts.inbox import Inbox, Message, Texts
from bot.simulation.bank_comparison import bank_mismatches
from bot.simulation.givens import prepare_outside, seed_database, with_settings
from bot.simulation.person_inputs import PersonInputs
from bot.simulation.real_time import TICK_S, RealTime
from bot.simulation.served.opening import PARTNERS, opening, with_raised_limits
from bot.simulation.shown_messages import ShownMessages
from bot.simulation.stage_people import StagePeople
from bot.simulation.world import World
from services import api_keys
from services.domain.api_key import Scope
from services.domain.outbox import OutboxRow
from services.domain.refusal import Refusal
from services.ports import Tx

KEYS_MAX = 1_000  # active keys of a partner; tests make one for each case
STRIDE_S = 600.0  # of a long advance: between two strides it can be ended

_log = structlog.get_logger(__name__)


class ControlError(Exception):
    """What a caller of the controls did wrong, in one line."""


class ServedWorld:
    """``folder`` is used by the world alone; ``overrides`` are settings by name. Raises
    ``ScriptError`` for those that cannot be set."""

    def __init__(self, folder: Path, overrides: Mapping[str, str]) -> None:
        self.people = StagePeople()
        self._shown = ShownMessages(self.people)
        self.world = World(
            folder,
            start=datetime.now(UTC),
            delivered=self._on_delivered,
            alerted=self._shown.alerted,
        )
        self.inputs = PersonInputs(self.world, CHANNEL, self.people, 0)
        self.inbox = Inbox(lambda cursor: self._shown.messages[cursor:])
        self.sms = Texts("SMS", lambda phone: self.world.sms.texts.get(phone, []))
        self.mail = Texts("mail", self._mails)
        self._givens = opening(overrides)
        self.people.add(self._givens)
        raised = with_raised_limits(self.world.settings)
        self.world.settings = with_settings(raised, self._givens, self.people.addresses)
        prepare_outside(self.world, self._givens)
        self._time = RealTime(self.world)
        self._lock = asyncio.Lock()
        self._restarting = asyncio.Lock()
        self._is_ending = False

    async def open(self) -> dict[str, str]:
        """Start the product; returns a key with every scope for each partner."""
        await self.world.open()
        keys = await self.world.app.database.write(self._seed)
        await self.world.settle()
        self._time.skip()
        return keys

    def served_at(self, url: str) -> None:
        """Call before it is opened: links that the product sends lead there."""
        if self.world.settings.dashboard_url is None:
            own = {"dashboard_url": url}
            self.world.settings = self.world.settings.model_copy(update=own)

    async def run(self) -> None:
        """Let time pass until the world ends."""
        while not self._is_ending:
            await asyncio.sleep(TICK_S)
            try:
                async with self._lock:
                    await self._time.follow()
            except Exception:  # noqa: BLE001 - time must go on for everybody else
                _log.exception("the world's clock failed")

    async def end(self) -> None:
        """Cut off whoever is being served, and let nothing new begin."""
        self._is_ending = True
        await asyncio.gather(*self.world.door.close(), return_exceptions=True)

    async def close(self) -> None:
        async with self._lock:
            await self.world.close()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[World]:
        """The world, for one caller at a time: what is due by now is done before, and what the
        caller caused is done after."""
        async with self._lock:
            self._check_goes_on()
            await self._time.follow()
            yield self.world
            await self.world.settle()

    async def advance(self, seconds: float) -> None:
        async with self.turn() as world:
            while seconds > 0:
                self._check_goes_on()
                stride = min(seconds, STRIDE_S)
                await world.advance(stride)
                seconds -= stride
            self._time.skip()

    async def restart(self) -> None:
        """Requests under way are answered first, for which time must go on."""
        async with self._restarting:
            await self.world.finish_requests()
            async with self._lock:
                self._check_goes_on()
                await self.world.restart()

    async def crash(self) -> None:
        async with self._lock:
            self._check_goes_on()
            await self.world.crash()
            await self.world.settle()

    async def say(self, person: str, text: str | None, tap: str | None) -> Sequence[Message]:
        """Returns all that the person has not read yet. Raises ``Mismatch`` for an option that is
        not there."""
        async with self.turn() as world:
            self.inbox.collect()
            if tap is not None:
                screen, option = self.inbox.option(person, tap, -1)
                self.inputs.tap(person, screen, option)
            elif text is not None:
                self.inputs.say(person, text)
            await world.settle()
            self.inbox.collect()
            return self.inbox.take_unread(person)

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

    def _check_goes_on(self) -> None:
        if self._is_ending:
            raise ControlError("the world is ending")

    def _seed(self, tx: Tx) -> dict[str, str]:
        seed_database(tx, self._givens, CHANNEL, self.people.addresses)
        return {code: _key(tx, code, frozenset(Scope), api_keys.DAYS_MAX) for code in PARTNERS}

    def _on_delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        self._shown.delivered(self.world, row, message_id, edited)

    def _mails(self, address: str) -> list[str]:
        return [mail.text for mail in self.world.mail.mails.get(address, [])]


def _key(tx: Tx, partner: str, scopes: Collection[Scope], days: int) -> str:
    made = api_keys.create(
        tx, system_random(), partner, frozenset(scopes), days, "simulation", living_max=KEYS_MAX
    )
    if isinstance(made, Refusal):
        raise ControlError(f"{partner} has {KEYS_MAX} keys already")
    return made.key
