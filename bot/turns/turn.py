"""Handles one inbound event in one transaction (docs/architecture.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from bot.context import AppContext, TurnContext, Wakeup
from bot.handlers.suspicious_attempts import note_suspicious_attempt
from bot.outbox.carriers import buttons_to_json
from bot.outbox.channel import Commands
from bot.turns import flood
from bot.turns.authorisation import AccessDenied
from bot.turns.flood import FloodState, RateLimit
from bot.turns.sessions import SessionCache
from bot.turns.steps import Steps
from bot.turns.strangers import is_guest
from flows.engine.engine import Engine
from flows.engine.event import Event, Screen
from flows.engine.session import Session
from flows.engine.taps import UNBOUND
from flows.engine.typed_secrets import may_be_secret
from services.domain.database import DatabaseUnavailable
from services.domain.ids import new_reference
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.domain.refusal import Fault
from services.ports import Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)

IGNORED = "ignored"  # a stranger's turn that is dropped without an answer, a row or a log line


class Decided(NamedTuple):
    """What the turn committed. ``alert`` answers a tap that changed nothing.

    ``rows`` are its messages. Of a repeated event they are those that the channel has not accepted
    yet, or the stored answer on a channel that only answers; the adapter shows ``answer`` there.

    ``at`` is the node where the event arrived, ``exit`` the exit it took from there. ``commands``
    is the channel's new command menu if it has changed; it is empty for strangers. ``wakes`` are
    jobs to run now or at a given time.
    """

    rows: Sequence[OutboxRow] = ()
    alert: str | None = None
    operation: str | None = None
    repeated: bool = False
    person: int | None = None
    at: str | None = None
    exit: str | None = None
    fault: str | None = None
    commands: Commands | None = None
    wakes: Sequence[Wakeup] = ()

    @property
    def answer(self) -> OutboxRow | None:
        """The message that answers the event, if there is one."""
        return next((row for row in self.rows if row.kind == "answer"), None)


class Turns:
    """``push`` receives the messages of every commit, ``wake`` each operation that is now due."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        sessions: SessionCache,
        context: AppContext,
        steps: Steps,
        push: Callable[[Sequence[OutboxRow]], None],
        wake: Callable[[str], None],
    ) -> None:
        self._database = database
        self._engine = engine
        self._sessions = sessions
        self._context = context
        self._steps = steps
        self._push = push
        self._wake = wake
        self._log = _log.bind()  # bound once, so that a filtered-out line costs almost nothing

    async def handle(self, event: Event) -> Decided:
        """Decide the event. When this returns, it is committed and may be acknowledged.

        Idempotent: a repeated event changes nothing, and is answered as before. Raises
        ``DatabaseUnavailable`` if nothing was committed; the event must then not be acknowledged.
        """
        began = time.perf_counter()
        try:
            decided = await self._database.write(
                lambda tx: self._decide(tx, event), about=(event.channel, event.address)
            )
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - _fault logs and answers it
            decided = await self._fault(event, error)
        if decided.exit == IGNORED:
            self._context.metrics.record_stranger("silent")
            return decided
        took = time.perf_counter() - began
        self._push(self._to_send(event, decided.rows))
        if decided.operation is not None:
            self._wake(decided.operation)
        self._context.wake_jobs(decided.wakes)
        self._record(event, decided, took)
        return decided

    def _to_send(self, event: Event, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        if self._context.channel(event.channel).push:
            return rows
        return [row for row in rows if row.channel != event.channel]  # its adapter shows the answer

    def _record(self, event: Event, decided: Decided, took_s: float) -> None:
        """Log one line for the turn, without anything the person wrote, and record its metrics."""
        kind = "fault" if decided.fault else "repeated" if decided.repeated else "decided"
        self._context.metrics.turn(kind, took_s)
        flow, _, node = (decided.at or "").partition(".")
        self._log.info(
            "turn",
            channel=event.channel,
            person=decided.person,
            flow=flow or None,
            node=node or None,
            exit="repeated" if decided.repeated else decided.exit,
            reference=decided.fault or decided.operation,
            ms=round(took_s * 1000, 1),
        )

    def _decide(self, tx: Tx, event: Event) -> Decided:
        is_admin = (event.channel, event.address) in self._context.admins
        person = tx.people.at(event.channel, event.address)
        if person is None and not is_admin:
            return self._decide_stranger(tx, event)
        if not tx.sessions.mark_handled(event.channel, event.event_id):
            return self._repeated(tx, event)
        session = self._sessions.load(tx, event.channel, event.address)
        limit = flood.limit_for(self._context.policy, is_admin=is_admin)
        speed = flood.count_turn(tx, limit, session, event)
        if speed is not FloodState.FINE:
            return self._slow_down(tx, event, person, session, speed, limit)
        return self._step(tx, event, person, session, is_admin=is_admin)

    def _decide_stranger(self, tx: Tx, event: Event) -> Decided:
        """A stranger's turn. If it is dropped, nothing is written, not even the event's id: a
        repeated event has nothing to do twice."""
        if tx.sessions.is_handled(event.channel, event.event_id):
            return self._repeated(tx, event)
        session = self._sessions.load(tx, event.channel, event.address)
        guest, policy = is_guest(tx, session, event), self._context.policy
        limit = flood.limit_for(policy) if guest else flood.limit_for_stranger(policy)
        speed = flood.count_turn(tx, limit, session, event)
        if not guest:
            if speed is FloodState.SILENCE or not self._context.strangers.allow():
                return Decided(exit=IGNORED)
            self._context.metrics.record_stranger("answered")
        tx.sessions.mark_handled(event.channel, event.event_id)
        if speed is not FloodState.FINE:
            return self._slow_down(tx, event, None, session, speed, limit, turned_away=not guest)
        return self._step(tx, event, None, session, turned_away=not guest)

    def _repeated(self, tx: Tx, event: Event) -> Decided:
        """Only the account that sent the event gets its answer: ids are its channel's, and may be
        the caller's own."""
        key = event.channel, event.address, event.event_id
        if self._context.channel(event.channel).push:
            return Decided(tx.outbox.unsent(*key), repeated=True)
        answer = tx.outbox.answer_to(*key)
        return Decided(() if answer is None else (answer,), repeated=True)

    def _step(
        self,
        tx: Tx,
        event: Event,
        person: Person | None,
        session: Session,
        *,
        is_admin: bool = False,
        turned_away: bool = False,
    ) -> Decided:
        stepped = self._steps.take(
            tx, event, person, session, is_admin=is_admin, leaves_trail=not turned_away
        )
        step, rows = stepped.result, stepped.rows
        if step.wipe:
            rows += self._wipe(tx, event, turned_away=turned_away)
        screen, alert = step.screen, step.alert
        if not self._context.channel(event.channel).push:
            screen, alert = _in_one_message(screen, alert), None
        if screen is not None:
            rows.append(self._answer(tx, event, screen, stepped.turn))
        return Decided(
            rows,
            alert,
            step.operation,
            commands=stepped.commands,
            wakes=stepped.wakes,
            person=None if person is None else person.id,
            at=stepped.at,
            exit=step.transition,
        )

    def _slow_down(
        self,
        tx: Tx,
        event: Event,
        person: Person | None,
        session: Session,
        speed: FloodState,
        limit: RateLimit,
        *,
        turned_away: bool = False,
    ) -> Decided:
        """Ignore the event, except that a message that may hold a code is deleted."""
        rows: list[OutboxRow] = []
        if may_be_secret(session, event.text):
            rows += self._wipe(tx, event, turned_away=turned_away)
        if speed is FloodState.TOO_FAST:
            seconds = flood.record_flood(tx, limit, session, event)
            self._sessions.save(tx, event.channel, event.address, session, touched=False)
            language = "en" if person is None else person.language
            text = self._engine.texts.say(language, "engine.slow_down", {"seconds": seconds})
            rows.append(self._answer(tx, event, Screen(text), session.turn))
        return Decided(
            rows, person=None if person is None else person.id, at=session.at, exit="flooded"
        )

    def _wipe(self, tx: Tx, event: Event, *, turned_away: bool) -> list[OutboxRow]:
        """Delete the person's message: it may hold a secret (facts: channels, Telegram). One of a
        stranger counts as another answer to them."""
        if event.message_id is None or not self._context.channel(event.channel).deletes:
            return []
        if turned_away and not self._context.strangers.allow():
            return []
        row = tx.outbox.add(
            event.channel,
            event.address,
            kind="wipe",
            text="",
            event_id=event.event_id,
            n=1,
            target=event.message_id,
        )
        return [row]

    def _answer(self, tx: Tx, event: Event, screen: Screen, turn: int) -> OutboxRow:
        channel = self._context.channel(event.channel)
        return tx.outbox.add(
            event.channel,
            event.address,
            kind="answer",
            text=screen.text,
            rows=buttons_to_json(screen.rows),
            turn=UNBOUND if screen.unbound else turn,
            event_id=event.event_id,
            slot=screen.slot,
            edits=screen.replace and channel.edits,
            protect=screen.protect,
            is_sent=not channel.push,
        )

    async def _fault(self, event: Event, error: Exception) -> Decided:
        """Store the event with an apology, so that one bad message cannot block the bot. What was
        rolled back with it, an attempt to see another partner's, is noted here."""
        fault = Fault(new_reference("F", self._context.random))
        _log.exception("turn failed", reference=fault.reference, kind=event.kind.value)
        text = self._engine.texts.say("en", "engine.fault", {"reference": fault.reference})

        def store(tx: Tx) -> Decided:
            if not tx.sessions.mark_handled(event.channel, event.event_id, fault.reference):
                return self._repeated(tx, event)
            rows = [self._answer(tx, event, Screen(text), 0)]
            if isinstance(error, AccessDenied):
                turn = TurnContext(self._context, tx, event, None)
                note_suspicious_attempt(turn, error.refusal.code)
                rows += turn.rows
            return Decided(rows, exit="fault", fault=fault.reference)

        return await self._database.write(store)


def _in_one_message(screen: Screen | None, alert: str | None) -> Screen | None:
    """For a channel that answers with one message and has no alerts beside it."""
    if alert is None:
        return screen
    if screen is None:
        return Screen(alert)
    return screen._replace(text=f"{alert}\n\n{screen.text}")
