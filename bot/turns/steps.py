"""One step of a conversation inside a transaction: what it does, apart from how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bot.context import AppContext, OperationUpdate, Wakeup
from bot.outbox.channel import Commands
from bot.turns.command_menus import CommandMenus
from bot.turns.host import TurnHost
from bot.turns.sessions import SessionCache
from flows.engine.engine import Engine
from flows.engine.event import Event, StepResult
from flows.engine.session import Session
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.ports import Tx


class Stepped(NamedTuple):
    """``turn`` belongs to the options of the step's screen, ``at`` is the node where the event
    arrived, and ``rows`` are the messages besides the answer. ``commands`` as ``Decided`` has
    them."""

    result: StepResult
    turn: int
    at: str | None
    rows: list[OutboxRow]
    wakes: Sequence[Wakeup]
    commands: Commands | None


class Steps:
    """``notify`` queues the notices about an operation's outcome."""

    def __init__(
        self,
        engine: Engine,
        sessions: SessionCache,
        context: AppContext,
        notify: Callable[[Tx, OperationUpdate], Sequence[OutboxRow]],
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._context = context
        self._notify = notify
        self._menus = CommandMenus(engine, context)

    def take(
        self,
        tx: Tx,
        event: Event,
        person: Person | None,
        session: Session,
        *,
        is_admin: bool = False,
        leaves_trail: bool = True,
    ) -> Stepped:
        """Take the step and save the session, which must not be changed afterwards."""
        before = session.at
        host = TurnHost(self._context, tx, event, person, is_admin=is_admin)
        step = self._engine.step(session, event, host)
        commands = self._menus.changed(tx, event, session)
        turn, after = session.turn, session.at  # outcomes below may still close the session
        self._sessions.save(tx, event.channel, event.address, session)
        if leaves_trail:
            tx.trail.add(
                event.channel,
                event.address,
                None if person is None else person.id,
                f"{event.kind}:{event.option}" if event.option else event.kind.value,
                before,
                step.transition,
                after,
                step.operation,
            )
        rows = list(host.rows)
        for outcome in host.outcomes:
            rows += self._notify(tx, outcome)
        return Stepped(step, turn, before, rows, host.wakes, commands)
