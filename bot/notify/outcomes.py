"""What every ended operation has in common: one receipt, and a last edit of its live message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from bot.context import AppContext
from bot.handlers.outcomes import FLOWS, outcome_facts
from bot.notify.owners import notify_owners
from bot.outbox.carriers import SMS, buttons_to_json
from bot.turns.host import TurnHost
from bot.turns.sessions import SessionCache
from flows.engine.engine import Engine
from flows.engine.event import Event, EventKind
from flows.engine.session import Session
from flows.engine.taps import UNBOUND
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.domain.payout_batch import Batch
from services.domain.spending import S, Spending
from services.domain.topup import TopUp
from services.ports import Tx

Operation: TypeAlias = TopUp | Spending


def linked_initiator(tx: Tx, operation: Operation) -> Person | None:
    """The person who began the operation, if its account is still linked to them.

    By now the account may be linked to nobody, or to somebody at another business.
    """
    person = tx.people.at(operation.channel, operation.address)
    return person if person is not None and person.id == operation.person_id else None


def next_steps(
    tx: Tx,
    context: AppContext,
    engine: Engine,
    account: tuple[str, str],
    flow: str,
    exit_name: str,
    operation: str,
    resumes: str | None = None,
) -> str:
    """The options, as an outbox row stores them, of a message that tells how an operation has
    ended; none for whoever is not linked."""
    person = tx.people.at(*account)
    if person is None:
        return "[]"
    host = _host(tx, context, account, person)
    return buttons_to_json(engine.next_steps(flow, exit_name, operation, host, resumes))


def _host(tx: Tx, context: AppContext, account: tuple[str, str], person: Person) -> TurnHost:
    return TurnHost(context, tx, Event(*account, "", EventKind.OTHER), person, is_admin=False)


def is_awaited_by(session: Session, flow: str, reference: str) -> bool:
    """Whether a conversation of that flow is parked where it is priced until this operation brings
    what it is short of."""
    parked = session.parked.get(flow)
    return (
        parked is not None
        and parked.node in ("quote", "price")
        and session.active is not None
        and session.active.waiting == reference
    )


@dataclass(frozen=True, slots=True)
class OutcomeNotices:
    engine: Engine
    sessions: SessionCache
    context: AppContext

    def reads_events(self, operation: Operation) -> bool:
        """Whether whoever began it reads what becomes of it, so that no message need tell."""
        return self.context.channel(operation.channel).events

    def receipt(
        self,
        tx: Tx,
        flow: str,
        operation: Operation,
        session: Session,
        exit_of: str,
        facts: Mapping[str, Any],
        goes_on: str | None = None,
    ) -> list[OutboxRow]:
        """Finish the waiting step by exit ``exit_of`` and queue the receipt. Where people do not
        wait for outcomes, the step stays until they ask.

        ``goes_on`` names a parked flow that waited for this operation; the receipt has a button
        that resumes it.

        A receipt shows balances. If the account is no longer linked to the person who began the
        operation, or that person can be told nowhere, it goes to another account of theirs, or else
        to the owners.
        """
        waiting = self.context.channel(operation.channel).waiting
        key = self.engine.finish_operation(
            session, flow, operation.reference, exit_of, asked=not waiting, resumes=goes_on
        )
        self.sessions.save(tx, operation.channel, operation.address, session, touched=False)
        person = linked_initiator(tx, operation)
        account = self.context.account_to_tell(tx, operation.channel, operation.address)
        if person is None or account is None:
            began = None if operation.person_id is None else tx.people.of_id(operation.person_id)
            first = [] if began is None else [began]
            return notify_owners(tx, self.context, operation.partner, key, facts, first)
        texts, language = self.engine.texts, operation.language
        text = texts.say(language, self._wording(operation, key), facts)
        rows = next_steps(
            tx, self.context, self.engine, account, flow, exit_of, operation.reference, goes_on
        )
        if goes_on is not None:
            text = f"{text}\n\n{texts.say(language, self._wording(operation, f'{goes_on}.waits'))}"
        row = tx.outbox.add(
            *account,
            kind="receipt",
            text=text,
            rows=rows,
            turn=UNBOUND,
            fallback=None if account[0] == SMS else person.phone.msisdn,
            protect=True,
        )
        return [row]

    def refused(self, tx: Tx, spending: Spending) -> list[OutboxRow]:
        """The receipt of one that ended before anybody outside was asked, with the reason."""
        rows: list[OutboxRow] = []
        for told in self.told_at(tx, spending):
            session = self.sessions.load(tx, told.channel, told.address)
            facts = outcome_facts(tx, self.engine.texts, told)
            rows += self.receipt(tx, FLOWS[type(told)], told, session, "declined", facts)
        return rows

    def told_at(self, tx: Tx, spending: S) -> Sequence[S]:
        """The operation, as begun wherever its person is told of it. A system that began it reads
        events; a batch is gone on with in the chat all the same, at each account of its maker."""
        if not self.reads_events(spending):
            return [spending]
        if not isinstance(spending, Batch):
            return []
        maker = tx.people.of_id(spending.person_id)
        accounts = [] if maker is None else self.context.accounts_to_tell(tx, maker)
        told = [replace(spending, channel=to[0], address=to[1]) for to in accounts]
        return told or [spending]  # whose receipt goes to the owners

    def _wording(self, operation: Operation, key: str) -> str:
        """The key of the text; where the operation was begun on a phone's menu, of one without
        commands, if there is such."""
        by_phone = f"by_phone.{key}"
        is_other = self.context.channel(operation.channel).phone_menu and self.engine.texts.has(
            operation.language, by_phone
        )
        return by_phone if is_other else key

    def live_message(
        self,
        tx: Tx,
        flow: str,
        operation: Operation,
        session: Session,
        text: str,
        facts: Mapping[str, Any],
    ) -> list[OutboxRow]:
        """Queue an edit of the operation's live message, on a channel with edits."""
        if not self.context.channel(operation.channel).edits:
            return []
        screen = None
        person = linked_initiator(tx, operation)
        if person is not None:  # an account that is no longer linked gets no buttons
            host = _host(tx, self.context, (operation.channel, operation.address), person)
            screen = self.engine.live_screen(session, operation.reference, host)
        row = tx.outbox.add(
            operation.channel,
            operation.address,
            kind="progress",
            text=self.engine.texts.say(operation.language, text, facts),
            rows="[]" if screen is None else buttons_to_json(screen.rows),
            turn=session.turn,
            slot=f"{flow}:{operation.reference}",
            edits=True,
        )
        return [row]
