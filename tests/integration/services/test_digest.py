"""The lines of a digest add up to what the wallet or the float changed by, whatever moved it; so do
those of a statement."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.engine.texts import Texts
from services import digests, statements
from services.domain.business_days import business_day
from services.domain.digest import ALWAYS, SPENT, Digest, DigestLine, digest
from services.domain.document import Period
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
    payout_holds,
    payout_owed,
    payout_posted,
    payout_voided,
    suspense_assignment,
    suspense_credit,
    topup_credit,
    wallet_adjustment,
)
from services.domain.money import Money
from services.domain.payout_tariff import payout_quote
from services.domain.statement import CodeTotal, Statement
from services.ports import Tx
from services.statements import Description
from tests.kit.plain_store import PlainStore

DEMO = "DEMO"


def booked(
    kind: str, number: int, amount: Money, available: Money, floats: Money
) -> tuple[Transfer, ...]:
    """The transfers of one operation, as the product books them. ``floats`` are available."""
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
        case "paid" | "on its way" | "returned" | "owed":
            return paid_out(kind, reference, amount, floats)
    return ()


def paid_out(kind: str, reference: str, amount: Money, floats: Money) -> tuple[Transfer, ...]:
    price = payout_quote(Money(max(1_000, amount.cents % 10_000_000 // 100 * 100)))
    if floats.cents < price.total.cents:
        return ()
    holds = payout_holds(reference, DEMO, price)
    match kind:
        case "paid":
            return (*holds, *payout_posted(reference, DEMO, price))
        case "on its way":
            return holds
    returned = payout_voided(reference, DEMO, price)
    owed = payout_owed(reference, DEMO, price) if kind == "owed" else ()
    return (*holds, *returned, *owed)


WALLET_KINDS = (
    *("topup", "paybill", "assigned", "added", "taken", "reversed"),
    *("bought", "held", "given back"),
)
KINDS = (*WALLET_KINDS, "paid", "on its way", "returned", "owed")
MOVES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(1, 10_000_000), st.integers(0, 20)), max_size=12
)


def play(store: PlainStore, moves: list[tuple[str, int, int]]) -> None:
    for number, (kind, cents, hours) in enumerate(moves):
        store.wait(hours=hours)
        available, floats = (
            store.do(lambda tx, account=account: tx.ledger.balance(account)).available
            for account in (WALLET, FLOAT)
        )
        store.book(*booked(kind, number, Money(cents), available, floats))


WALLET = Account(DEMO, AccountKind.WALLET)
FLOAT = Account(DEMO, AccountKind.FLOAT)
BOTH = pytest.mark.parametrize("kept", [WALLET, FLOAT], ids=["wallet", "float"])


def opened(store: PlainStore) -> datetime:
    """An empty desk; when it began."""
    store.undo()
    store.person()
    store.do(lambda tx: tx.ledger.open_accounts("HOUSE", AccountKind, "KES"))
    return store.now


def day_of(
    store: PlainStore, since: datetime, until: datetime, kind: AccountKind = AccountKind.WALLET
) -> Digest:
    return store.do(lambda tx: digests.of(tx, DEMO, since, until, kind))


@BOTH
@given(moves=MOVES)
@settings(max_examples=60, deadline=None)
def test_the_lines_add_up_to_the_change_and_days_follow_each_other(
    store: PlainStore, kept: Account, moves: list[tuple[str, int, int]]
) -> None:
    began = opened(store)
    store.book(opening_balance(DEMO, kept.kind, Money(5_000_000)))
    play(store, moves)
    posted = store.do(lambda tx: tx.ledger.balance(kept)).posted
    day = timedelta(days=1)
    ends = [began + n * day for n in range((store.now - began).days + 2)]
    digest_of = [day_of(store, end, end + day, kept.kind) for end in ends]
    assert digest_of[0].opening == Money(0)
    assert digest_of[-1].closing == posted
    spending = SPENT[kept.kind]
    for one in digest_of:
        received = sum(one.said(line).cents for line in DigestLine if line not in spending)
        spent = sum(one.said(line).cents for line in spending)
        assert received - spent == one.change.cents == one.closing.cents - one.opening.cents
    for one, after in pairwise(digest_of):
        assert one.closing == after.opening


@BOTH
@given(moves=MOVES)
@settings(max_examples=60, deadline=None)
def test_a_statement_leads_from_what_there_was_to_what_there_is(
    store: PlainStore, kept: Account, moves: list[tuple[str, int, int]]
) -> None:
    began = opened(store)
    store.book(opening_balance(DEMO, kept.kind, Money(5_000_000)))
    play(store, moves)
    posted = store.do(lambda tx: tx.ledger.balance(kept)).posted
    first, last = business_day(began), business_day(store.now)
    whole = statement_of(store, kept, Period(first, last))
    assert (whole.opening, whole.closing) == (Money(0), posted)
    assert whole.total_in - whole.total_out == posted
    of_days = [
        statement_of(store, kept, Period(day, day))
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
    ]
    assert [line for one in of_days for line in one.lines] == list(whole.lines)
    for one, after in pairwise(of_days):
        assert one.closing == after.opening


def statement_of(store: PlainStore, kept: Account, period: Period) -> Statement:
    def read(tx: Tx) -> Statement:
        return statements.statement(tx, DEMO, kept.kind, period, lambda _: Description("any"))

    return store.do(read)


def test_each_kind_stands_in_its_line(store: PlainStore) -> None:
    began = opened(store)
    one_each = [(kind, 100_000 + 1_000 * at, 0) for at, kind in enumerate(WALLET_KINDS)]
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


def test_the_float_tells_what_was_paid_apart_from_its_charges(store: PlainStore) -> None:
    began = opened(store)
    bought = [("topup", 100_000_000, 0), ("bought", 2_000_000, 0)]
    paid = [(kind, 150_000, 0) for kind in ("paid", "paid", "on its way", "returned", "owed")]
    play(store, [*bought, *paid])
    day = day_of(store, began, began + timedelta(days=1), AccountKind.FLOAT)
    assert {line: day.said(line).decimal for line in day.moved} == {
        DigestLine.BOUGHT: "20000.00",
        DigestLine.PAYOUTS: "3000.00",
        DigestLine.CHARGES: "10.00",
    }
    assert day.operations[DigestLine.PAYOUTS] == 2
    assert day.change.decimal == "16990.00"


def test_a_top_up_counts_on_the_day_it_was_paid(store: PlainStore) -> None:
    store.undo()
    store.person()
    began = store.now
    store.wait(hours=25)
    store.book(topup_credit("TU-1", DEMO, Money(70_000)))
    assert day_of(store, began, began + timedelta(days=1)).moved == {}
    after = day_of(store, began + timedelta(days=1), began + timedelta(days=2))
    assert after.said(DigestLine.TOPUPS) == Money(70_000)


OF_FLOAT = SPENT[AccountKind.FLOAT]
TOLD = [
    *(("digest", line) for line in DigestLine if line not in ALWAYS | OF_FLOAT),
    *(("float_digest", line) for line in (*OF_FLOAT, DigestLine.OTHER)),
]


@pytest.mark.parametrize(("section", "line"), sorted(TOLD))
def test_every_line_has_words(section: str, line: DigestLine) -> None:
    texts = Texts.load()
    for language in texts.languages:
        said = texts.say(language, f"{section}.{line}", {"amount": Money(700), "count": 1})
        assert "KES 7" in said


@BOTH
@pytest.mark.parametrize("code", TransferCode)
def test_whatever_moves_an_account_has_a_line(kept: Account, code: TransferCode) -> None:
    total = CodeTotal(code, 1, Money(700), Money(200))
    made = digest(kept.kind, Money(0), Money(500), [total])
    assert list(made.moved.values()) == [Money(500)]


def test_lines_that_do_not_add_up_are_not_told() -> None:
    one = [CodeTotal(TransferCode.TOPUP, 1, Money(700), Money(0))]
    with pytest.raises(AssertionError, match="add up to KES 7, and KES 5 moved"):
        digest(AccountKind.WALLET, Money(0), Money(500), one)
