"""Payments of one person and amount, with evidence in any order: in the end each is booked once."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import payments, proposal_decisions, proposals
from services.domain import payment_purpose
from services.domain.bank import Accepted, NotPaid, Paid
from services.domain.bank_line import BankLine
from services.domain.business_days import business_day
from services.domain.ledger import HOUSE, Account, AccountKind
from services.domain.money import Money
from services.domain.payment import Payer, Payment, PaymentState, RecordedPayment
from services.domain.refusal import Refusal
from services.domain.topup import CREDITED, TopUp
from services.proposal_decisions import Approved
from services.reconciliation import intake
from storage.invariants import invariant_violations
from storage.transaction import StoreTx
from tests.kit.plain_store import PHONE, PlainStore
from tests.kit.topup_driver import TopUpDriver

CENTS = 50_000
OWN = "own"
ACCOUNT = "774451"  # what a payment carries when it names nothing
NOBODYS = "FEES"  # what a payer typed that names nothing of ours
GAPS_H = (0.01, 5, 20)  # hours between two prompts: within one payment's reach, or not


class Ask(NamedTuple):
    """A top-up for a partner, ``gap_h`` hours after the one before; paid at once, or never."""

    partner: str
    gap_h: float
    by_hand: bool
    paid: bool


class Evening(NamedTuple):
    """Requests and payments of one phone: the top-ups it asks for, the number of other payments it
    makes (``beside``), the words of each payment (``OWN`` names its own top-up), and the order in
    which the bank reports. The bank reports prompts when asked, payments by a notification or a
    statement line, and reversals by another line. For the ``nameless`` payments it gives neither
    the payer nor anything that names a top-up."""

    asks: list[Ask]
    beside: int
    words: list[str]
    order: list[tuple[str, int]]
    nameless: frozenset[int] = frozenset()

    @property
    def paid(self) -> list[bool]:
        return [ask.paid for ask in self.asks]

    @property
    def kept(self) -> Money:
        """The money that the bank has in the end."""
        taken_back = sum(what == "took back" for what, _ in self.order)
        return Money(CENTS * (sum(self.paid) + self.beside - taken_back))


@st.composite
def evenings(
    draw: st.DrawFn,
    *,
    by_hand: bool = False,
    beside: int = 0,
    partners: tuple[str, ...] = ("DEMO", "ACME"),
    takes_back: bool = False,
    nameless: bool = False,
) -> Evening:
    kinds = (False, False, True) if by_hand else (False,)
    ask = st.builds(
        Ask,
        st.sampled_from(partners),
        st.sampled_from(GAPS_H),
        st.sampled_from(kinds),
        st.sampled_from((True, True, False)),
    )
    asks = draw(st.lists(ask, min_size=2, max_size=5))
    words = [draw(st.sampled_from((OWN, ACCOUNT, one.partner))) for one in asks]
    words += [draw(st.sampled_from((ACCOUNT, NOBODYS, *partners))) for _ in range(beside)]
    order = [("asked", n) for n, one in enumerate(asks) if not one.by_hand]
    for n in range(len(words)):
        if n >= len(asks) or asks[n].paid:
            order.append((draw(st.sampled_from(("told", "told", "line"))), n))
            if takes_back and draw(st.booleans()):
                order.append(("took back", n))
    hidden = [n for n in range(len(asks)) if nameless and draw(st.booleans())]
    for n in hidden:
        words[n] = draw(st.sampled_from((ACCOUNT, asks[n].partner)))
    return Evening(asks, beside, words, draw(st.permutations(order)), frozenset(hidden))


class Play:
    """Plays the evening until the bank has reported everything; the books always balance."""

    def __init__(self, store: PlainStore, evening: Evening) -> None:
        store.undo()
        self._store = store
        self.evening = evening
        self._worker = TopUpDriver(store)
        self._random = random.Random(5)
        self._moments: list[datetime] = []
        self._references: list[str] = []
        self._ask()
        for what, n in evening.order:
            self._step(what, n)
            store.now += timedelta(seconds=1)
            assert list(invariant_violations(store.conn)) == []
        self._read_statement()
        while self._admins_match():
            assert list(invariant_violations(store.conn)) == []
            self._read_statement()
        self.topups = [self._worker.get(reference) for reference in self._references]

    @property
    def collected(self) -> Money:
        return self._store.tx.payments.collected()

    @property
    def suspended(self) -> Money:
        return self._store.tx.ledger.balance(Account(HOUSE, AccountKind.SUSPENSE)).posted

    def _ask(self) -> None:
        store, worker = self._store, self._worker
        people = {"DEMO": worker.person, "ACME": store.person("ACME")}
        for ask in self.evening.asks:
            store.now += timedelta(hours=ask.gap_h)
            worker.person = people[ask.partner]
            topup = worker.expect(CENTS) if ask.by_hand else worker.ask(CENTS, PHONE, again=True)
            assert isinstance(topup, TopUp)
            if not ask.by_hand:
                worker.sent(topup.reference, Accepted(f"b-{topup.reference}", None, "ok"))
            self._moments.append(store.now + timedelta(seconds=20))
            self._references.append(topup.reference)
        self._moments += [store.now] * self.evening.beside
        store.now += timedelta(minutes=5)

    def _step(self, what: str, n: int) -> None:
        evening, receipt = self.evening, f"RCPT{n:06}"
        match what:
            case "asked":
                answer = Paid("Success") if evening.paid[n] else NotPaid("cancelled", True, "no")
                self._worker.queried(self._worker.get(self._references[n]), answer)
            case "told":
                moment = self._moments[n]
                payer = Payer("" if n in evening.nameless else PHONE.msisdn)
                words = self._words(n)
                typed = payment_purpose.typed([words], [ACCOUNT])
                payment = Payment(receipt, Money(CENTS), moment, words, payer, "bank", typed)
                self._store.do(lambda tx: payments.record(tx, self._random, payment))
            case "line":
                payer_words = "ASHA" if n in evening.nameless else f"{PHONE.msisdn} ASHA"
                self._line(n, (receipt, self._words(n), payer_words), is_credit=True)
            case _:
                self._line(n, (f"REVERSAL {receipt}",), is_credit=False)

    def _read_statement(self) -> None:
        """In the end the statement contains everything, and is read until its days close."""
        for _ in range(3):
            for what, n in self.evening.order:
                if what != "asked":
                    self._step("took back" if what == "took back" else "line", n)

    def _admins_match(self) -> bool:
        """Two admins match a payment in suspense to what it paid, as the payer has shown them."""
        return any(
            self._store.do(lambda tx, arrived=arrived: self._match(tx, arrived))
            for arrived in self._store.do(lambda tx: tx.payments.every())
            if arrived.state is PaymentState.IN_SUSPENSE
            and int(arrived.payment.receipt[4:]) in self.evening.nameless
        )

    def _match(self, tx: StoreTx, arrived: RecordedPayment) -> bool:
        paid = self._references[int(arrived.payment.receipt[4:])]
        proposal = proposals.propose_match(
            tx, self._random, "root", arrived.reference, paid, "he showed us the message"
        )
        if isinstance(proposal, Refusal):
            return False
        return isinstance(
            proposal_decisions.approve(tx, "rita", "telegram", "2", proposal.id), Approved
        )

    def _words(self, n: int) -> str:
        words = self.evening.words[n]
        return self._references[n] if words == OWN else words

    def _line(self, n: int, words: tuple[str, ...], *, is_credit: bool) -> None:
        day = business_day(self._moments[n])
        line = BankLine.of(day, Money(CENTS), words, is_credit=is_credit)
        lines = intake.with_peers([line])
        self._store.do(lambda tx: intake.record_lines(tx, self._random, "file", lines))


def _each_has_its_receipt(play: Play) -> None:
    assert [topup.state in CREDITED for topup in play.topups] == play.evening.paid
    assert [topup.receipt is not None for topup in play.topups] == play.evening.paid
    assert play.collected == play.evening.kept
    assert play.suspended == Money(0)


many = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(evening=evenings())
def test_when_all_is_known_each_paid_prompt_has_a_receipt_and_nothing_waits(
    store: PlainStore, evening: Evening
) -> None:
    _each_has_its_receipt(Play(store, evening))


@many
@given(evening=evenings(nameless=True))
def test_what_says_not_who_paid_waits_until_two_admins_say_what_it_paid(
    store: PlainStore, evening: Evening
) -> None:
    _each_has_its_receipt(Play(store, evening))


@many
@given(evening=evenings(by_hand=True, beside=1, nameless=True))
def test_what_is_paid_beside_the_prompts_is_booked_once_too(
    store: PlainStore, evening: Evening
) -> None:
    assert Play(store, evening).collected == evening.kept


@many
@given(evening=evenings(beside=1, partners=("DEMO",), takes_back=True, nameless=True))
def test_what_the_bank_takes_back_is_taken_back_once(store: PlainStore, evening: Evening) -> None:
    assert Play(store, evening).collected == evening.kept
