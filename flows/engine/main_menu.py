"""The main menu, the commands and the help: what a person can begin, from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flows.engine.event import Button, Rows, in_pairs
from flows.engine.host import COUNTED_MAX, Host
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts
from services.domain.partner import Right

# On the menu of a phone, where people learn the numbers and dial them: 1, 2, 3 and so on.
ON_PHONES = ("topup", "float", "balance", "history", "settings", "help", "approve")
NUMBERS = {name: number for number, name in enumerate(ON_PHONES, start=1)}
ALWAYS = ("menu", "cancel")  # commands handled by the engine itself
HANDFUL = 6  # commands of flows that are listed without headings


class MainMenu:
    def __init__(self, flows: FlowRegistry, texts: Texts) -> None:
        self._flows = flows
        self._texts = texts

    def greeting(self, host: Host) -> str:
        facts = host.facts()
        if host.channel.phone_menu and facts:
            facts = {**facts, **host.load_view("balance", {}, None).facts}
        return self._say(host, "menu.ask" if facts else "menu.desk", facts)

    def counts(self, host: Host) -> dict[str, int]:
        """The flows in which something waits, with the number, as things are now."""
        counted = {
            flow.name: host.count(str(flow.counted_by)) for flow in self._flows.counted(host)
        }
        return {name: count for name, count in counted.items() if count}

    def rows(self, host: Host, counts: Mapping[str, int]) -> Rows:
        """Two flows per row: first those in which something waits; then the others, help, and what
        stands after it."""
        if host.entry_refusal() is not None:
            return ()
        if host.channel.phone_menu:
            return tuple((button,) for button in self._on_phone(host))
        flows = [flow for flow in self._flows.in_menu(host) if flow.name not in counts]
        before = [flow.name for flow in flows if not flow.after_help]
        after = [flow.name for flow in flows if flow.after_help]
        names = (*before, "help", *after)
        buttons = [Button(name, self._say(host, f"menu.{name}")) for name in names]
        return (*in_pairs(self._counted(host, counts)), *in_pairs(buttons))

    def _on_phone(self, host: Host) -> Iterator[Button]:
        for name in ON_PHONES:
            flow = self._flows.newest.get(name)
            if flow is None:
                if name == "help":
                    yield Button(name, self._say(host, f"menu.{name}"))
            elif not host.has_right(flow.needs):
                continue
            elif flow.phone_count is None:
                yield Button(name, self._say(host, f"menu.{name}"))
            elif count := host.count(flow.phone_count):
                yield self._waiting(host, name, count)

    def _counted(self, host: Host, counts: Mapping[str, int]) -> list[Button]:
        buttons = []
        for flow in self._flows.counted(host):
            if count := counts.get(flow.name, 0):
                buttons.append(self._waiting(host, flow.name, count))
        return buttons

    def _waiting(self, host: Host, flow: str, count: int) -> Button:
        facts = {
            "flow": self._say(host, f"menu.{flow}"),
            "count": count if count < COUNTED_MAX else f"{COUNTED_MAX - 1}+",
        }
        return Button(flow, self._say(host, "button.waiting", facts))

    def commands(self, host: Host) -> list[tuple[str, str]]:
        """The commands this person can use, each with its description."""
        known = {**self._opened_by(host), **{word: word for word in (*ALWAYS, "help")}}
        return [(word, self._say(host, f"command.{name}")) for word, name in known.items()]

    def _opened_by(self, host: Host) -> dict[str, str]:
        """The flow that each command opens; the person's own comes first if two share one."""
        flows: dict[str, str] = {}
        for flow in self._flows.visible_to(host):
            if flow.needs is not None:
                flows.setdefault(flow.command_word, flow.name)
        return flows

    def help(self, host: Host) -> str:
        """Commands under headings, where there are more than a handful."""
        opened = self._opened_by(host)
        lines = {name: self._help_line(host, word, name) for word, name in opened.items()}
        always = "\n".join(self._help_line(host, word, word) for word in ALWAYS)
        parts = []
        if len(lines) > HANDFUL:
            for group, members in self._flows.groups.items():
                listed = [lines.pop(name) for name in members if name in lines]
                if listed:
                    parts.append("\n".join((self._say(host, f"help.groups.{group}"), *listed)))
            always = f"{self._say(host, 'help.groups.always')}\n{always}"
        if host.has_right(Right.ADMIN):
            always += f"\n\n{self._say(host, 'help.values')}"
        rest = "\n".join((*lines.values(), always))
        key = "help.ask" if host.facts() else "help.desk"
        return self._say(host, key, {**host.facts(), "commands": "\n\n".join((*parts, rest))})

    def _help_line(self, host: Host, word: str, name: str) -> str:
        return f"/{word} – {self._say(host, f'command.{name}')}"

    def _say(self, host: Host, key: str, facts: Mapping[str, Any] | None = None) -> str:
        return self._texts.say(host.language, key, facts, short=host.channel.phone_menu)
