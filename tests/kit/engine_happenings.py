"""Random events of a conversation: messages and taps, operations that end, and time that passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from bot.turns.registry import HANDLERS
from flows.engine.declarations import waits
from flows.engine.event import Event, EventKind
from flows.engine.host import Exit, OperationStarted
from flows.engine.next_steps import option_about
from flows.engine.nodes import Code, Do, End
from flows.engine.session import RESUME_NODE, Frame, Session
from flows.engine.taps import UNBOUND
from services.domain.money import Money
from services.domain.refusal import Refusal
from tests.kit.channels import CHAT, NUMBERED
from tests.kit.engine_host import (
    AMOUNTS,
    ENGINE,
    FEES,
    PHONES,
    PURCHASE,
    REFERENCES,
    RIGHT,
    FakeHost,
    UseCaseOutcomes,
)
from tests.kit.engine_talk import CODE, NAVIGATION, Talk, frames_of

Happening = Callable[[Talk], None]
TYPED = ["1500", "1,500", "0", "-5", "1.5k", "300000", "0712345678", "254733123456", "hello", ""]
TYPED += [CODE, "482 913", "48291", "2580", "my pin is 2580", "March 2026", "Mama Njeri"]
NAMES = ["topup", "float", "pay", "balance", "history", "settings", "statement"]
NAMES += ["menu", "start", "cancel", "help", "nosuch"]
FORGED = [
    "yes",
    "mine",
    "other",
    "check",
    "amount-1",
    "phone-1",
    "edit-amount",
    "continue",
    "resend",
    "nosuch",
]
numbers = st.integers(min_value=0, max_value=40)


def _event(kind: EventKind, **rest: Any) -> Event:
    return Event("terminal", "77", "1", kind, **rest)


def says(text: str, picks: bool) -> Happening:
    """``picks``: on a channel that shows numbers instead of buttons."""

    def do(talk: Talk) -> None:
        talk.host.channel = NUMBERED if picks else CHAT
        talk.step(_event(EventKind.TEXT, text=text))

    return do


def commands(word: str) -> Happening:
    return lambda talk: talk.step(_event(EventKind.COMMAND, text=word)) and None


def sends(kind: EventKind) -> Happening:
    return lambda talk: talk.step(_event(kind)) and None


def taps(number: int) -> Happening:
    """Tap one of the current buttons."""

    def do(talk: Talk) -> None:
        options = talk.options() or ["menu"]
        option = options[number % len(options)]
        forward = option not in {*NAVIGATION, "restart", "continue"}
        was = talk.restore()
        unbound = talk.up is not None and talk.up.unbound
        turn = UNBOUND if unbound else talk.session.turn
        talk.step(_event(EventKind.TAP, turn=turn, option=option))
        if forward:
            _back_restores(was, talk)

    return do


def repeats(option: str, about: str) -> Happening:
    """Tap an option of an End, however long ago that was: it opens a question and does nothing."""

    def do(talk: Talk) -> None:
        runs = list(talk.host.runs)
        taken = talk.step(_event(EventKind.TAP, turn=UNBOUND, option=option_about(option, about)))
        assert talk.host.runs == runs
        assert talk.host.may_move or taken.transition in {"role", "details"}

    return do


def forges(option: str, off: int) -> Happening:
    def do(talk: Talk) -> None:
        talk.step(_event(EventKind.TAP, turn=talk.session.turn + off, option=option))

    return do


def opens(flow: str) -> Happening:
    """Tap a button that belongs to no turn."""

    def do(talk: Talk) -> None:
        talk.step(_event(EventKind.TAP, turn=UNBOUND, option=flow))
        assert talk.session.at in {f"{flow}.{ENGINE.flows.newest[flow].start}", f"{flow}.resume"}

    return do


def replays(off: int, number: int) -> Happening:
    """Tap a button of an older screen. Its option may still be offered, but its turn is over."""

    def do(talk: Talk) -> None:
        options = talk.options() or ["menu"]
        option = options[number % len(options)]
        talk.step(_event(EventKind.TAP, turn=talk.session.turn - off, option=option))

    return do


def settles(number: int) -> Happening:
    """End an operation of an active or parked frame that waits for the operation or its code."""

    def do(talk: Talk) -> None:
        begun = [frame for frame in frames_of(talk.session) if frame.operation is not None]
        frame = begun[number % len(begun)] if begun else Frame.start(ENGINE.flows.newest["topup"])
        operation = frame.operation or "TU-999999"
        exits = sorted(
            exit_name
            for node in frame.flow.nodes
            if isinstance(node, Code) or (isinstance(node, Do) and waits(HANDLERS, node.use_case))
            for exit_name, to in node.on.items()
            if isinstance(frame.flow.node(to), End)
        )
        turn = talk.session.turn
        exit_name = exits[number % len(exits)]
        key = ENGINE.finish_operation(talk.session, frame.flow.name, operation, exit_name)
        assert ENGINE.texts.has("en", key)
        assert talk.restore() == talk.session
        assert talk.session.turn == turn
        assert all(frame.operation != operation for frame in frames_of(talk.session))

    return do


def progresses(talk: Talk) -> None:
    """A job redraws the live message between two turns."""
    frame = talk.session.active
    if frame is not None and frame.waiting is not None:
        before = talk.session.dump(), talk.session.turn
        assert ENGINE.live_screen(talk.session, frame.waiting, talk.host) is not None
        assert (talk.session.dump(), talk.session.turn) == before


def expires(talk: Talk) -> None:
    frames = [talk.session.active, *talk.session.parked.values()]
    waiting = [frame.waiting for frame in frames if frame is not None and frame.waiting]
    turn = talk.session.turn
    talk.session.expire()
    left = [talk.session.active, *talk.session.parked.values()]
    assert [frame.waiting for frame in left if frame is not None] == waiting
    assert not talk.session.may_expire
    assert talk.restore() == talk.session
    assert talk.session.turn == turn


def answers(answer: str) -> Happening:
    """Set what the use case answers next."""

    def do(talk: Talk) -> None:
        talk.operations += 1
        talk.host.answer = {
            "waiting": OperationStarted(f"TU-{talk.operations:06d}"),
            "duplicate": Exit("duplicate"),
            "refused": Refusal.of("above_maximum", maximum=Money(100)),
        }[answer]

    return do


def turns_out(world: UseCaseOutcomes) -> Happening:
    def do(talk: Talk) -> None:
        talk.host.world = world

    return do


def changes(may_move: bool, known: int) -> Happening:
    """Change the person's role and the values the person has used before."""

    def do(talk: Talk) -> None:
        talk.host.may_move = may_move
        talk.host.amounts = AMOUNTS[known:]
        talk.host.phones = PHONES[1 + known :]

    return do


