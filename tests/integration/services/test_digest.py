"""The lines of a digest add up to what the wallet changed by, whatever moved it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.engine.texts import Texts
from services import digests
from services.domain.digest import ALWAYS, SPENT, Digest, DigestLine, digest
from services.domain.fees import Quote
from services.domain.ledger import (
    Account,
    AccountKind,
    Transfer,
    TransferCode,
    float_holds,
    float_posted,
    float_voided,
    opening_balance,
    payment_credit,
    payment_reversal,
    suspense_assignment,
    suspense_credit,
    topup_credit,
    wallet_adjustment,
)
from services.domain.money import Money
from services.domain.statement import CodeTotal
from tests.kit.plain_store import PlainStore

DEMO = "DEMO"


def booked(kind: str, number: int, amount: Money, available: Money) -> tuple[Transfer, ...]:
    """The transfers of one operation, as the product books them."""
    reference = f"OP-{number}"
    quote = Quote(amount, Money(2_500), Money(1_000 if number % 2 else 0), 1, 1)
    within = amount.cents <= available.cents
    match kind:
        case "topup":
            return (topup_credit(reference, DEMO, amount),)
        case "paybill":
            return (payment_credit(reference, DEMO, amount),)
        case "assigned":
            into = suspense_credit(f"{reference}S", amount)
            return (into, suspense_assignment(reference, DEMO, amount))
        case "added":
            return (wallet_adjustment(reference, DEMO, amount, credit=True),)
        case "taken" if within:
            return (wallet_adjustment(reference, DEMO, amount, credit=False),)
        case "reversed":
            return payment_reversal(reference, DEMO, amount, available)
        case "bought" | "held" | "given back" if quote.total.cents <= available.cents:
            ends = {"bought": float_posted, "given back": float_voided}
            end = ends[kind](reference, DEMO, quote) if kind in ends else ()
            return (*float_holds(reference, DEMO, quote), *end)
    return ()


KINDS = (
    *("topup", "paybill", "assigned", "added", "taken", "reversed"),
    *("bought", "held", "given back"),
)
MOVES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(1, 10_000_000), st.integers(0, 20)), max_size=12
)


def play(store: PlainStore, moves: list[tuple[str, int, int]]) -> None:
    for number, (kind, cents, hours) in enumerate(moves):
        store.wait(hours=hours)
        available = store.do(lambda tx: tx.ledger.balance(WALLET)).available
        store.book(*booked(kind, number, Money(cents), available))


WALLET = Account(DEMO, AccountKind.WALLET)


def day_of(store: PlainStore, since: datetime, until: datetime) -> Digest:
    return store.do(lambda tx: digests.of(tx, DEMO, since, until))


@given(moves=MOVES)
@settings(max_examples=60, deadline=None)
def test_the_lines_add_up_to_the_change_and_days_follow_each_other(
    store: PlainStore, moves: list[tuple[str, int, int]]
) -> None:
    store.undo()
    store.person()
    store.do(lambda tx: tx.ledger.open_accounts("HOUSE", AccountKind, "KES"))
    began = store.now
    store.book(opening_balance(DEMO, AccountKind.WALLET, Money(5_000_000)))
    play(store, moves)
    posted = store.do(lambda tx: tx.ledger.balance(WALLET)).posted
    day = timedelta(days=1)
    ends = [began + n * day for n in range((store.now - began).days + 2)]
    digest_of = [day_of(store, end, end + day) for end in ends]
    assert digest_of[0].opening == Money(0)
    assert digest_of[-1].closing == posted
    for one in digest_of:
        received = sum(one.said(line).cents for line in DigestLine if line not in SPENT)
        spent = sum(one.said(line).cents for line in SPENT)
        assert received - spent == one.change.cents == one.closing.cents - one.opening.cents
    for one, after in pairwise(digest_of):
        assert one.closing == after.opening


def test_each_kind_stands_in_its_line(store: PlainStore) -> None:
    store.undo()
    store.person()
    store.do(lambda tx: tx.ledger.open_accounts("HOUSE", AccountKind, "KES"))
    began = store.now
    one_each = [(kind, 100_000 + 1_000 * at, 0) for at, kind in enumerate(KINDS)]
    play(store, [("topup", 100_000_000, 0), *one_each])
    day = day_of(store, began, began + timedelta(days=1))
    assert {line: day.said(line).decimal for line in day.moved} == {
        DigestLine.TOPUPS: "1001000.00",
        DigestLine.PAYBILL: "2030.00",
        DigestLine.CORRECTIONS: "-10.00",
        DigestLine.REVERSED: "1050.00",
        DigestLine.BOUGHT: "1060.00",
        DigestLine.FEES: "35.00",
    }
    assert (day.operations[DigestLine.TOPUPS], day.operations[DigestLine.PAYBILL]) == (2, 2)


def test_a_top_up_counts_on_the_day_it_was_paid(store: PlainStore) -> None:
    store.undo()
    store.person()
    began = store.now
    store.wait(hours=25)
    store.book(topup_credit("TU-1", DEMO, Money(70_000)))
    assert day_of(store, began, began + timedelta(days=1)).moved == {}
    after = day_of(store, began + timedelta(days=1), began + timedelta(days=2))
    assert after.said(DigestLine.TOPUPS) == Money(70_000)


@pytest.mark.parametrize("line", sorted(set(DigestLine) - ALWAYS))
def test_every_line_has_words(line: DigestLine) -> None:
    texts = Texts.load()
    for language in texts.languages:
        said = texts.say(language, f"digest.{line}", {"amount": Money(700), "count": 1})
        assert "KES 7" in said


@pytest.mark.parametrize("code", TransferCode)
def test_whatever_moves_a_wallet_has_a_line(code: TransferCode) -> None:
    total = CodeTotal(code, 1, Money(700), Money(200))
    made = digest(Money(0), Money(500), [total])
    assert list(made.moved.values()) == [Money(500)]


def test_lines_that_do_not_add_up_are_not_told() -> None:
    with pytest.raises(AssertionError, match="add up to KES 7, and KES 5 moved"):
        digest(Money(0), Money(500), [CodeTotal(TransferCode.TOPUP, 1, Money(700), Money(0))])
