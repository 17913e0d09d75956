"""Whatever people send, in whatever order: what must hold of a conversation after every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.catalogue import all_flows
from flows.engine.engine import UNBOUND, Engine
from flows.engine.event import Event, EventKind, Screen, StepResult
from flows.engine.host import Exit, OperationStarted, View
from flows.engine.nodes import Call, Code, Confirm, Do
from flows.engine.session import RESUME_NODE, FlowRegistry, Frame, Session
from flows.engine.texts import Texts
from services.domain.document import Period
from services.domain.money import Money
from services.domain.otp import read_code
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal

ENGINE = Engine(all_flows(), Texts.load())
MONEY = frozenset(
    node.use_case
    for flow in ENGINE.flows
    for node in flow.nodes
    if isinstance(node, Do) and node.money
)
CALLS = {node.id for flow in ENGINE.flows for node in flow.nodes if isinstance(node, Call)}
CALLBACK_BYTES = 64  # facts: channels, Telegram
NAVIGATION = frozenset({"back", "cancel", "menu"})  # understood everywhere
ROLE = Refusal.of("role", partner="FINSAFE")
PHONES = [Phone("254712345678"), Phone("254733123456"), Phone("254110345678")]
AMOUNTS = [Money(500_00), Money(1_000_00), Money(5_000_00)]
REFERENCES = ["TU-AAAAAA", "TU-BBBBBB", "TU-CCCCCC"]
RIGHT = Exit("right")
FEES = Money(155_00)
CODE = "482913"  # typed as a code; it must be found nowhere afterwards

Answer = Exit | OperationStarted | Refusal


@dataclass(frozen=True)
class UseCaseOutcomes:
    """How use cases before the bank turn out."""

    coded: bool = False  # a top-up needs a code
    short: bool = False  # the wallet holds too little
    requoted: bool = False  # a quote has run out when it is confirmed
    code: Exit | Refusal = RIGHT
    fees: Money = FEES


class FakeHost:
    """The facts may change from step to step; what was run is kept."""

    language = "en"

    def __init__(self) -> None:
        self.may_move = True
        self.answer: Answer = Exit("duplicate")
        self.amounts = AMOUNTS
        self.phones = PHONES[1:]
        self.world = UseCaseOutcomes()
        self.drawn = 0  # references
        self.runs: list[tuple[str, dict[str, Any]]] = []  # what moves money
        self.checked: list[tuple[str, str]] = []  # operations whose codes were looked at, codes
        self.acts: list[tuple[str, str]] = []

    def facts(self) -> Mapping[str, Any]:
        return {"name": "Amina", "partner": "FINSAFE", "my_phone": PHONES[0], "bank": ""}

    def offers(self, what: str) -> bool:
        return True

    @property
    def shares_contacts(self) -> bool:
        return True

    def has_right(self, needs: Right | None) -> bool:
        return needs in (None, Right.VIEW, Right.MOVE_MONEY)  # what this host has answers for

    def has_partner(self, code: str) -> bool:
        return False

    def note_suspicious(self, event: str) -> None:
        pass

    def entry_refusal(self) -> Refusal | None:
        return None

    def open_refusal(self, flow: str, needs: Right | None) -> Refusal | None:
        if needs is Right.MOVE_MONEY:
            return None if self.may_move else ROLE
        return None if self.has_right(needs) else ROLE

    def today(self) -> date:
        return date(2026, 3, 2)

    def limits(self, name: str) -> tuple[Money, Money]:
        return Money(100), Money(250_000_00)

    def suggest(self, name: str, args: Mapping[str, Any]) -> Sequence[Any]:
        offered: dict[str, Sequence[Any]] = {
            "amounts": self.amounts,
            "float_amounts": self.amounts,
            "phones": self.phones,
            "periods": [Period(date(2026, 3, 1), date(2026, 3, 2))],
        }
        return offered[name]

    def run(self, use_case: str, args: Mapping[str, Any], operation: str | None) -> Answer:
        if use_case in MONEY:
            self.runs.append((use_case, dict(args)))
        if not self.may_move:
            return ROLE
        world = self.world
        match use_case:
            case "secure_topup":
                return self._coded("TU", {}) if world.coded else Exit("open")
            case "request_float":
                return self._short(args) or Exit("quoted", sets=self._quote("FL", args))
            case "confirm_float":
                assert operation is not None
                if world.requoted:
                    quote = self._quote("FL", args)
                    return Exit("requoted", sets=quote, above="It had run out.")
                return self._short(args) or Exit("sent", sets={"purchase": operation})
            case "buy_float":
                assert operation is not None
                return (
                    self.answer if isinstance(self.answer, Refusal) else OperationStarted(operation)
                )
            case "start_topup" | "start_another_topup":
                begun = operation is not None and isinstance(self.answer, OperationStarted)
                return OperationStarted(str(operation)) if begun else self.answer
            case "expect_topup":  # nobody is prompted, so nothing is known at once
                return (
                    self.answer
                    if isinstance(self.answer, OperationStarted | Refusal)
                    else Exit("lapsed")
                )
            case "request_document":
                return Exit("too_long")
        return Exit("saved")

    def _coded(self, kind: str, sets: Mapping[str, Any]) -> Exit:
        self.drawn += 1
        return Exit("sent", sets={**sets, "reference": f"{kind}-C{self.drawn:05d}"})

    def _quote(self, kind: str, args: Mapping[str, Any]) -> dict[str, Any]:
        self.drawn += 1
        fees = self.world.fees
        total = args["amount"] + fees
        return {"purchase": f"{kind}-Q{self.drawn:05d}", "fees": fees, "total": total}

    def _short(self, args: Mapping[str, Any]) -> Exit | None:
        if not self.world.short:
            return None
        missing = Money(100_00)
        facts = {"total": args["amount"], "available": Money(0), "missing": missing}
        return Exit("short", facts, sets=facts)

    def check_code(
        self, use_case: str, args: Mapping[str, Any], operation: str, code: str
    ) -> Exit | Refusal:
        self.checked.append((operation, code))
        return self.world.code

    def act(self, use_case: str, operation: str) -> None:
        self.acts.append((use_case, operation))

    def progress(self, operation: str) -> Mapping[str, Any]:
        until = datetime(2026, 3, 2, 6, 10, tzinfo=UTC)
        facts = {"reference": operation, "status": "Waiting."}
        facts |= {"paybill": "880100", "account": "774451#TU7K3QF9"}
        return facts | {"sent_to": "0712 345 678", "until": until}

    def load_view(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        if view == "history":
            facts: dict[str, Any] = {"lines": "-"}
            items = [(reference, reference) for reference in REFERENCES]
            return View(facts, items, more="<TU-CCCCCC", newer=cursor and ">TU-AAAAAA")
        if view == "balance":
            return View(dict.fromkeys(("at", "wallet", "available", "float", "low"), "-"))
        if view == "settings":
            facts = dict.fromkeys(("wallet_mark", "float_mark", "notices", "language"), "-")
            return View(facts | dict.fromkeys(("phones", "number", "email", "second"), "-"))
        if view in ("notices", "notice", "phones"):
            return View({view: "-"})
        assert args["reference"] in REFERENCES
        names = ("what", "state", "reason", "begun", "settled", "receipt")
        return View(dict.fromkeys(names, "-"), acts=frozenset({"check"}))


@dataclass
class Talk:
    """One conversation. The session lives in its stored form between steps, as it does for real."""

    host: FakeHost = field(default_factory=FakeHost)
    session: Session = field(default_factory=Session)
    up: Screen | None = None  # the screen that the present turn was drawn with
    operations: int = 0
    # By operation: what was said yes to before its code was sent.
    approved: dict[str, dict[str, Any]] = field(default_factory=dict)

    def options(self) -> list[str]:
        return [] if self.up is None else _ids(self.up)

    def restore(self) -> Session:
        return Session.load(ENGINE.flows, self.session.turn, self.session.dump())

    def step(self, event: Event) -> StepResult:
        before, before_turn = self.session.dump(), self.session.turn
        closed = self.session.closed is not None and self.session.active is None
        stood = _stood(self.session)
        waited = {frame.waiting for frame in _frames(self.session)}
        awaited = any(_stands_at_code(frame) for frame in _frames(self.session))
        host = self.host
        runs, acts, checked = len(host.runs), len(host.acts), len(host.checked)

        taken = ENGINE.step(self.session, event, self.host)

        assert self.restore() == self.session
        asked_for_code = stood is not None and isinstance(stood.flow.node(stood.node), Code)
        like_code = awaited and read_code(event.text) is not None
        assert taken.wipe == (event.kind is EventKind.TEXT and (asked_for_code or like_code))
        assert CODE not in self.session.dump()
        assert CODE not in repr(taken)
        self._lets_go(event, taken, waited, host.acts[acts:])
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
        drawn = taken.screen is not None and bool(taken.screen.rows)
        assert self.session.turn == before + (1 if drawn else 0)

    def _lets_go(
        self, event: Event, taken: StepResult, waited: set[str | None], acts: list[tuple[str, str]]
    ) -> None:
        """Only what its person leaves for good, and never what is with the bank."""
        for use_case, operation in acts:
            if use_case.startswith("cancel_"):
                assert taken.transition in {"cancel", "restart", *CALLS}
                assert operation not in waited
                assert operation not in {frame.operation for frame in _frames(self.session)}

    def _approves(self, event: Event, stood: Frame | None) -> None:
        """Keep what the screen said that was just said yes to, if a code was sent for it."""
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
        """Only with a code that passed, and only for what was said yes to before it was sent."""
        assert self.host.world.code == RIGHT
        assert stood is not None
        assert stood.operation is not None
        assert checked == [(stood.operation, read_code(event.text))]
        approved = self.approved[stood.operation]
        assert args == {name: approved[name] for name in args}

    def _was_confirmed(
        self, event: Event, stood: Frame | None, turn: int, args: dict[str, Any]
    ) -> None:
        """Only "yes", on this very screen, and only for what this very screen said."""
        picked = event.picks and event.text.strip() == "1"
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
    return frame.node != RESUME_NODE and isinstance(frame.flow.node(frame.node), Code)


def _frames(session: Session) -> list[Frame]:
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
    if event.turn == UNBOUND and event.option in ENGINE.flows.newest:
        return False
    return event.turn != turn or event.option not in {*options, *NAVIGATION}


def _fits(screen: Screen, turn: int) -> None:
    ids = _ids(screen)
    assert len(ids) == len(set(ids))
    assert all(len(f"{turn}:{option}".encode()) <= CALLBACK_BYTES for option in ids)
    assert screen.text.strip()


# What can happen ------------------------------------------------------------------------------

Happening = Callable[[Talk], None]
TYPED = ["1500", "1,500", "0", "-5", "1.5k", "300000", "0712345678", "254733123456", "hello", ""]
TYPED += [CODE, "482 913", "48291", "March 2026"]
NAMES = ["topup", "float", "balance", "history", "settings", "statement"]
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
    return lambda talk: talk.step(_event(EventKind.TEXT, text=text, picks=picks)) and None


def commands(word: str) -> Happening:
    return lambda talk: talk.step(_event(EventKind.COMMAND, text=word)) and None


def sends(kind: EventKind) -> Happening:
    return lambda talk: talk.step(_event(kind)) and None


def taps(number: int) -> Happening:
    """One of the buttons that are up."""

    def do(talk: Talk) -> None:
        options = talk.options() or ["menu"]
        option = options[number % len(options)]
        forward = option not in {*NAVIGATION, "restart", "continue"}
        was = talk.restore()
        talk.step(_event(EventKind.TAP, turn=talk.session.turn, option=option))
        if forward:
            _back_restores(was, talk)

    return do


def forges(option: str, off: int) -> Happening:
    def do(talk: Talk) -> None:
        talk.step(_event(EventKind.TAP, turn=talk.session.turn + off, option=option))

    return do


def opens(flow: str) -> Happening:
    """A button that belongs to no turn."""

    def do(talk: Talk) -> None:
        talk.step(_event(EventKind.TAP, turn=UNBOUND, option=flow))
        assert talk.session.at in {f"{flow}.{ENGINE.flows.newest[flow].start}", f"{flow}.resume"}

    return do


def replays(off: int, number: int) -> Happening:
    """A button of an older screen: its id may be up now, its turn is not."""

    def do(talk: Talk) -> None:
        options = talk.options() or ["menu"]
        option = options[number % len(options)]
        talk.step(_event(EventKind.TAP, turn=talk.session.turn - off, option=option))

    return do


def settles(number: int) -> Happening:
    """An operation that is waited for, or whose code is, here or parked, ends."""

    def do(talk: Talk) -> None:
        begun = [frame for frame in _frames(talk.session) if frame.operation is not None]
        frame = begun[number % len(begun)] if begun else Frame.start(ENGINE.flows.newest["topup"])
        operation = frame.operation or "TU-999999"
        exits = sorted(
            exit_name
            for node in frame.flow.nodes
            if isinstance(node, Do) and node.waits
            for exit_name in node.on
        )
        turn = talk.session.turn
        exit_name = exits[number % len(exits)]
        key = ENGINE.finish_operation(talk.session, frame.flow.name, operation, exit_name)
        assert ENGINE.texts.has("en", key)
        assert talk.restore() == talk.session
        assert talk.session.turn == turn
        assert all(frame.operation != operation for frame in _frames(talk.session))

    return do


def progresses(talk: Talk) -> None:
    """The live message is redrawn by a job, between two turns."""
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
    """What the use case will say next time."""

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
    """The person's role, and what the person has used before."""

    def do(talk: Talk) -> None:
        talk.host.may_move = may_move
        talk.host.amounts = AMOUNTS[known:]
        talk.host.phones = PHONES[1 + known :]

    return do


