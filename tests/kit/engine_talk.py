"""One conversation with the engine, and the invariants checked after every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.engine.event import Event, EventKind, Screen, StepResult
from flows.engine.next_steps import split_option
from flows.engine.nodes import Call, Code, Confirm, SecretKind
from flows.engine.session import RESUME_NODE, Frame, Session
from flows.engine.taps import UNBOUND
from flows.engine.typed_secrets import asks_for, is_pin, is_stray_code
from services.domain.desk_pin import read_pin
from services.domain.otp import read_code
from tests.kit.engine_host import ENGINE, RIGHT, FakeHost

CALLS = {node.id for flow in ENGINE.flows for node in flow.nodes if isinstance(node, Call)}
REPEATS = {option for flow in ENGINE.flows for option in flow.repeats}
CALLBACK_BYTES = 64  # facts: channels, Telegram
NAVIGATION = frozenset({"back", "cancel", "menu"})  # accepted on every screen

CODE = "482913"  # typed as a code; must not appear anywhere afterwards


@dataclass
class Talk:
    """One conversation. As in production, the session is in its stored form between steps."""

    host: FakeHost = field(default_factory=FakeHost)
    session: Session = field(default_factory=Session)
    up: Screen | None = None  # the screen drawn for the current turn
    operations: int = 0
    # By operation: what the person confirmed before its code was sent.
    approved: dict[str, dict[str, Any]] = field(default_factory=dict)

    def options(self) -> list[str]:
        return [] if self.up is None else _ids(self.up)

    def restore(self) -> Session:
        return Session.load(ENGINE.flows, self.session.turn, self.session.dump())

    def step(self, event: Event) -> StepResult:
        before, before_turn = self.session.dump(), self.session.turn
        closed = self.session.closed is not None and self.session.active is None
        stood = _stood(self.session)
        waited = {frame.waiting for frame in frames_of(self.session)}
        parked = {frame.operation: name for name, frame in self.session.parked.items()}
        awaited = any(_stands_at_code(frame) for frame in frames_of(self.session))
        pin = is_pin(self.session, event.text) or is_stray_code(self.session, event.text)
        host = self.host
        runs, acts, checked = len(host.runs), len(host.acts), len(host.checked)

        taken = ENGINE.step(self.session, event, self.host)

        assert self.restore() == self.session
        asked_for_code = stood is not None and isinstance(stood.flow.node(stood.node), Code)
        like_code = awaited and read_code(event.text) is not None
        secret = event.kind is EventKind.TEXT and (asked_for_code or like_code or pin)
        is_word = not any(map(str.isdigit, event.text))  # menu, cancel and the like may stay
        assert taken.wipe == secret or (secret and is_word)
        assert CODE not in self.session.dump()
        assert CODE not in repr(taken)
        self._lets_go(event, taken, waited, parked, host.acts[acts:])
        self._approves(event, stood)
        self._holds_turn(taken, before_turn)
        new_runs = self.host.runs[runs:]
        if _changes_nothing(event, before_turn, self.options()):
            told = "expired" if closed and event.turn == before_turn else "stale"
            assert (taken.screen, taken.transition) == (None, told)
            assert (self.session.dump(), new_runs, self.host.acts[acts:]) == (before, [], [])
        for _, args in new_runs:
            if asked_for_code:
                self._was_approved(event, stood, args, host.checked[checked:])
            else:
                self._was_confirmed(event, stood, before_turn, args)
        if taken.screen is not None:
            _fits(taken.screen, self.session.turn)
            if taken.screen.rows:
                self.up = taken.screen
        return taken

    def _holds_turn(self, taken: StepResult, before: int) -> None:
        screen = taken.screen
        drawn = screen is not None and bool(screen.rows) and not screen.unbound
        assert self.session.turn == before + (1 if drawn else 0)

    def _lets_go(
        self,
        event: Event,
        taken: StepResult,
        waited: set[str | None],
        parked: dict[str | None, str],
        acts: list[tuple[str, str]],
    ) -> None:
        """Cancel only operations that the person leaves for good, never one with the bank."""
        begun = None if self.session.active is None else self.session.active.flow.name
        for use_case, operation in acts:
            if use_case.startswith("cancel_"):
                repeats = split_option(event.option)[0] in REPEATS
                # Another flow has begun it anew, for float with an amount that was typed.
                begins_anew = operation in parked and parked[operation] == begun
                ends = taken.transition in {"cancel", "restart", *CALLS}
                assert repeats or begins_anew or ends
                assert operation not in waited
                assert operation not in {frame.operation for frame in frames_of(self.session)}

    def _approves(self, event: Event, stood: Frame | None) -> None:
        """If a code was sent after a yes, keep what the confirmed screen showed."""
        now = self.session.active
        if stood is None or now is None or now.node == RESUME_NODE or stood.flow is not now.flow:
            return
        node = stood.flow.node(stood.node)
        if isinstance(node, Confirm) and isinstance(now.flow.node(now.node), Code):
            assert self.options()[0] == "yes"
            assert self.up is not None
            shown = {name: getattr(stood.data, name) for name in node.shows}
            assert all(str(value) in self.up.text for value in shown.values())
            assert now.operation is not None
            self.approved[now.operation] = shown

    def _was_approved(
        self,
        event: Event,
        stood: Frame | None,
        args: dict[str, Any],
        checked: list[tuple[str, str]],
    ) -> None:
        """Money moves only with a right code, and only as confirmed before the code was sent."""
        assert self.host.world.code == RIGHT
        assert stood is not None
        assert stood.operation is not None
        reads_pin = asks_for(stood.current_node, SecretKind.PIN)
        typed = read_pin(event.text) if reads_pin else read_code(event.text)
        assert checked == [(stood.operation, typed)]
        approved = self.approved[stood.operation]
        assert args == {name: approved[name] for name in args}

    def _was_confirmed(
        self, event: Event, stood: Frame | None, turn: int, args: dict[str, Any]
    ) -> None:
        """Money moves only on "yes" to this very screen, and only for what this screen showed."""
        picked = not self.host.channel.buttons and event.text.strip() == "1"
        tapped = event.kind is EventKind.TAP and (event.option, event.turn) == ("yes", turn)
        assert tapped or picked
        assert stood is not None
        node = stood.flow.node(stood.node)
        assert isinstance(node, Confirm)
        assert set(args) <= set(node.shows)
        assert self.up is not None
        assert self.options()[0] == "yes"
        for value in args.values():
            assert str(value) in self.up.text


def _stands_at_code(frame: Frame) -> bool:
    return asks_for(frame.current_node, SecretKind.CODE)


def frames_of(session: Session) -> list[Frame]:
    frames = (session.active, *session.parked.values())
    return [frame for frame in frames if frame is not None]


def _ids(screen: Screen) -> list[str]:
    return [button.id for row in screen.rows for button in row]


def _stood(session: Session) -> Frame | None:
    frame = session.active
    if frame is None or frame.node == RESUME_NODE:
        return None
    return Frame(frame.flow, frame.node, frame.data)


def _changes_nothing(event: Event, turn: int, options: Sequence[str]) -> bool:
    if event.kind is not EventKind.TAP:
        return False
    if event.turn == UNBOUND:
        option, about = split_option(event.option)
        opens = option in {"menu", *ENGINE.flows.newest}
        return not opens and not (about and option in REPEATS)
    return event.turn != turn or event.option not in {*options, *NAVIGATION}


def _fits(screen: Screen, turn: int) -> None:
    ids = _ids(screen)
    assert len(ids) == len(set(ids))
    assert all(len(f"{turn}:{option}".encode()) <= CALLBACK_BYTES for option in ids)
    assert screen.text.strip()
