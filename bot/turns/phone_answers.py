"""What is typed on a phone's menu, as steps of the conversation, and the page that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.context import AppContext, Wakeup
from bot.turns import flood
from bot.turns.flood import FloodState
from bot.turns.hop_outcome import HopDecided, HopKind
from bot.turns.sessions import SessionCache
from bot.turns.steps import Stepped, Steps
from flows.engine.event import Button, Event, EventKind, Screen, from_text
from flows.engine.main_menu import NUMBERS
from flows.engine.navigation import MISSES_END
from flows.engine.normalise import normalise_input
from flows.engine.phone_pages import BACK, HOME, MORE, PhoneScreen, Ways, ending, phone_screen
from flows.engine.session import RESUME_NODE, Session
from flows.engine.taps import UNBOUND
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.domain.ussd import CHANNEL, Hop, Page, UssdSession
from services.ports import Tx

SEPARATOR = "*"  # between what was typed; one that is typed itself is not marked (facts: USSD 1)
RESUMES_WITHIN = timedelta(minutes=10)  # since the newest hop, an unfinished flow is offered
UNSEEN_MAX = 1  # pages that a hop may answer unseen, because the hop before was lost
DIALLED_MAX = 12  # answers behind a code that are read
_STALE = -1  # no screen's turn


@dataclass(slots=True)
class _Reached:
    """Where the answers of one hop have led. ``resumes``: to whether something should go on;
    ``stays``: the newest of them led nowhere, so that those behind it were meant for another page.
    """

    screen: PhoneScreen
    person: Person
    budget: int
    steps: int = 0
    resumes: bool = False
    stays: bool = False
    rows: list[OutboxRow] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    wakes: list[Wakeup] = field(default_factory=list)
    at: str | None = None
    exit: str | None = None

    def decided(self, kind: HopKind) -> HopDecided:
        screen = self.screen
        return HopDecided(
            Page(screen.text, screen.goes_on),
            kind,
            screen.dump() if screen.goes_on else None,
            self.rows,
            self.operations,
            self.wakes,
            self.person.id,
            self.at,
            self.exit,
        )


class PhoneAnswers:
    def __init__(self, context: AppContext, steps: Steps, sessions: SessionCache) -> None:
        self._context = context
        self._steps = steps
        self._sessions = sessions

    def begin(self, tx: Tx, hop: Hop, person: Person) -> HopDecided:
        """A phone has dialled. What was dialled behind the code answers the menu and what follows,
        as far as to what decides something, which nobody answers unseen."""
        heard_at = tx.ussd_sessions.last_heard(hop.phone)
        if heard_at is None or tx.clock.elapses_at(heard_at, RESUMES_WITHIN) <= tx.now:
            self._forget(tx, hop.phone)
        dialled = hop.text.split(SEPARATOR)[:DIALLED_MAX] if hop.text else []
        fresh = "fresh" if dialled else ""
        reached = _Reached(PhoneScreen(("",), {}, UNBOUND), person, hop.budget)
        self._step(tx, hop, reached, 0, EventKind.DIAL, argument=fresh)
        for typed in dialled:
            if reached.screen.decides or not reached.screen.goes_on:
                break
            self._type(tx, hop, reached, 0, typed)
            self._start_again(tx, hop, reached)
            if reached.stays:
                break
        return reached.decided(HopKind.BEGUN)

    def answer(
        self, tx: Tx, hop: Hop, person: Person, known: UssdSession, typed: Sequence[str]
    ) -> HopDecided:
        """The first of what was typed answers the page that was shown; further ones were typed to
        pages that never came back, of which one may be answered unless it decides something."""
        assert known.screen is not None, "a session that is over is not answered"
        reached = _Reached(PhoneScreen.load(known.screen), person, hop.budget)
        self._type(tx, hop, reached, known.hops, typed[0])
        for unseen in typed[1 : 1 + UNSEEN_MAX]:
            if reached.screen.decides or reached.stays or not reached.screen.goes_on:
                break
            self._type(tx, hop, reached, known.hops, unseen)
        return reached.decided(HopKind.ANSWERED)

    def _forget(self, tx: Tx, phone: str) -> None:
        """Close what waits for its person, who has been away; an operation under way stays."""
        session = self._sessions.load(tx, CHANNEL, phone)
        session.expire()
        session.closed = None
        self._sessions.save(tx, CHANNEL, phone, session)

    def _start_again(self, tx: Tx, hop: Hop, reached: _Reached) -> None:
        """What is dialled behind a code begins anew, also where the flow was begun before."""
        if reached.resumes:
            turn = reached.screen.turn
            self._step(tx, hop, reached, 0, EventKind.TAP, option="restart", turn=turn)

    def _type(self, tx: Tx, hop: Hop, reached: _Reached, hops: int, typed: str) -> None:
        """Turn the page, pick an option, or pass on what was typed."""
        screen, key = reached.screen, typed.strip()
        last = len(screen.pages) - 1
        if key == MORE and screen.page < last:
            reached.screen = screen.turned(1)
        elif key == BACK and screen.page > 0:
            reached.screen = screen.turned(-1)
        elif key == HOME:
            self._step(tx, hop, reached, hops, EventKind.TAP, option="menu", turn=UNBOUND)
        elif key in screen.keys and (not screen.asks or key in (BACK, MORE)):
            option, turn = screen.keys[key], screen.turn
            self._step(tx, hop, reached, hops, EventKind.TAP, option=option, turn=turn)
        elif key == BACK:
            self._step(tx, hop, reached, hops, EventKind.TAP, option="menu", turn=UNBOUND)
        elif key != MORE:
            kind = EventKind.TEXT if screen.asks else None
            self._step(tx, hop, reached, hops, kind, text=typed)

    def _step(
        self,
        tx: Tx,
        hop: Hop,
        reached: _Reached,
        hops: int,
        kind: EventKind | None,
        *,
        text: str = "",
        option: str = "",
        argument: str = "",
        turn: int = UNBOUND,
    ) -> None:
        """``kind`` is ``None`` for what may be a command too."""
        if kind is None:
            read = from_text(CHANNEL, hop.phone, "", text, "")
            kind, text, argument = read.kind, read.text, read.argument
        event = self._event(hop, hops, reached.steps, kind)
        event = event._replace(
            text=normalise_input(text), option=option, argument=argument, turn=turn
        )
        reached.steps += 1
        session = self._sessions.load(tx, CHANNEL, hop.phone)
        if kind in (EventKind.TEXT, EventKind.COMMAND) and _moved_on(session, reached.screen):
            event = event._replace(kind=EventKind.TAP, text="", argument="", turn=_STALE)
        limit = flood.limit_for(self._context.policy)
        if flood.count_turn(tx, limit, session, event) is not FloodState.FINE:
            self._sessions.save(tx, CHANNEL, hop.phone, session, touched=False)
            reached.screen = self._ending(reached, "ussd.too_fast")
            return
        stepped = self._steps.take(tx, event, reached.person, session)
        reached.person = tx.people.at(CHANNEL, hop.phone) or reached.person  # language may change
        reached.rows += stepped.rows
        reached.wakes += stepped.wakes
        reached.at, reached.exit = stepped.at, stepped.result.transition
        if stepped.result.operation is not None:
            reached.operations.append(stepped.result.operation)
        active = session.active
        reached.stays = session.at == stepped.at and kind is not EventKind.DIAL
        reached.resumes = active is not None and active.node == RESUME_NODE
        is_dial = kind is EventKind.DIAL
        reached.screen = self._screen(reached, session, stepped, is_dial=is_dial)
        if session.misses >= MISSES_END:
            again = self._sessions.load(tx, CHANNEL, hop.phone)
            again.misses = 0
            self._sessions.save(tx, CHANNEL, hop.phone, again)
            reached.screen = self._ending(reached, "ussd.missed")

    def _screen(
        self, reached: _Reached, session: Session, stepped: Stepped, *, is_dial: bool
    ) -> PhoneScreen:
        ways, screen, alert = self._ways(reached), stepped.result.screen, stepped.result.alert
        home = ((Button("menu", ways.home),),)
        if screen is None:
            screen = Screen(alert or "", home, unbound=True)
        elif alert is not None:
            screen = screen._replace(text=f"{alert}\n{screen.text}")
        if screen.last and not is_dial:
            return ending(screen.text, ways, reached.budget)
        if screen.last and session.active is None:  # how something has ended, and the way on
            screen = screen._replace(rows=home, unbound=True, numbered=NUMBERS)
        turn = UNBOUND if screen.unbound else stepped.turn
        return phone_screen(screen, turn, session.current_node, ways, reached.budget)

    def _ending(self, reached: _Reached, key: str) -> PhoneScreen:
        return ending(self._say(reached, key), self._ways(reached), reached.budget)

    def _ways(self, reached: _Reached) -> Ways:
        return Ways(*(self._say(reached, f"button.{name}") for name in ("back", "menu", "more")))

    def _say(self, reached: _Reached, key: str) -> str:
        return self._context.texts.say(reached.person.language, key, short=True)

    @staticmethod
    def _event(hop: Hop, hops: int, step: int, kind: EventKind) -> Event:
        """Its id names the hop's place in its session, and the step's place in its hop."""
        return Event(CHANNEL, hop.phone, f"{hop.gateway}:{hop.session}:{hops}.{step}", kind)


def _moved_on(session: Session, shown: PhoneScreen) -> bool:
    """Whether another session of the phone has led on since the page was shown: what is typed there
    answers no question that stands now, and above all no question for a PIN."""
    if shown.turn == UNBOUND:  # it asks nothing
        return session.active is not None
    return shown.turn != session.turn
