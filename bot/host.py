"""The engine's host: one person's turn, inside one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.event import Event
from flows.host import Exit, View, Waiting
from flows.words import Texts
from services import balances, history, topups
from services.domain.money import Money
from services.domain.partner import MOVES_MONEY, Person
from services.domain.refusal import Refusal
from services.domain.topup import TopUp, TopUpState
from services.ports import Random
from storage.transaction import SqliteTx

USUAL_AMOUNTS = tuple(Money(shillings * 100) for shillings in (500, 1_000, 5_000))
SUGGESTIONS = 3  # buttons of usual values


class TurnHost:
    """``flows.host.Host`` for one event. ``person`` is nobody where the address is not linked."""

    def __init__(
        self,
        tx: SqliteTx,
        texts: Texts,
        random: Random,
        event: Event,
        person: Person | None,
        *,
        is_admin: bool,
    ) -> None:
        self._tx = tx
        self._texts = texts
        self._random = random
        self._event = event
        self._person = person
        self._is_admin = is_admin

    @property
    def language(self) -> str:
        return "en" if self._person is None else self._person.language

    def facts(self) -> Mapping[str, Any]:
        person = self._known()
        return {
            "name": person.name.title(),
            "partner": person.partner.code,
            "my_phone": person.phone,
        }

    def may_enter(self) -> Refusal | None:
        if self._person is not None:
            return None
        if self._is_admin:
            return Refusal("admin_only")
        return Refusal.of("not_linked", address=self._event.address)

    def may_open(self, flow: str, moves_money: bool) -> Refusal | None:
        """Whether this person may enter ``flow`` now."""
        person = self._known()
        if moves_money and person.role not in MOVES_MONEY:
            return Refusal.of("role", partner=person.partner.code)
        if moves_money and person.partner.suspended:
            return Refusal.of("suspended", partner=person.partner.code)
        return None

    def limits(self, name: str) -> tuple[Money, Money]:
        assert name == "topup"
        limits = self._tx.limits
        return limits.in_force("c2b.min"), limits.in_force("c2b.max")

    def suggest(self, name: str) -> Sequence[Any]:
        person = self._known()
        if name == "amounts":
            own = self._tx.topups.recent_amounts(person.id, SUGGESTIONS)
            return sorted(own) or USUAL_AMOUNTS
        assert name == "phones"
        recent = self._tx.topups.recent_phones(person.id, SUGGESTIONS + 1)
        return [phone for phone in recent if phone != person.phone][:SUGGESTIONS]

    def run(self, use_case: str, args: Mapping[str, Any]) -> Exit | Waiting | Refusal:
        person = self._known()
        assert use_case in ("start_topup", "start_another_topup")
        refusal = self.may_open("topup", moves_money=True)
        if refusal is not None:
            return refusal
        result = topups.start(
            self._tx,
            self._random,
            person,
            self._event.channel,
            self._event.address,
            # With the moment: a channel's ids may start anew long after the event is forgotten.
            f"{self._event.channel}:{self._event.event_id}:{self._tx.now.isoformat()}",
            args["amount"],
            args["phone"],
            again=use_case == "start_another_topup",
        )
        match result:
            case topups.Duplicate():
                return Exit("duplicate")
            case Refusal():
                return result
            case TopUp():
                return Waiting(result.reference)

    def act(self, use_case: str, operation: str) -> None:
        assert use_case == "check_topup"
        topup = self._own(operation)
        if topup is not None:
            topups.ask_now(self._tx, topup.reference)

    def progress(self, operation: str) -> Mapping[str, Any]:
        topup = self._tx.topups.get(operation)
        assert topup is not None
        return {"reference": operation, "status": status(self._texts, self.language, topup)}

    def look(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        if view == "balance":
            return self._balance()
        if view == "history":
            return self._history(cursor)
        assert view == "operation"
        return self._operation(args["reference"])

    # Views ---------------------------------------------------------------------------------

    def _balance(self) -> View:
        person = self._known()
        seen = balances.see(self._tx, person.partner)
        low = ""
        if seen.is_low:
            low = self._say("balance.show.low", {"threshold": seen.threshold})
        facts = {
            "partner": person.partner.code,
            "at": self._tx.now,
            "wallet": seen.wallet.posted,
            "available": seen.wallet.available,
            "float": seen.float.posted,
            "low": low,
        }
        return View(facts)

    def _history(self, cursor: str | None) -> View:
        person = self._known()
        page = history.page(self._tx, person.partner.code, cursor)
        lines = [
            self._say(
                "history.list.line",
                {
                    "at": topup.created_at,
                    "reference": topup.reference,
                    "amount": topup.amount,
                    "state": self._say(f"state.{topup.state}"),
                },
            )
            for topup in page.topups
        ]
        facts = {
            "partner": person.partner.code,
            "lines": "\n".join(lines) or self._say("history.list.empty"),
        }
        items = [(topup.reference, topup.reference) for topup in page.topups]
        return View(facts, items, page.older, page.newer)

    def _operation(self, reference: str) -> View:
        topup = self._own(reference)
        assert topup is not None, "only listed operations can be opened"
        reason = receipt = settled = ""
        if topup.reason is not None:
            words = self._say(f"reason.{topup.reason}")
            reason = self._say("history.detail.reason", {"reason": words})
        if topup.receipt is not None:
            receipt = self._say("history.detail.receipt", {"receipt": topup.receipt})
        if topup.settled_at is not None:
            settled = self._say("history.detail.settled", {"settled": topup.settled_at})
        facts = {
            "reference": topup.reference,
            "amount": topup.amount,
            "phone": topup.phone,
            "state": self._say(f"state.{topup.state}"),
            "reason": reason,
            "begun": topup.created_at,
            "settled": settled,
            "receipt": receipt,
        }
        acts = frozenset({"check"}) if topup.may_be_asked else frozenset()
        return View(facts, acts=acts)

    def _own(self, reference: str) -> TopUp | None:
        """The operation, if it is of this person's partner."""
        topup = self._tx.topups.get(reference)
        if topup is None or topup.partner != self._known().partner.code:
            return None
        return topup

    def _known(self) -> Person:
        assert self._person is not None, "nobody unlinked gets this far"
        return self._person

    def _say(self, key: str, facts: Mapping[str, Any] | None = None) -> str:
        return self._texts.say(self.language, key, facts)


def status(texts: Texts, language: str, topup: TopUp) -> str:
    """The line of the live message that says how far a top-up is."""
    slow = topup.slow and topup.state is TopUpState.PENDING
    return texts.say(language, "status.slow" if slow else f"status.{topup.state}")
