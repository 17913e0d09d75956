"""Payments of one person and amount, in any order of evidence: in the end all are booked once."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import payments
from services.domain.bank import Accepted, NotPaid, Paid
from services.domain.ledger import HOUSE, Account, AccountKind
from services.domain.money import Money
from services.domain.payment import Payer, Payment
from services.domain.topup import CREDITED, TopUp
from storage.problems import problems
from tests.integration.plain_store import PHONE, PlainStore
from tests.integration.topup_worker import Worker

CENTS = 50_000
OWN = "own"
ACCOUNT = "774451"  # what a payment says that names nothing
PARTNERS = ("DEMO", "ACME")
GAPS_H = (0.01, 5, 20)  # between two prompts: within one payment's reach, or not


class Ask(NamedTuple):
    """A top-up for a partner, so many hours after the one before; paid at once, or never."""

    partner: str
    gap_h: float
    by_hand: bool
    paid: bool


class Evening(NamedTuple):
    """What is asked for, all from one phone; how often that phone pays beside; and in which order
    the bank tells: of prompts when asked, of payments by itself, with the words of who paid.
    ``OWN`` names the top-up itself."""

    asks: list[Ask]
    beside: int
    words: list[str]
    order: list[tuple[str, int]]

    @property
    def paid(self) -> list[bool]:
        return [ask.paid for ask in self.asks]

    @property
    def payments(self) -> int:
        return sum(self.paid) + self.beside


@st.composite
def evenings(draw: st.DrawFn, *, by_hand: bool, beside: int) -> Evening:
    kinds = (False, False, True) if by_hand else (False,)
    ask = st.builds(
        Ask,
        st.sampled_from(PARTNERS),
        st.sampled_from(GAPS_H),
        st.sampled_from(kinds),
        st.sampled_from((True, True, False)),
    )
    asks = draw(st.lists(ask, min_size=2, max_size=5))
    words = [draw(st.sampled_from((OWN, ACCOUNT, one.partner))) for one in asks]
    words += [draw(st.sampled_from((ACCOUNT, *PARTNERS))) for _ in range(beside)]
    order = [("asked", n) for n, one in enumerate(asks) if not one.by_hand]
    order += [("told", n) for n in range(len(words)) if n >= len(asks) or asks[n].paid]
    return Evening(asks, beside, words, draw(st.permutations(order)))


@pytest.fixture(scope="module")
def store() -> Iterator[PlainStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = PlainStore(Path(folder) / "hazina.db")
        yield store
        store.close()


def _play(store: PlainStore, evening: Evening) -> list[TopUp]:
    """The top-ups as they stand when all has been told."""
    store.undo()
    worker = Worker(store)
    people = {"DEMO": worker.person, "ACME": store.person("ACME")}
    moments, references = [], []
    for ask in evening.asks:
        store.now += timedelta(hours=ask.gap_h)
        worker.person = people[ask.partner]
        topup = worker.expect(CENTS) if ask.by_hand else worker.ask(CENTS, PHONE, again=True)
        assert isinstance(topup, TopUp)
        if not ask.by_hand:
            worker.sent(topup.reference, Accepted(f"b-{topup.reference}", None, "ok"))
        moments.append(store.now + timedelta(seconds=20))
        references.append(topup.reference)
    moments += [store.now] * evening.beside
    store.now += timedelta(minutes=5)
    for what, n in evening.order:
        if what == "told":
            payer = Payer(PHONE.msisdn)
            words = references[n] if evening.words[n] == OWN else evening.words[n]
            payment = Payment(f"RCPT{n:06}", Money(CENTS), moments[n], words, payer, "bank")
            store.do(lambda tx, one=payment: payments.record(tx, random.Random(n), one))  # type: ignore[misc]  # noqa: B023
        else:
            answer = Paid("Success") if evening.paid[n] else NotPaid("cancelled", True, "no")
            worker.queried(worker.get(references[n]), answer)
        store.now += timedelta(seconds=1)
        assert list(problems(store.conn)) == []
    return [worker.get(reference) for reference in references]


many = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(evening=evenings(by_hand=False, beside=0))
def test_when_all_is_known_each_paid_prompt_has_a_receipt_and_nothing_waits(
    store: PlainStore, evening: Evening
) -> None:
    topups = _play(store, evening)
    assert [topup.state in CREDITED for topup in topups] == evening.paid
    assert [topup.receipt is not None for topup in topups] == evening.paid
    assert store.tx.payments.collected() == Money(CENTS * evening.payments)
    suspense = store.tx.ledger.balance(Account(HOUSE, AccountKind.SUSPENSE))
    assert suspense.posted == Money(0)


@many
@given(evening=evenings(by_hand=True, beside=1))
def test_what_is_paid_beside_the_prompts_is_booked_once_too(
    store: PlainStore, evening: Evening
) -> None:
    _play(store, evening)
    assert store.tx.payments.collected() == Money(CENTS * evening.payments)
