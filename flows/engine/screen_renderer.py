"""Renders the current position of a conversation as a screen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from flows.engine.event import Button, Row, Rows, Screen, in_pairs
from flows.engine.frames import data_facts
from flows.engine.host import Host, Labelled, View
from flows.engine.main_menu import NUMBERS, MainMenu
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

CONTACT = "contact"  # on channels that can share the person's own contact
SHORT_LABEL = 14  # characters; suggestions with longer labels stand in rows of their own


class ScreenRenderer:
    """Changes only the session's ``turn``, ``ended`` and ``menu_counts``, and its
    frame's ``offered``.
    """

    def __init__(self, flows: FlowRegistry, texts: Texts) -> None:
        self._flows = flows
        self._texts = texts
        self._next_steps = NextSteps(flows, texts)
        self.main_menu = MainMenu(flows, texts)

    def say(self, host: Host, key: str, facts: Mapping[str, Any] | None = None) -> str:
        return self._texts.say(host.language, key, facts, short=host.channel.phone_menu)

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
            text = f"{above}\n{text}" if host.channel.phone_menu else f"{above}\n\n{text}"
        session.ended = None
        node = frame.current_node
        if isinstance(node, End):
            ended = Ended(frame.flow.name, frame.node, frame.operation)
            if steps := self.next_steps(ended, host):
                session.ended = ended
                return Screen(text, steps, unbound=True, last=True)
        if rows:
            session.turn += 1
        replaces = replace and slot is not None
        is_last = isinstance(node, End | Do)  # of a Do that does not wait nothing is shown
        return Screen(text, rows, slot, replaces, protect=isinstance(node, Look), last=is_last)

    def redrawn(self, session: Session, host: Host) -> Screen:
        """The current screen again, for the same turn, without changing the session."""
        frame = session.active
        if frame is None and session.ended is not None:
            return Screen("", self.next_steps(session.ended, host), unbound=True)
        if frame is None:
            rows = self.main_menu.rows(host, session.menu_counts)
            return Screen(self.main_menu.greeting(host), rows)
        copy = dataclasses.replace(session, active=dataclasses.replace(frame))
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
        text = above if above is not None else self.main_menu.greeting(host)
        numbered = NUMBERS if host.channel.phone_menu else {}
        return Screen(text, self._menu_rows(session, host), numbered=numbered)

    def way_home(self, session: Session, host: Host, text: str) -> Screen:
        """A text with nothing below it but the way to the menu."""
        session.turn += 1
        session.ended = None
        return Screen(text, ((self._button(host, "menu"),),))

    def _menu_rows(self, session: Session, host: Host) -> Rows:
        session.menu_counts = self.main_menu.counts(host)
        return self.main_menu.rows(host, session.menu_counts)

    def yes_label(self, frame: Frame, node: Confirm, host: Host) -> str:
        return self.say(host, f"{frame.flow.name}.{frame.node}.yes", _viewed(frame, node, host))

    def _frame(
        self, session: Session, frame: Frame, host: Host, facts: Mapping[str, Any]
    ) -> tuple[str, Rows, str | None]:
        name = frame.flow.name
        key = f"{name}.{frame.node}"
        frame.offered = {}
        known = {**host.facts(), **data_facts(frame), **facts}
        if frame.node == RESUME_NODE:
            flow = self.say(host, f"menu.{name}")
            rows: Rows = ((self._button(host, "continue"), self._button(host, "restart")),)
            if host.channel.phone_menu:
                rows += ((self._button(host, "menu"),),)
            parked = session.parked.get(name)
            is_under_way = parked is not None and parked.waiting is not None
            on_phone = host.channel.phone_menu  # where what was begun is said to have moved nothing
            why = "ussd.under_way" if on_phone and is_under_way else "engine.resume"
            return self.say(host, why, {"flow": flow}), rows, None
        slot: str | None = None
        below = ""
        node = frame.flow.node(frame.node)
        match node:
            case Ask() if host.channel.phone_menu:  # what is typed is the answer
                rows = (self._way_out(frame, host),)
            case Ask():
                args = _args(frame, node)
                rows = self._suggested(frame, host, node.suggest, args, in_one_row=True)
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
                if acts and not (host.channel.waiting or host.channel.phone_menu):
                    below = self.say(host, "engine.ask_later", {"option": acts[0].label})
            case Code():
                operation = frame.operation
                assert operation is not None
                known |= host.progress(operation)
                acts = tuple(Button(act, self.say(host, f"{key}.{act}")) for act in node.acts)
                rows = ((*acts, *self._way_out(frame, host)),)
                slot = f"{name}:{operation}:{node.reads}"
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
                rows = self._menu_rows(session, host)
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
        if host.channel.phone_menu:  # whoever looks at one does so for seconds
            del last[0]
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
        return in_pairs(buttons)

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
            plain, label = value if isinstance(value, Labelled) else (value, None)
            frame.offered[option] = to_jsonable_python(plain)
            label = label or self._value_label(frame, host, option, plain)
            buttons.append(Button(option, label))
        if not buttons:
            return ()
        if in_one_row and max(len(button.label) for button in buttons) <= SHORT_LABEL:
            return (tuple(buttons),)
        return tuple((button,) for button in buttons)

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
        if host.channel.phone_menu:
            home = self._button(host, "menu")
            ways = (leave, home) if isinstance(node, Confirm) else (home,)
            return (self._button(host, "back"), *ways) if frame.history else ways
        return (self._button(host, "back"), leave) if frame.history else (leave,)

    def _button(self, host: Host, option: str) -> Button:
        return Button(option, self.say(host, f"button.{option}"))


def _args(frame: Frame, node: Ask | Choose | Confirm | Look) -> Mapping[str, Any]:
    return {field: getattr(frame.data, field) for field in node.args}


def _viewed(frame: Frame, node: Confirm, host: Host) -> Mapping[str, Any]:
    """The facts of the node's view, if it has one."""
    return {} if node.view is None else host.load_view(node.view, _args(frame, node), None).facts


def item_act_option(act: str, reference: str) -> str:
    """The id of the button that acts on an item of a list."""
    return f"{act}-{reference.lower()}"


def suggested_option(name: str) -> str:
    """The id of a suggestion's buttons, without their number: both ``amounts`` and
    ``float_amounts`` give ``amount-1``, ``amount-2``."""
    return name.rpartition("_")[2].rstrip("s")