def _back_restores(was: Session, talk: Talk) -> None:
    """A step forward and a step back, tried on a copy, restore the starting point."""
    now = talk.restore()
    if was.active is None or now.active is None or was.active.flow is not now.active.flow:
        return
    if was.active.node == RESUME_NODE or len(now.active.history) <= len(was.active.history):
        return
    ENGINE.step(now, _event(EventKind.TAP, turn=now.turn, option="back"), FakeHost())
    assert now.active is not None
    for name in ("node", "data", "editing", "returns", "waiting", "history"):
        assert getattr(now.active, name) == getattr(was.active, name), name


worlds = st.builds(
    UseCaseOutcomes,
    coded=st.booleans(),
    by_pin=st.booleans(),
    short=st.sampled_from([False, False, True]),
    requoted=st.sampled_from([False, False, True]),
    code=st.sampled_from(
        [RIGHT, Exit("otp_locked"), Exit("cancelled"), Refusal.of("wrong_code", left=1)]
    ),
    fees=st.sampled_from([Money(0), FEES]),
)
happenings = st.one_of(
    st.builds(taps, numbers),
    st.builds(taps, numbers),
    st.builds(taps, numbers),
    st.builds(says, st.sampled_from(TYPED) | st.text(max_size=20), st.booleans()),
    st.builds(says, st.sampled_from(["1", "2", "3", "9"]), st.just(True)),
    st.builds(commands, st.sampled_from(NAMES) | st.text(max_size=8)),
    st.builds(sends, st.sampled_from([EventKind.CONTACT, EventKind.EDIT, EventKind.OTHER])),
    st.builds(
        forges, st.sampled_from(FORGED) | st.text(max_size=8), st.sampled_from([0, 0, -1, 1])
    ),
    st.builds(replays, st.integers(min_value=1, max_value=5), numbers),
    st.builds(opens, st.sampled_from(["balance", "history", "settings", "statement"])),
    st.builds(
        repeats, st.sampled_from(["again", "details"]), st.sampled_from([REFERENCES[0], PURCHASE])
    ),
    st.builds(repeats, st.just("other"), st.just(REFERENCES[0])),
    st.builds(settles, numbers),
    st.builds(says, st.sampled_from([CODE, "482 913"]), st.booleans()),
    st.builds(turns_out, worlds),
    st.builds(answers, st.sampled_from(["waiting", "duplicate", "refused"])),
    st.builds(changes, st.sampled_from([True, True, False]), st.integers(min_value=0, max_value=2)),
    st.just(progresses),
    st.just(expires),
)
# Starting points close to a money movement, which random steps would rarely reach.
BEGINNINGS: dict[str, list[Happening]] = {
    "nowhere": [],
    "confirm": [commands("topup"), says("1500", False), says("0712345678", False)],
    "push": [
        answers("waiting"),
        commands("topup"),
        says("1500", False),
        says("0733123456", False),
        taps(0),
    ],
    "duplicate": [commands("topup"), says("1500", False), taps(0), taps(0)],
    "code": [
        answers("waiting"),
        turns_out(UseCaseOutcomes(coded=True)),
        commands("topup"),
        says("1500", False),
        taps(0),
        taps(0),
    ],
    "topup pin": [
        answers("waiting"),
        turns_out(UseCaseOutcomes(coded=True, by_pin=True)),
        commands("topup"),
        says("1500", False),
        taps(0),
        taps(0),
    ],
    "float": [commands("float"), says("50000", False)],
    "float code": [commands("float"), says("50000", False), taps(0)],
    "float pin": [
        turns_out(UseCaseOutcomes(by_pin=True)),
        commands("float"),
        says("50000", False),
        taps(0),
    ],
    "pin": [opens("settings"), taps(7)],
    "pin again": [opens("settings"), taps(7), says(CODE, False), says("2580", False)],
    "float buy": [commands("float"), says("50000", False), taps(0), says(CODE, False)],
    "short": [turns_out(UseCaseOutcomes(short=True)), commands("float"), says("50000", False)],
}
