"""The page's parts. Each is drawn when its key has changed, and sent when its text has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.simulation.page.cast import Member, cast
from bot.simulation.page.panels.due import due_panel
from bot.simulation.page.panels.money import money_panel
from bot.simulation.page.panels.turn import turns
from bot.simulation.page.panels.wire import wire_panel
from bot.simulation.page.state import PageState
from bot.simulation.page.view import Drawer, View
from bot.simulation.served.controls import CALLS
from bot.simulation.served.opening import PARTNERS

Draw = Callable[[], Awaitable[str]]
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
    """``name`` is the id of the element whose content it is."""

    name: str
    key: Hashable
    draw: Draw


class Parts:
    """All parts of a view but its chats, as they are now."""

    def __init__(self, state: PageState, view: View) -> None:
        self._state = state
        self._served = state.served
        self._view = view
        self._cast = cast(self._served.scene.givens)

    async def every(self) -> Sequence[Part]:
        served = self._served
        now = served.world.clock.now()
        faults = served.world.bank.faults_left()
        parts = [
            self._part("clock", now, "clock.html", now=now),
            self._part("phones-state", len(self._view.people), "phones_state.html"),
            self._part("faults", tuple(faults.items()), "faults.html", left=faults),
            self._part("story-bar", self._state.story.key, "story.html", story=self._state.story),
            self._part("world", served.number, "world.html", story=self._state.story),
            self._part("drawer-tabs", self._view.drawer, "drawer_tabs.html", tabs=DRAWERS),
            self._drawer(now),
        ]
        for n, name in enumerate(self._view.people, 1):
            parts += await self._phone(n, name)
        return parts

    async def _phone(self, n: int, name: str) -> Sequence[Part]:
        member = self._cast[name]
        world = self._served.world
        texts = [] if member.phone is None else world.sms.texts.get(member.phone.msisdn, [])
        mails = [] if member.email is None else world.mail.mails.get(member.email, [])
        language = (await self._state.languages()).get(name)
        prompt = self._prompt(n, member)
        facts = {"n": n, "suffix": "" if n == 1 else f" {n}", "member": member}
        return [
            self._part(
                f"who-{n}",
                (self._served.number, name, language),
                "who.html",
                **facts,
                people=self._groups(),
                language=language,
                languages=LANGUAGES,
            ),
            self._part(f"sms-{n}", (name, len(texts)), "sms.html", **facts, texts=texts),
            self._part(f"mail-{n}", (name, len(mails)), "mail.html", **facts, mails=mails),
            self._part(
                f"prompt-{n}",
                prompt and prompt.transaction_id,
                "prompt.html",
                **facts,
                prompt=prompt,
            ),
        ]

    def _drawer(self, now: object) -> Part:
        view, served = self._view, self._served
        happened = (
            served.number,
            len(served.record.entries),
            sum(served.world.bank.calls(call) for call in CALLS),
            served.world.crash_count,
        )
        draws: Mapping[Drawer, tuple[Hashable, Draw]] = {
            Drawer.TURN: (happened, self._turns),
            Drawer.MONEY: (happened, self._money),
            Drawer.WIRE: ((happened, self._state.held, len(served.told)), self._wire),
            Drawer.DUE: ((happened, now), self._due),
            Drawer.LOG: (self._state.log_count, self._log),
        }
        key, draw = draws[view.drawer]
        return Part("drawer-panel", (view.drawer, key), draw)

    async def _turns(self) -> str:
        return self._render("turn.html", turns=await turns(self._served.scene))

    async def _money(self) -> str:
        return self._render("money.html", panel=await money_panel(self._served.world, PARTNERS))

    async def _wire(self) -> str:
        return self._render(
            "wire.html", panel=await wire_panel(self._served, CALLS, self._state.held)
        )

    async def _due(self) -> str:
        return self._render("due.html", panel=await due_panel(self._served.world))

    async def _log(self) -> str:
        return self._render("log.html", lines=list(self._state.log)[::-1])

    def _prompt(self, n: int, member: Member) -> Any:
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

    def _groups(self) -> Mapping[str, Sequence[Member]]:
        groups: dict[str, list[Member]] = {}
        for member in self._cast.values():
            groups.setdefault(member.group, []).append(member)
        return groups

    def _part(self, name: str, key: Hashable, template: str, **facts: Any) -> Part:
        async def draw() -> str:
            return self._render(template, **facts)

        return Part(name, key, draw)

    def _render(self, template: str, **facts: Any) -> str:
        return self._state.templates.get_template(f"parts/{template}").render(
            view=self._view, **facts
        )
