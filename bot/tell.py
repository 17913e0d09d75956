"""Tell the person who began an operation how it goes, whether or not they still wait."""

from __future__ import annotations

from typing import Any

from bot.host import TurnHost, status
from bot.turns import load_session, rows_json, save_session
from flows.engine import Engine
from flows.event import Event, Kind
from flows.session import Session
from services import balances
from services.domain.partner import Person
from services.domain.topup import TopUp, TopUpState
from services.ports import Random
from services.topups import Change, What
from storage.outbox import OutboxRow
from storage.transaction import SqliteTx


class Tell:
    """Called in the transaction that made the change, so that it is told exactly once."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self._engine = engine
        self._random = random

    def tell(self, tx: SqliteTx, change: Change) -> list[OutboxRow]:
        """Queue what the change means: an edit of the live message, and each outcome once."""
        topup = change.topup
        session = load_session(tx, self._engine, topup.channel, topup.address)
        person = tx.people.at(topup.channel, topup.address)
        if change.what is not What.OUTCOME:
            return [self._live(tx, topup, session, person)]
        key = self._engine.outcome(session, "topup", topup.reference, exit_name(topup))
        save_session(tx, topup.channel, topup.address, session, touched=False)
        receipt = tx.outbox.add(
            topup.channel,
            topup.address,
            kind="receipt",
            text=self._engine.texts.say(topup.language, key, self._facts(tx, topup)),
            fallback=None if person is None else person.phone.msisdn,
            protect=True,
        )
        return [receipt, self._live(tx, topup, session, person)]

    def _live(
        self, tx: SqliteTx, topup: TopUp, session: Session, person: Person | None
    ) -> OutboxRow:
        texts = self._engine.texts
        facts = {
            "reference": topup.reference,
            "amount": topup.amount,
            "phone": topup.phone,
            "status": status(texts, topup.language, topup),
        }
        screen = None
        if person is not None:  # who is not linked any more is told, but has nothing to tap
            event = Event(topup.channel, topup.address, "", Kind.OTHER)
            host = TurnHost(tx, texts, self._random, event, person, is_admin=False)
            screen = self._engine.live_screen(session, topup.reference, host)
        return tx.outbox.add(
            topup.channel,
            topup.address,
            kind="progress",
            text=texts.say(topup.language, "topup.push.ask", facts),
            rows="[]" if screen is None else rows_json(screen.rows),
            turn=session.turn,
            slot=f"topup:{topup.reference}",
            edits=True,
        )

    def _facts(self, tx: SqliteTx, topup: TopUp) -> dict[str, Any]:
        partner = tx.people.partner(topup.partner)
        assert partner is not None
        facts: dict[str, Any] = {
            "reference": topup.reference,
            "amount": topup.amount,
            "phone": topup.phone,
            "at": tx.now,
            "balance": balances.see(tx, partner).wallet.posted,
        }
        if topup.reason is not None:
            facts["reason"] = self._engine.texts.say(topup.language, f"reason.{topup.reason}")
        return facts


def exit_name(topup: TopUp) -> str:
    """Which exit of the waiting Do an outcome takes."""
    if topup.state is TopUpState.NOT_PAID and topup.due_at is not None:
        return "not_paid_so_far"
    return topup.state.value.lower()
