"""A simulated world with its people: what is said to it, and what it shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.outbox.carriers import MAIL, SMS
from bot.scripts.given import Given
from bot.scripts.stage import Shown
from bot.simulation.givens import given_start, prepare_outside, seed_database, with_settings
from bot.simulation.person_inputs import PersonInputs
from bot.simulation.product_door import ProductDoor
from bot.simulation.record import Record, Said
from bot.simulation.settings import SimulatedSettings
from bot.simulation.shown_messages import ShownMessages
from bot.simulation.stage_people import StagePeople
from bot.simulation.ussd.handset_inputs import HandsetInputs
from bot.simulation.world import Home, World
from services.domain.outbox import OutboxRow
from services.domain.ussd import CHANNEL as USSD
from services.ports import Tx


class Scene:
    """``home`` is used by the world alone. Terminal event ids are numbers above
    ``events_before``. ``adjust`` changes the world's own settings, before the givens' apply; the
    other arguments are the world's.

    Raises ``ScriptError`` for givens that this build cannot set.
    """

    def __init__(
        self,
        home: Home,
        channel: str,
        givens: Sequence[Given],
        *,
        seed: int = 1,
        start: datetime | None = None,
        threads: bool = True,
        receives_everywhere: bool = False,
        events_before: int = 0,
        door: ProductDoor | None = None,
        adjust: Callable[[SimulatedSettings], SimulatedSettings] = lambda settings: settings,
    ) -> None:
        self.channel = channel
        self.seed = seed
        self.givens = tuple(givens)
        self.people = StagePeople()
        self.people.add(givens)
        self.record = Record()
        self._shown = ShownMessages(self.people, self.record.shown)
        self.world = World(
            home,
            seed=seed,
            telegram=channel == "telegram",
            delivered=self._on_delivered,
            alerted=self._shown.alerted,
            start=given_start(givens) or start,
            threads=threads,
            receives_everywhere=receives_everywhere,
            door=door,
        )
        self.start = self.world.clock.true_now()
        self.world.terminal.on_delete = self._on_deleted
        chat = "terminal" if channel == USSD else channel  # people have one beside their phones
        self.inputs = PersonInputs(self.world, chat, self.people, events_before, self._on_said)
        self.handsets = HandsetInputs(self)
        prepare_outside(self.world, givens)
        settings = adjust(self.world.settings)
        self.world.settings = with_settings(settings, givens, self.people.addresses)

    async def open(self, also: Callable[[Tx], None] = lambda tx: None) -> None:
        """Start the product with its initial rows, and those that ``also`` adds."""

        def add(tx: Tx) -> None:
            self.fill(tx)
            also(tx)

        await self.world.open()
        await self.world.app.database.write(add)
        await self.world.settle()

    def fill(self, tx: Tx) -> None:
        """Write the initial rows."""
        seed_database(tx, self.givens, self.channel, self.people.addresses)

    @property
    def shown(self) -> Sequence[Shown]:
        """Everything delivered to anybody, in order."""
        return self._shown.messages

    def show(self, shown: Shown) -> None:
        """Something was shown that is no message of the outbox."""
        self._shown.add(shown)

    def _on_said(self, said: Said) -> None:
        self.handsets.dialled_last = False
        self.record.said(said)

    def _on_deleted(self, address: str) -> None:
        if address in self.people.names:
            self.record.deleted_last(self.people.names[address])

    def _on_delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        world = self.world
        if row.channel == SMS:
            self.record.texted(row.address, world.sms.texts[row.address][-1], is_mail=False)
        elif row.channel == MAIL:
            text = world.mail.mails[row.address][-1].text
            self.record.texted(row.address, text, is_mail=True)
        else:
            self._shown.delivered(world, row, message_id, edited)