def _back_restores(was: Session, talk: Talk) -> None:
    """A step forward and a step back, tried on a copy, end where they began."""
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
    st.builds(settles, numbers),
    st.builds(says, st.sampled_from([CODE, "482 913"]), st.booleans()),
    st.builds(turns_out, worlds),
    st.builds(answers, st.sampled_from(["waiting", "duplicate", "refused"])),
    st.builds(changes, st.sampled_from([True, True, False]), st.integers(min_value=0, max_value=2)),
    st.just(progresses),
    st.just(expires),
)
# Short cuts into the places where money is near, so that chance need not find them each time.
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
    "float": [commands("float"), says("50000", False)],
    "float code": [commands("float"), says("50000", False), taps(0)],
    "float buy": [commands("float"), says("50000", False), taps(0), says(CODE, False)],
    "short": [turns_out(UseCaseOutcomes(short=True)), commands("float"), says("50000", False)],
}


def test_the_short_cuts_lead_where_they_say() -> None:
    places = {}
    for name, beginning in BEGINNINGS.items():
        talk = Talk()
        for happening in beginning:
            happening(talk)
        places[name] = talk.session.at
    assert places == {
        "nowhere": None,
        "confirm": "topup.confirm",
        "push": "topup.push",
        "duplicate": "topup.duplicate",
        "code": "topup.code",
        "float": "float.confirm",
        "float code": "float.code",
        "float buy": "float.buy",
        "short": "float.short",
    }


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(BEGINNINGS)), st.lists(happenings, max_size=30))
# Seldom drawn: from float to a top-up by hand.
@example("short", [taps(0), taps(32), taps(0)])
@example("short", [taps(0), taps(32), answers("waiting"), taps(0)])
def test_whatever_happens_the_conversation_holds(beginning: str, happened: list[Happening]) -> None:
    talk = Talk()
    for happening in (*BEGINNINGS[beginning], *happened):
        happening(talk)


@settings(max_examples=100, deadline=None)
@given(st.lists(happenings, max_size=30))
def test_the_same_happenings_lead_to_the_same_place(happened: list[Happening]) -> None:
    ends = []
    for _ in range(2):
        talk = Talk()
        for happening in happened:
            happening(talk)
        ends.append((talk.session.dump(), talk.session.turn, talk.host.runs, talk.up))
    assert ends[0] == ends[1]


def test_the_frames_of_another_program_are_never_met() -> None:
    """A stored conversation of a flow that is gone is closed, whatever stood in it."""
    talk = Talk()
    for happening in BEGINNINGS["push"]:
        happening(talk)
    loaded = Session.load(FlowRegistry(), talk.session.turn, talk.session.dump())
    assert (loaded.active, loaded.parked, loaded.turn) == (None, {}, talk.session.turn)
