"""The page's parts. Each is drawn when its key has changed, and sent when its text has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.simulation.ncba.prompts import SentPrompt
from bot.simulation.page.cast import Member, cast
from bot.simulation.page.panels.due import due_panel
from bot.simulation.page.panels.money import money_panel
from bot.simulation.page.panels.turn import turns
from bot.simulation.page.panels.wire import wire_panel
from bot.simulation.page.state import PageState
from bot.simulation.page.view import Drawer, View
from bot.simulation.served.controls import CALLS
from bot.simulation.served.opening import PARTNERS
from services.domain.ussd import PAGE_SEPTETS
from services.ports import Tx

Look = Callable[[Tx], Any]
Draw = Callable[[Any], str]
DRAWERS = {
    Drawer.TURN: "Turn",
    Drawer.MONEY: "Money",
    Drawer.WIRE: "Wire",
    Drawer.DUE: "Due",
    Drawer.LOG: "Log",
}
LANGUAGES = {"en": "English", "sw": "Kiswahili"}


@dataclass(frozen=True, slots=True)
class Part:
    """``name`` is the id of the element whose content it is. ``draw`` is given what ``look`` finds
    in the database."""

    name: str
    key: Hashable
    draw: Draw
    look: Look = lambda tx: None


class Parts:
    """All parts of a view but its chats, as they are now."""

    def __init__(self, state: PageState, view: View) -> None:
        self._state = state
        self._served = state.served
        self._view = view
        self._cast = cast(self._served.scene.givens)

    def every(self) -> Sequence[Part]:
        served, story = self._served, self._state.story
        now = served.world.clock.now()
        left = served.world.faults_left()
        parts = [
            self._part("clock", now, "clock.html", now=now),
            self._part("phones-state", len(self._view.people), "phones_state.html"),
            self._part("faults", tuple(left.items()), "faults.html", left=left),
            self._part("story-bar", story.key, "story.html", story=story),
            self._part("drawer-tabs", self._view.drawer, "drawer_tabs.html", tabs=DRAWERS),
            self._drawer(now),
        ]
        for n, name in enumerate(self._view.people, 1):
            parts += self._phone(n, self._cast[name])
        return parts

    def _phone(self, n: int, member: Member) -> Sequence[Part]:
        world = self._served.world
        texts = [] if member.phone is None else world.sms.texts.get(member.phone.msisdn, [])
        mails = [] if member.email is None else world.mail.mails.get(member.email, [])
        prompt = self._prompt(n, member)
        facts = {"n": n, "suffix": "" if n == 1 else f" {n}", "member": member}
        return [
            self._who(n, member),
            self._part(f"sms-{n}", (member, len(texts)), "sms.html", **facts, texts=texts),
            self._part(f"mail-{n}", (member, len(mails)), "mail.html", **facts, mails=mails),
            *self._ussd(n, member),
            self._part(
                f"prompt-{n}",
                prompt and (member, prompt.transaction_id),
                "prompt.html",
                **facts,
                prompt=prompt,
            ),
        ]

    def _ussd(self, n: int, member: Member) -> Sequence[Part]:
        """What the phone shows of the session that it has dialled, and what is told of it."""
        session = self._served.scene.handsets.session(member.name)
        page = None if session is None else session.shown
        facts = {"member": member, "session": session, "page": page}
        hop = session and (session.session, session.last, session.took_s)
        return [
            self._part(f"ussd-page-{n}", (member, hop, page), "ussd_page.html", **facts),
            self._part(
                f"ussd-hop-{n}", (member, hop, page), "ussd_hop.html", **facts, most=PAGE_SEPTETS
            ),
        ]

    def _who(self, n: int, member: Member) -> Part:
        """Whose phone it is, in the language that the person has chosen by now."""

        def look(tx: Tx) -> str | None:
            address = self._served.people.addresses[member.name]
            person = tx.people.at(self._served.scene.channel, address)
            return None if person is None else person.language

        def draw(language: str | None) -> str:
            suffix = "" if n == 1 else f" {n}"
            return self._render(
                "who.html",
                n=n,
                suffix=suffix,
                member=member,
                language=language,
                languages=LANGUAGES,
            )

        return Part(f"who-{n}", (member, self._happened()), draw, look)

    def _drawer(self, now: datetime) -> Part:
        view, served, state = self._view, self._served, self._state
        happened = self._happened()
        drawers: Mapping[Drawer, tuple[Hashable, str, Look]] = {
            Drawer.TURN: (happened, "turn.html", lambda tx: turns(served.scene, tx)),
            Drawer.MONEY: (
                happened,
                "money.html",
                lambda tx: money_panel(served.world, PARTNERS, tx),
            ),
            Drawer.WIRE: (
                (happened, state.held, len(served.told)),
                "wire.html",
                lambda tx: wire_panel(served, CALLS, state.held, tx),
            ),
            Drawer.DUE: ((happened, now), "due.html", lambda tx: due_panel(served.world, tx)),
            Drawer.LOG: (state.log_count, "log.html", lambda tx: list(state.log)[::-1]),
        }
        key, template, look = drawers[view.drawer]

        def draw(panel: Any) -> str:
            return self._render(template, panel=panel)

        return Part("drawer-panel", (view.drawer, key), draw, look)

    def _happened(self) -> Hashable:
        """Differs once something has happened that the database may tell of."""
        served = self._served
        calls = sum(served.world.api_of(call).calls(call) for call in CALLS)
        sent = (delivery for told in served.told for delivery in told.deliveries)
        answered = sum(delivery.answer is not None for delivery in sent)
        return (
            served.number,
            len(served.record.entries),
            calls,
            served.calls,
            answered,
            len(served.world.receiver.received),
            len(served.world.daraja.results.deliveries),
            served.world.crash_count,
        )

    def _prompt(self, n: int, member: Member) -> SentPrompt | None:
        """The prompt on this phone; the first also shows those on phones of nobody here."""
        prompts = self._served.world.bank.prompts
        if member.phone is not None:
            own = prompts.newest_open(member.phone.msisdn)
            if own is not None and own.transaction_id not in self._state.ignored:
                return own
        if n > 1:
            return None
        known = {one.phone.msisdn for one in self._cast.values() if one.phone is not None}
        foreign = [
            prompt
            for prompt in prompts.open()
            if prompt.phone not in known and prompt.transaction_id not in self._state.ignored
        ]
        return foreign[-1] if foreign else None

    def _part(self, name: str, key: Hashable, template: str, **facts: Any) -> Part:
        return Part(name, key, lambda found: self._render(template, **facts))

    def _render(self, template: str, **facts: Any) -> str:
        return self._state.templates.get_template(f"parts/{template}").render(
            view=self._view, **facts
        )
