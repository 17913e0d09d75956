"""Who calls, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bot.calls.answers import Problem, ProblemCode
from bot.context import AppContext, TurnContext
from flows.engine.event import Event, EventKind
from services.domain.api_key import ApiKey, Scope
from services.domain.partner import Partner, Person
from services.ports import Tx

CHANNEL = "api"
AnyScope: TypeAlias = frozenset[Scope]  # one of them is enough


@dataclass(frozen=True, slots=True)
class CallContext:
    """``turn`` queues messages and wakes jobs; its person is the one whose code is used, if any."""

    app: AppContext
    tx: Tx
    key: ApiKey
    partner: Partner
    request_id: str
    turn: TurnContext

    @classmethod
    def of(
        cls, app: AppContext, tx: Tx, key: ApiKey, partner: Partner, request_id: str
    ) -> CallContext:
        event = Event(CHANNEL, key.id, request_id, EventKind.OTHER)
        turn = TurnContext(app, tx, event, None, api_key=key.id)
        return cls(app, tx, key, partner, request_id, turn)

    def acts_with(self, person: Person) -> TurnContext:
        """The turn, with the person whose code is used."""
        self.turn.linked_person = person
        return self.turn


def missing_scope(key: ApiKey, scopes: AnyScope) -> Problem | None:
    if any(key.grants(scope) for scope in scopes):
        return None
    needed = " or ".join(sorted(scope.upper() for scope in scopes))
    return Problem(ProblemCode.FORBIDDEN_SCOPE, f"The key needs the scope {needed}.")


def foreign_partner(partner: Partner, named: str | None) -> Problem | None:
    """The key decides the partner: naming another is refused, whether or not there is one."""
    if named is None or named == partner.code:
        return None
    return Problem(ProblemCode.FORBIDDEN_PARTNER, "The key belongs to another partner.")
