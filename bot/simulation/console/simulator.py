"""A chat with the product, or its menu on a phone, with everything around it simulated: ``hazina
sim``.

One loop owns the world. While it waits for input, the world's clock follows real time; each line's
effects settle before the next line is read.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.channels.terminal import CHANNEL, event_from_line
from bot.outbox.carriers import MAIL, SMS
from bot.simulation.console import commands, demo, screen
from bot.simulation.console.console import Console
from bot.simulation.console.handset import Handset
from bot.simulation.console.screen import BLANK, Content, Ink, Line
from bot.simulation.real_time import TICK_S, RealTime
from bot.simulation.world import Home, World
from flows.engine.event import Event, EventKind
from flows.engine.nodes import Ask, Code, Contact
from services.domain.outbox import OutboxRow
from services.domain.phone import Phone
from services.ports import Tx

if TYPE_CHECKING:
    from bot.outbox.channel import MessageContent as Sent


@dataclass(slots=True)
class _Delivery:
    """A message that was sent or edited; ``answer`` if the person's own input caused it.

    ``address`` is the chat it belongs to, ``about`` the reference of the operation that a live
    message reports.
    """

    address: str
    message_id: str
    answer: bool
    about: str


@dataclass(slots=True)
class _ActiveScreen:
    """The screen whose options numbers or words pick."""

    message_id: str
    numbered: bool


class Simulator:
    """One reproducible session. ``home`` is used by the world alone. ``dials``: people have
    their phones in hand at first, and not the chat."""

    def __init__(self, home: Home, console: Console, *, dials: bool = False) -> None:
        self.world = World(
            home,
            start=datetime.now(UTC),
            delivered=self._on_delivered,
            alerted=lambda address, text: self.note(screen.alert(text)),
        )
        self.world.terminal.on_delete = self._on_deleted
        admins = frozenset(demo.ADMINS)
        self.world.settings = self.world.settings.model_copy(update={"admin_ids": admins})
        self.handset = Handset(self.world, in_hand_first=dials)
        self.who = demo.OWNER  # the person typing here
        self.ended = False
        self._console = console
        self._greeting = demo.GREETING_ON_A_PHONE if dials else demo.GREETING
        self._count = 0
        self._page: list[Line | _Delivery] = []
        self._seen: dict[str, Content] = {}
        self._active_by_user: dict[str, _ActiveScreen] = {}
        self._notices: dict[str, str] = {}  # newest unsolicited message with options, by address
        self._rung: set[str] = set()  # prompts and payouts already reported
        self._fired = 0  # crashes already reported
        self._time = RealTime(self.world)

    async def run(self) -> None:
        """Chat until the person quits or the input ends."""
        try:
            await self.begin()
            while not self.ended:
                line = await self._next_line()
                if line is None:
                    break
                await self.handle_line(line)
        finally:
            await self.world.close()

    async def begin(self) -> None:
        """Start the product, and greet the person."""
        await self.world.open()
        await self.world.app.database.write(demo.seed)
        await self.world.settle()
        self._page += [Line(line) for line in self._greeting]
        await self.show()

    # Time ----------------------------------------------------------------------------------

    async def _next_line(self) -> str | None:
        """Wait for input while the world runs.

        With piped input only this waiting takes time, so lines already available always give the
        same result.
        """
        reading = asyncio.create_task(self._console.read())
        if not self._console.echoes:
            self._time.skip()
        try:
            while True:
                await asyncio.wait({reading}, timeout=TICK_S)
                if reading.done():
                    return reading.result()
                await self._time.follow()
                await self.show()
        finally:
            reading.cancel()

    # Input ---------------------------------------------------------------------------------

    async def switch_user(self, who: str) -> None:
        """Type as another person, on the current screen of their chat."""
        self.who = who
        if self._active is not None:
            takes_text = await self.world.app.database.read(self._takes_text)
            self._active.numbered = not takes_text

    async def handle_line(self, line: str) -> None:
        if not line.strip():
            return
        if not self._console.echoes:
            self._page.append(screen.said(line))
        try:
            if line.startswith(":"):
                await commands.run(self, line)
            elif (page := await self.handset.type(self.who, line)) is not None:
                self.note(*page)
            else:
                self.submit(self._event(line))
            await self.world.settle()
        except Exception as error:  # noqa: BLE001 - nothing that is typed may end the chat
            self.note(screen.alert(f"The simulator failed at this: {error!r}"))
        await self.show(answering=True)

    def submit(self, event: Event) -> None:
        self.world.submit(event)

    def _event(self, line: str) -> Event:
        """Interpret a line: an option of the current screen, or text."""
        option = self._picked(line.strip())
        if option is not None:
            return self.tap(option)
        option = self._picked_of_notice(line.strip())
        if option is not None and self._notice is not None:
            return self.tap(option, self._notice)
        return event_from_line(self.who, self.next_event_id(), line)

    def tap(self, option: str, message_id: str | None = None) -> Event:
        """Tap an option of a message, by default the newest screen, on the turn it was drawn."""
        if message_id is None:
            assert self._active is not None
            message_id = self._active.message_id
        turn = self._sent(message_id).turn
        return Event(
            CHANNEL,
            self.who,
            self.next_event_id(),
            EventKind.TAP,
            turn=turn,
            option=option,
            message_id=message_id,
        )

    @property
    def _active(self) -> _ActiveScreen | None:
        return self._active_by_user.get(self.who)

    @property
    def _notice(self) -> str | None:
        return self._notices.get(self.who)

    def _picked(self, text: str) -> str | None:
        if self._active is None:
            return None
        options = self.options
        if self._active.numbered and text.isascii() and text.isdigit() and len(text) <= 2:
            return options[int(text) - 1][0] if 1 <= int(text) <= len(options) else None
        return next((id_ for id_, label in options if label.casefold() == text.casefold()), None)

    def _picked_of_notice(self, text: str) -> str | None:
        """An option in brackets below an unsolicited message, such as a low wallet's remedy."""
        if self._notice is None:
            return None
        sent = self._sent(self._notice)
        options = Content(sent.text, sent.rows).options
        return next((id_ for id_, label in options if label.casefold() == text.casefold()), None)

    def next_event_id(self) -> str:
        self._count += 1
        return str(self._count)

    # Output --------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Print a line about the world around the chat."""
        self.note(screen.quiet(text))

    def log(self, text: str) -> None:
        self.note(Line(f"[log] {text}", Ink.QUIET))

    def note(self, *lines: Line) -> None:
        self._page += lines

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """(id, label) of the current screen."""
        if self._active is None:
            return ()
        sent = self._sent(self._active.message_id)
        return Content(sent.text, sent.rows).options

    async def current_screen(self, *, ids: bool = True) -> list[Line] | None:
        """The current screen as it is now, with the ids of its options; the phone's newest page if
        that is in hand."""
        phone = await self.handset.phone_of(self.who)
        if phone is not None and self.handset.holds(self.who):
            return self.handset.shown(phone)
        if self._active is None:
            return None
        sent = self._sent(self._active.message_id)
        return screen.message(
            Content(sent.text, sent.rows), numbered=self._active.numbered, ids=ids
        )

    def _sent(self, message_id: str) -> Sent:
        return self.world.terminal.messages[message_id].content

    def _on_delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        if row.channel == SMS:
            self.say(f"SMS to {Phone(row.address)}: {self.world.sms.texts[row.address][-1]}")
            return
        if row.channel == MAIL:
            mail = self.world.mail.mails[row.address][-1]
            self.say(f"Mail to {row.address}: {mail.subject}. {mail.text}")
            return
        if row.document is not None:
            name, content = self.world.terminal.documents[message_id]
            self.say(f"A file comes with it: {name}, {len(content):,} bytes. :save keeps it here.")
        answer = row.event_id is not None
        for entry in self._page:
            if isinstance(entry, _Delivery) and entry.message_id == message_id:
                entry.answer = entry.answer or answer
                return
        about = (row.slot or "").partition(":")[2]
        self._page.append(_Delivery(row.address, message_id, answer, about))

    def _on_deleted(self, address: str) -> None:
        if address == self.who:
            self.say("In a chat, your message is deleted now. This terminal cannot do that.")

    async def show(self, *, answering: bool = False) -> None:
        """Print what was collected, each message as it is now."""
        takes_text = False
        if any(isinstance(entry, _Delivery) and entry.answer for entry in self._page):
            takes_text = await self.world.app.database.read(self._takes_text)
        page, self._page = self._page, []
        lines: list[Line] = []
        for entry in page:
            lines += [entry] if isinstance(entry, Line) else self._news(entry, takes_text, lines)
        self._mention(lines)
        delivered = any(isinstance(entry, _Delivery) for entry in page)
        if answering and delivered and all(line.ink is Ink.SAID for line in lines):
            lines.append(screen.quiet("Nothing has changed."))
        if lines:
            await self._console.show([*lines, BLANK])

    def _news(self, entry: _Delivery, takes_text: bool, above: list[Line]) -> list[Line]:
        """A new message, an answer edited in place, or an unsolicited change."""
        sent = self._sent(entry.message_id)
        new = Content(sent.text, sent.rows)
        old = self._seen.get(entry.message_id)
        self._seen[entry.message_id] = new
        if entry.answer:
            self._active_by_user[entry.address] = _ActiveScreen(
                entry.message_id, numbered=not takes_text
            )
        if new == old:
            return []
        if entry.address != self.who:
            if not entry.answer and new.rows:
                self._notices[entry.address] = entry.message_id
            return [screen.quiet(f"To {entry.address}:"), *screen.message(new, numbered=False)]
        if entry.answer:
            return screen.message(new, numbered=not takes_text)
        if old is None:
            if new.rows:
                self._notices[entry.address] = entry.message_id
            below = bool(above) and above[-1].ink not in (Ink.SAID, Ink.QUIET)
            return [BLANK] * below + screen.message(new, numbered=False)
        if entry.about and not new.rows and any(entry.about in line.text for line in above):
            return []  # the receipt above has the details
        return screen.changes(old, new, entry.about)

    def _takes_text(self, tx: Tx) -> bool:
        """Whether the current question expects text, so that a number is an answer."""
        session = self.world.app.sessions.peek(tx, CHANNEL, self.who)
        return isinstance(session.current_node, Ask | Code | Contact)

    def _mention(self, lines: list[Line]) -> None:
        """Report events outside: a prompt reached a phone, M-PESA paid, the product was killed."""
        fired = sum(armed.fired for armed in self.world.armed_crashes)
        if fired > self._fired:
            self._fired = fired
            lines.append(
                screen.quiet("Hazina was killed there and started again; the chat goes on.")
            )
        for prompt in self.world.bank.prompts.open():
            if prompt.transaction_id not in self._rung:
                self._rung.add(prompt.transaction_id)
                phone = Phone(prompt.phone)
                pays = ":handset pays" if phone == demo.PHONE else f":handset pays {prompt.phone}"
                lines.append(
                    screen.quiet(
                        f"M-PESA prompt on {phone}: KES {prompt.amount_kes:,}."
                        f" {pays} enters the PIN."
                    )
                )

        for paid in self.world.daraja.paid():
            if paid.transaction_id not in self._rung:
                self._rung.add(paid.transaction_id)
                lines.append(
                    screen.quiet(
                        f"M-PESA has paid KES {paid.amount_kes:,} to {paid.name},"
                        f" {Phone(paid.phone)}: {paid.transaction_id}."
                    )
                )

    async def next_poll_s(self, phone: Phone) -> int | None:
        """Seconds until the next bank query for this phone's newest open top-up."""
        topups = await self.world.app.database.read(lambda tx: tx.topups.every())
        due = [t.due_at for t in topups if t.phone == phone and t.can_be_queried and t.due_at]
        if not due:
            return None
        return max(0, math.ceil((min(due) - self.world.clock.true_now()).total_seconds()))
