"""Renders the current position of a conversation as a screen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from flows.engine.event import Button, Rows, Screen
from flows.engine.frames import data_facts
from flows.engine.host import COUNTED_MAX, Host, View
from flows.engine.next_steps import NextSteps
from flows.engine.nodes import (
    Ask,
    Call,
    Choose,
    Code,
    Confirm,
    Contact,
    Do,
    End,
    Look,
    shown_options,
)
from flows.engine.session import RESUME_NODE, Ended, FlowRegistry, Frame, Session
from flows.engine.texts import Texts, format_value
from services.domain.partner import Right

Row = tuple[Button, ...]
ALWAYS = ("menu", "cancel")  # commands handled by the engine itself
HANDFUL = 6  # commands of flows that are listed without headings
CONTACT = "contact"  # on channels that can share the person's own contact


class ScreenRenderer:
    """Changes only the session's ``turn``, ``ended`` and ``waiting``, and its frame's
    ``offered``.
    """

    def __init__(self, flows: FlowRegistry, texts: Texts) -> None:
        self._flows = flows
        self._texts = texts
        self._next_steps = NextSteps(flows, texts)

    def say(self, host: Host, key: str, facts: Mapping[str, Any] | None = None) -> str:
        return self._texts.say(host.language, key, facts)

    def current_screen(
        self,
        session: Session,
        host: Host,
        *,
        above: str | None = None,
        facts: Mapping[str, Any] | None = None,
        replace: bool = False,
    ) -> Screen:
        """The screen for the session's position, with a sentence ``above`` it."""
        frame = session.active
        if frame is None:
            return self.menu(session, host, above)
        text, rows, slot = self._frame(session, frame, host, facts or {})
        if above is not None:
            text = f"{above}\n\n{text}"
        session.ended = None
        if isinstance(frame.current_node, End):
            ended = Ended(frame.flow.name, frame.node, frame.operation)
            if steps := self.next_steps(ended, host):
                session.ended = ended
                return Screen(text, steps, unbound=True)
        if rows:
            session.turn += 1
        looks = isinstance(frame.current_node, Look)
        return Screen(text, rows, slot, replace and slot is not None, protect=looks)

    def redrawn(self, session: Session, host: Host) -> Screen:
        """The current screen again, for the same turn, without changing the session."""
        frame = session.active
        if frame is None and session.ended is not None:
            return Screen("", self.next_steps(session.ended, host), unbound=True)
        copy = dataclasses.replace(
            session, active=None if frame is None else dataclasses.replace(frame)
        )
        if frame is None:
            return Screen(self._greeting(host), self._menu_rows(host, session.waiting))
        return self.current_screen(copy, host)

    def next_steps(self, ended: Ended, host: Host) -> Rows:
        return self._next_steps.rows(ended, host)

    def menu(self, session: Session, host: Host, above: str | None = None) -> Screen:
        """The main menu; ``above`` replaces its greeting."""
        stranger = host.entry_refusal()
        if stranger is not None:  # nothing to choose from
            text = self.say(host, f"refusal.{stranger.code}", stranger.facts)
            return Screen(text if above is None else above)
        session.turn += 1
        session.ended = None
        text = above if above is not None else self._greeting(host)
        return Screen(text, self._counted_menu(session, host))

    def _greeting(self, host: Host) -> str:
        facts = host.facts()
        return self.say(host, "menu.ask" if facts else "menu.desk", facts)

    def yes_label(self, frame: Frame, node: Confirm, host: Host) -> str:
        return self.say(host, f"{frame.flow.name}.{frame.node}.yes", _viewed(frame, node, host))

    def _counted_menu(self, session: Session, host: Host) -> Rows:
        """The menu's rows as things are now."""
        counted = {flow.name: host.count(str(flow.waiting)) for flow in self._flows.counted(host)}
        session.waiting = {name: count for name, count in counted.items() if count}
        return self._menu_rows(host, session.waiting)

    def _menu_rows(self, host: Host, waiting: Mapping[str, int]) -> Rows:
        """Two flows per row: first those in which something waits; help last."""
        if host.entry_refusal() is not None:
            return ()
        names = [flow.name for flow in self._flows.in_menu(host) if flow.name not in waiting]
        buttons = [Button(name, self.say(host, f"menu.{name}")) for name in (*names, "help")]
        return (*_by_two(self._waiting(host, waiting)), *_by_two(buttons))

    def _waiting(self, host: Host, waiting: Mapping[str, int]) -> list[Button]:
        buttons = []
        for flow in self._flows.counted(host):
            if count := waiting.get(flow.name, 0):
                facts = {
                    "flow": self.say(host, f"menu.{flow.name}"),
                    "count": count if count < COUNTED_MAX else f"{COUNTED_MAX - 1}+",
                }
                buttons.append(Button(flow.name, self.say(host, "button.waiting", facts)))
        return buttons

    def commands(self, host: Host) -> list[tuple[str, str]]:
        """The commands this person can use, each with its description."""
        known = {**self._opened_by(host), **{word: word for word in (*ALWAYS, "help")}}
        return [(word, self.say(host, f"command.{name}")) for word, name in known.items()]

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
                    parts.append("\n".join((self.say(host, f"help.groups.{group}"), *listed)))
            always = f"{self.say(host, 'help.groups.always')}\n{always}"
        if host.has_right(Right.ADMIN):
            always += f"\n\n{self.say(host, 'help.values')}"
        rest = "\n".join((*lines.values(), always))
        key = "help.ask" if host.facts() else "help.desk"
        return self.say(host, key, {**host.facts(), "commands": "\n\n".join((*parts, rest))})

    def _help_line(self, host: Host, word: str, name: str) -> str:
        return f"/{word} – {self.say(host, f'command.{name}')}"

    def _frame(
        self, session: Session, frame: Frame, host: Host, facts: Mapping[str, Any]
    ) -> tuple[str, Rows, str | None]:
        name = frame.flow.name
        key = f"{name}.{frame.node}"
        frame.offered = {}
        known = {**host.facts(), **data_facts(frame), **facts}
        if frame.node == RESUME_NODE:
            flow = self.say(host, f"menu.{name}")
            choice = (self._button(host, "continue"), self._button(host, "restart"))
            return self.say(host, "engine.resume", {"flow": flow}), (choice,), None
        slot: str | None = None
        below = ""
        rows: Rows
        node = frame.flow.node(frame.node)
        match node:
            case Ask():
                rows = self._suggested(frame, host, node.suggest, {}, in_one_row=True)
                rows += self._options(host, key, node, known)
                rows += (self._way_out(frame, host),)
            case Contact():
                shared = (Button(CONTACT, self.say(host, f"{key}.contact")),)
                rows = (shared,) if host.channel.contacts else (self._way_out(frame, host),)
            case Choose():
                args = _args(frame, node)
                if node.view is not None:
                    view = host.load_view(node.view, args, None)
                    known |= view.facts
                    below = self._place(host, view)
                rows = self._options(host, key, node, known)
                more = self._suggested(frame, host, node.suggest, args)
                rows = (*more, *rows) if node.suggested_first else (*rows, *more)
                rows += (self._way_out(frame, host),)
            case Confirm():
                edits = tuple(
                    Button(f"edit-{field}", self.say(host, f"{key}.edit-{field}"))
                    for field in node.edit
                )
                known |= _viewed(frame, node, host)
                rows = ((Button("yes", self.yes_label(frame, node, host)),),)
                rows += (edits,) if edits else ()
                rows += (self._way_out(frame, host),)
            case Do():
                assert frame.waiting is not None
                known |= host.progress(frame.waiting)
                acts = tuple(Button(act, self.say(host, f"{key}.{act}")) for act in node.acts)
                rows = ((*acts, self._button(host, "menu")),)
                slot = f"{name}:{frame.waiting}"
                if acts and not host.channel.waiting:
                    below = self.say(host, "engine.ask_later", {"option": acts[0].label})
            case Code():
                operation = frame.operation
                assert operation is not None
                known |= host.progress(operation)
                acts = tuple(Button(act, self.say(host, f"{key}.{act}")) for act in node.acts)
                rows = ((*acts, self._button(host, "cancel")),)
                slot = f"{name}:{operation}:code"
            case Look():
                view = host.load_view(node.view, _args(frame, node), frame.cursor)
                known |= view.facts
                rows = self._look_rows(frame, host, node, view)
                acts = tuple(
                    Button(act, self.say(host, f"{key}.{act}"))
                    for act in node.acts
                    if act in view.acts
                )
                rows = ((*acts, *rows[0]), *rows[1:]) if acts else rows
                rows = (*rows[:-1], *self._options(host, key, node, known), rows[-1])
                below = self._place(host, view)
                slot = name
            case End():
                rows = self._counted_menu(session, host)
            case Call():
                raise AssertionError("a Call is never stood at")
        text = self.say(host, f"{key}.ask", known)
        return f"{text}\n{below}" if below else text, rows, slot

    def _look_rows(
        self,
        frame: Frame,
        host: Host,
        node: Look,
        view: View,
    ) -> Rows:
        rows: list[Row] = []
        for reference, label in view.items:
            frame.offered[reference.lower()] = reference
            rows.append((Button(reference.lower(), label),))
        pages = []
        words = ("next", "previous") if view.timeless else ("more", "newer")
        # What leads on stands first, so that it has the same number on every full page.
        for option, word, cursor in zip(
            ("more", "newer"), words, (view.more, view.newer), strict=True
        ):
            if cursor is not None:
                frame.offered[option] = cursor
                pages.append(Button(option, self.say(host, f"button.{word}")))
        if pages:
            rows.append(tuple(pages))
        rows += self._item_acts(frame, host, node, view)
        last = [self._button(host, "refresh"), self._button(host, "menu")]
        if frame.history:
            last.insert(0, self._button(host, "back"))
        rows.append(tuple(last))
        return tuple(rows)

    def _place(self, host: Host, view: View) -> str:
        place = view.place
        if place is None or place.last - place.first + 1 >= place.total:
            return ""
        key = "page_of_one" if place.first == place.last else "page"
        return self.say(host, f"engine.{key}", place._asdict())

    def _options(
        self, host: Host, key: str, node: Ask | Choose | Look, known: Mapping[str, Any]
    ) -> tuple[Row, ...]:
        """One a row."""
        return tuple(
            (Button(option.id, self.say(host, f"{key}.{option.id}", known)),)
            for option in shown_options(node, host)
        )

    def _item_acts(self, frame: Frame, host: Host, node: Look, view: View) -> Iterator[Row]:
        """Two a row; each label names its item, since it stands apart from it."""
        place, buttons = f"{frame.flow.name}.{frame.node}", []
        for reference, label in view.items:
            for act in node.item_acts:
                if act in view.item_acts.get(reference, ()):
                    option = item_act_option(act, reference)
                    frame.offered[option] = reference
                    said = self.say(host, f"{place}.{act}", {"item": label})
                    buttons.append(Button(option, said))
        return _by_two(buttons)

    def _suggested(
        self,
        frame: Frame,
        host: Host,
        name: str | None,
        args: Mapping[str, Any],
        *,
        in_one_row: bool = False,
    ) -> tuple[Row, ...]:
        if name is None:
            return ()
        buttons = []
        for number, value in enumerate(host.suggest(name, args), start=1):
            option = f"{suggested_option(name)}-{number}"
            # In the form in which it is read back.
            frame.offered[option] = to_jsonable_python(value)
            buttons.append(Button(option, self._value_label(frame, host, option, value)))
        if not buttons:
            return ()
        return (tuple(buttons),) if in_one_row else tuple((button,) for button in buttons)

    def _value_label(self, frame: Frame, host: Host, option: str, value: Any) -> str:
        """A name of its own where the texts have one, such as "This month", or the value."""
        key = f"{frame.flow.name}.{frame.node}.{option}"
        if self._texts.has(host.language, key):
            return self.say(host, key)
        return format_value(value, host.language).removeprefix("KES ")

    def _way_out(self, frame: Frame, host: Host) -> Row:
        node = frame.current_node
        way = "done" if isinstance(node, Choose) and node.is_menu else "cancel"
        leave = self._button(host, way)
        return (self._button(host, "back"), leave) if frame.history else (leave,)

    def _button(self, host: Host, option: str) -> Button:
        return Button(option, self.say(host, f"button.{option}"))


def _args(frame: Frame, node: Choose | Confirm | Look) -> Mapping[str, Any]:
    return {field: getattr(frame.data, field) for field in node.args}


def _viewed(frame: Frame, node: Confirm, host: Host) -> Mapping[str, Any]:
    """The facts of the node's view, if it has one."""
    return {} if node.view is None else host.load_view(node.view, _args(frame, node), None).facts


def _by_two(buttons: Sequence[Button]) -> Iterator[Row]:
    return (tuple(buttons[i : i + 2]) for i in range(0, len(buttons), 2))


def item_act_option(act: str, reference: str) -> str:
    """The id of the button that acts on an item of a list."""
    return f"{act}-{reference.lower()}"


def suggested_option(name: str) -> str:
    """The id of a suggestion's buttons, without their number: both ``amounts`` and
    ``float_amounts`` give ``amount-1``, ``amount-2``."""
    return name.rpartition("_")[2].rstrip("s")
