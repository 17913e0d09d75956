"""Invariants that hold after every step of a storm, and those that hold once it has calmed down."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.calls.caller import CHANNEL as API
from bot.outbox.carriers import SMS
from bot.simulation.bank_comparison import bank_mismatches
from bot.simulation.prompt_matching import match_prompts
from bot.simulation.secret_scan import KnownSecrets, leaked_secrets
from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.payout_checker import PayoutChecker
from services.domain.float_purchase import TRANSITIONS as PURCHASE_FOLLOWS
from services.domain.outbox import OutboxRow
from services.domain.payment import Payment
from services.domain.payout import BATCH_CHANNEL
from services.domain.payout import TRANSITIONS as PAYOUT_FOLLOWS
from services.domain.payout_batch import TRANSITIONS as BATCH_FOLLOWS
from services.domain.topup import TRANSITIONS as TOPUP_FOLLOWS
from services.domain.ussd import CHANNEL as USSD
from services.ports import Tx
from storage.raw import connection

_NOT_DONE = frozenset(
    {"NOT_PAID", "REJECTED", "FAILED", "REFUSED", "RETURNED", "PAID_AFTER_RETURN"}
)
UNKNOWN = frozenset({"UNKNOWN", "SEND_UNKNOWN"})  # resolved by admins
_REFERENCE = re.compile(r"(?:TU|FL|PO|BA)-[0-9A-Z]{6}")
_CONFIRMED = re.compile(r"((?:TU|FL|PO)-[0-9A-Z]{6}) (?:Confirmed|Imethibitishwa)")
_IN_CLEAR = re.compile(r"(?<![\w-])[0-9]{6}(?![\w-])")  # sealed text contains no such word
QUEUED_MAX = 10_000  # messages counted
OPEN = frozenset({"CREATED", "SENDING", "PENDING", "AUTHORISED", "SUBMITTING", "ACCEPTED"})


_FOLLOWS: dict[str, dict[str, list[str]]] = {
    "topup": {state.value: [to.value for to in nexts] for state, nexts in TOPUP_FOLLOWS.items()},
    "b2c_float_purchase": {
        state.value: [to.value for to in nexts] for state, nexts in PURCHASE_FOLLOWS.items()
    },
    "payout_batch": {
        state.value: [to.value for to in nexts] for state, nexts in BATCH_FOLLOWS.items()
    },
    "disbursement": {
        state.value: [to.value for to in nexts] for state, nexts in PAYOUT_FOLLOWS.items()
    },
}


class OperationSnapshot(NamedTuple):
    """An operation after a step."""

    type: str
    state: str
    evidence: int  # number of rows


@dataclass
class InvariantChecker:
    """Remembers earlier states, so that it notices changes to what is immutable."""

    world: World
    errors: list[str] = field(default_factory=list)  # logged as errors of ours
    in_clear: list[str] = field(default_factory=list)  # messages that stored a code in clear
    _seen: dict[str, OperationSnapshot] = field(default_factory=dict)
    _transfers: int = 0
    _evidence: int = 0
    _placed: set[tuple[str, str, str]] = field(default_factory=set)  # (receipt, partner, operation)
    _last_read: int = 0  # the newest message checked
    _mentioned: set[str] = field(default_factory=set)
    _confirmed: Counter[str] = field(default_factory=Counter)
    _confirmed_by_sms: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._payouts = PayoutChecker(self.world)

    async def step(self) -> list[BrokenInvariant]:
        """After every step: our books on their own, against their earlier state and against the
        bank's.
        """
        found = await self.world.app.database.read(self._books)
        found += [BrokenInvariant("bank", words) for words in await bank_mismatches(self.world)]
        found += await self.world.app.database.read(self._one_money_call)
        found += [BrokenInvariant("faults", line) for line in self.errors]
        found += [BrokenInvariant("secrets", words) for words in self.in_clear]
        self.errors.clear()
        self.in_clear.clear()
        return found

    def delivered(self, row: OutboxRow) -> None:
        """Check a message as it was stored until now; its text is gone by the next step."""
        if row.otp is not None and _IN_CLEAR.search(row.text):
            self.in_clear.append(f"message {row.id} kept its code in clear")

    def shown_on_phone(self, page: str) -> None:
        """Who dialled has read this, and may have been told there how an operation ended."""
        self._mentioned.update(_REFERENCE.findall(page))

    async def end(self, logged: list[str], held: Collection[str] = ()) -> list[BrokenInvariant]:
        """Once faults have stopped and all notifications are delivered."""
        found = await self.step()
        found += await self.world.app.database.read(self._calm)
        found += await self._equal_to_the_bank()
        return found + self.secrets(logged, held)

    def secrets(self, logged: list[str], held: Collection[str] = ()) -> list[BrokenInvariant]:
        """Every code, token and key in use, wherever it must not be stored; ``held`` are those of
        partners' systems."""
        secrets = KnownSecrets.of(self.world, ()).and_held(held)
        found = leaked_secrets(secrets, self.world.at_rest(), logged)
        return [BrokenInvariant("secrets", words) for words in found]

    # After every step ----------------------------------------------------------------------------

    def _books(self, tx: Tx) -> list[BrokenInvariant]:
        found = [BrokenInvariant(*problem) for problem in tx.invariants.violations_by_invariant()]
        found += self._moved(tx)
        found += self._owners(tx)
        found += self._payouts.step(tx)
        self._listen(tx)
        found += [BrokenInvariant("audit", words) for words in tx.audit.chain_breaks()]
        return found

    def _moved(self, tx: Tx) -> Iterator[BrokenInvariant]:
        """Operations follow the allowed transitions, and leave unknown only on evidence."""
        rows = (
            connection(tx)
            .execute(
                "SELECT w.reference, w.type, w.state, (SELECT count(*) FROM evidence AS e"
                " WHERE e.operation = w.reference) FROM wallet_transactions AS w"
            )
            .fetchall()
        )
        now = {row[0]: OperationSnapshot(*row[1:]) for row in rows}
        for reference, seen in self._seen.items():
            after = now.get(reference)
            if after == seen:
                continue
            if after is None:
                if seen.state != "QUOTED":
                    yield BrokenInvariant("append-only", f"{reference} is gone")
                continue
            if after.state != seen.state and not _can_reach(seen, after):
                yield BrokenInvariant(
                    "arrows", f"{reference} went from {seen.state} to {after.state}"
                )
            if (
                seen.state in UNKNOWN
                and after.state != seen.state
                and after.evidence <= seen.evidence
            ):
                yield BrokenInvariant("evidence", f"{reference} left {seen.state} without evidence")
        self._seen = now
        transfers, evidence = (
            connection(tx)
            .execute("SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM evidence)")
            .fetchone()
        )
        if transfers < self._transfers or evidence < self._evidence:
            yield BrokenInvariant("append-only", "transfers or evidence are gone")
        self._transfers, self._evidence = transfers, evidence

    def _owners(self, tx: Tx) -> Iterator[BrokenInvariant]:
        """Each payment went to the right partner, or to none.

        That is the partner it names by code or top-up, or the one two admins chose. A payment that
        names nobody belongs to whoever was waiting for it from that payer; one whose reference
        matches nobody belongs to nobody. If a statement line names nobody, a later notification may
        do so; then the bank's own books decide.
        """
        given = {
            about
            for (about,) in connection(tx).execute(
                "SELECT about FROM proposals WHERE kind = 'assign' AND status = 'done'"
            )
        }
        placed = set(
            connection(tx).execute(
                "SELECT receipt, partner, operation FROM external_payments"
                " WHERE partner IS NOT NULL"
            )
        )
        moved, self._placed = placed - self._placed, placed
        for recorded in tx.payments.every() if moved else ():
            payment = recorded.payment
            place = (payment.receipt, recorded.partner, recorded.operation)
            if place not in moved or recorded.reference in given:
                continue
            named = {topup.partner for ref in payment.topups if (topup := tx.topups.get(ref))}
            named |= {code for code in payment.partners if tx.people.partner(code) is not None}
            if named:
                right = named == {recorded.partner}
            elif payment.typed:
                right = False
            else:
                topup = tx.topups.get(recorded.operation or "")
                right = topup is not None and payment.payer.matches(topup.phone)
            if not right and not self._is_of_prompt(tx, payment, recorded.operation):
                words = f"{recorded.reference} for {payment.account_reference!r} went to"
                yield BrokenInvariant("owner", f"{words} {recorded.partner}")

    def _is_of_prompt(self, tx: Tx, payment: Payment, operation: str | None) -> bool:
        """False for a payment by hand."""
        topup = match_prompts(self.world, tx).topup_of(payment.receipt)
        return topup is not None and topup == operation

    def _listen(self, tx: Tx) -> None:
        """Messages are deleted after three days, so they are read while they exist."""
        rows = connection(tx).execute(
            "SELECT id, kind, channel, text FROM outbox WHERE id > ? ORDER BY id",
            (self._last_read,),
        )
        for row, kind, channel, text in rows:
            self._last_read = row
            references = _REFERENCE.findall(text)
            self._mentioned.update(references)
            if kind == "receipt":
                # To who began it in a chat, an SMS goes only if that cannot be reached.
                confirmed = self._confirmed_by_sms if channel == SMS else self._confirmed
                confirmed.update(_CONFIRMED.findall(text))

    def _one_money_call(self, tx: Tx) -> list[BrokenInvariant]:
        """At most one money call per operation by the bank's own books, whatever ours say."""
        found = [
            BrokenInvariant("one money call", f"{reference} was asked for {times} times")
            for reference, times in self.world.bank.floats.order_counts.items()
            if times > 1
        ]
        for prompt in match_prompts(self.world, tx).unmatched_prompts:
            words = f"no top-up of ours is left for a prompt of KES {prompt.amount_kes}"
            found.append(BrokenInvariant("one money call", f"{words} to {prompt.account_no}"))
        return found

    # At the end ----------------------------------------------------------------------------------

    def _calm(self, tx: Tx) -> list[BrokenInvariant]:
        found = list(self._payouts.end(tx))
        for reference, seen in self._seen.items():
            if seen.state in OPEN and not self._payouts.is_frozen(reference):
                found.append(BrokenInvariant("stuck", f"{reference} is still {seen.state}"))
            if seen.state in UNKNOWN and not tx.evidence.open_review_reasons(reference):
                found.append(
                    BrokenInvariant("stuck", f"{reference} is {seen.state}, and nobody looks")
                )
        queued, _ = tx.outbox.waiting(QUEUED_MAX)
        if queued:
            found.append(BrokenInvariant("told", f"{queued} messages were never sent"))
        rows = connection(tx).execute("SELECT reference, channel FROM wallet_transactions")
        return found + list(self._told(dict(rows.fetchall())))

    def _told(self, channels: Mapping[str, str]) -> Iterator[BrokenInvariant]:
        """Whoever started an operation has been told its outcome once, and nothing else: on a phone
        that dialled by SMS. A partner's system is told by events, which are checked where it reads
        them. ``channels``: where each was started, by reference."""
        for reference, seen in self._seen.items():
            channel = channels[reference]
            if channel == BATCH_CHANNEL:  # its batch is told of
                continue
            if channel == API:
                if self._confirmed[reference]:
                    words = f"{reference} of a system was confirmed to a person"
                    yield BrokenInvariant("told", words)
                continue
            counts = self._confirmed_by_sms if channel == USSD else self._confirmed
            confirmed = counts[reference]
            good = seen.state in ("PAID", "PAID_LATE", "SUCCEEDED")
            if confirmed != good:
                words = f"{reference} is {seen.state}, and was confirmed {confirmed} times"
                yield BrokenInvariant("told", words)
            final = seen.state in _NOT_DONE
            if final and reference not in self._mentioned:
                yield BrokenInvariant("told", f"{reference} is {seen.state}, and nobody was told")

    async def _equal_to_the_bank(self) -> list[BrokenInvariant]:
        """Once the statement is read, our books hold every payment and every sale of the bank's."""
        bank = self.world.bank
        received = sum(payment.amount.cents for payment in bank.paybill.received())
        received -= sum(amount.cents for amount in bank.statements.reversed_receipts.values())
        sold = sum(booking.amount.cents for booking in bank.float_purchases())

        def look(tx: Tx) -> tuple[int, int]:
            bought = sum(amount.cents for amount in tx.purchases.bought().values())
            return tx.payments.collected().cents, bought

        collected, bought = await self.world.app.database.read(look)
        found = []
        if collected != received:
            found.append(
                BrokenInvariant("bank", f"the bank received {received}, we hold {collected}")
            )
        if bought != sold:
            found.append(
                BrokenInvariant("bank", f"the bank sold {sold} of float, we have {bought}")
            )
        return found


def _can_reach(before: OperationSnapshot, after: OperationSnapshot) -> bool:
    """Over any number of transitions, since a step may contain several."""
    follows = _FOLLOWS.get(before.type, {})
    reached, fresh = {before.state}, [before.state]
    while fresh:
        for state in follows.get(fresh.pop(), ()):
            if state not in reached:
                reached.add(state)
                fresh.append(state)
    return after.state in reached
