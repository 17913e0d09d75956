"""Days of payouts against the short code's statement: what agrees, what settles, what is left."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from services.domain.money import Money
from services.domain.payout import Payout
from services.domain.short_code_line import PayoutDay, PayoutFinding, ShortCodeLine
from services.payout_reconciliation import (
    DIFFERS,
    NOT_ON_STATEMENT,
    UNKNOWN_DEBIT,
    compare_day,
)
from services.payout_settlement import PayoutChange
from tests.kit.payout_payer import (
    AMOUNT,
    OTHER_PAYEE,
    OTHER_RECEIPT,
    RECEIPT,
    PayoutPayer,
    S,
    in_state,
    paid,
)

DAY = date(2026, 3, 2)  # as every test's clock begins
A_SHILLING = Money(1_00)
STRANGE = "TZZ9999999"  # the receipt of a payment that is none of ours


def line_of(
    payout: Payout, receipt: str = RECEIPT, amount: Money | None = None, party: str | None = None
) -> ShortCodeLine:
    """The statement's line of a payout on the day it was made."""
    named = f"{payout.recipient.msisdn} - GITHINJI SPECIMEN" if party is None else party
    return ShortCodeLine(receipt, DAY, amount or payout.amount, named)


def compared(
    payer: PayoutPayer, *lines: ShortCodeLine, day: date = DAY
) -> tuple[PayoutDay, Sequence[PayoutChange]]:
    return payer.store.do(lambda tx: compare_day(tx, random.Random(1), day, lines))


def left_over(found: PayoutDay) -> list[tuple[str, str]]:
    return [(finding.about, finding.why) for finding in found.findings]


def test_a_day_agrees_whose_payouts_the_statement_lists(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.PAID)
    payout = payer.get(reference)
    day, changes = compared(payer, line_of(payout))
    assert (day.agrees, day.lines, day.matched, changes) == (True, 1, 1, [])
    assert (day.withdrawn, day.tariff) == (AMOUNT, payout.quote.fees)
    assert payer.reviews(reference) == []


@pytest.mark.parametrize("state", [S.UNKNOWN, S.ACCEPTED])
def test_a_line_settles_the_only_payout_that_it_can_be(payer: PayoutPayer, state: S) -> None:
    reference = in_state(payer, state)
    day, changes = compared(payer, line_of(payer.get(reference)))
    assert (day.agrees, list(day.settled)) == (True, [reference])
    assert [change.payout.state for change in changes] == [S.PAID]
    assert (payer.state(reference), payer.get(reference).receipt) == (S.PAID, RECEIPT)
    assert payer.available() == 100_000_000 - AMOUNT.cents - payer.get(reference).quote.fees.cents


def test_a_line_that_can_be_either_of_two_payouts_settles_neither(payer: PayoutPayer) -> None:
    first, second = in_state(payer, S.UNKNOWN), in_state(payer, S.UNKNOWN)
    day, changes = compared(payer, line_of(payer.get(first)))
    assert [finding.why for finding in day.findings] == [UNKNOWN_DEBIT]
    assert changes == []
    assert (payer.state(first), payer.state(second)) == (S.UNKNOWN, S.UNKNOWN)


@pytest.mark.parametrize("party", ["2547*****111 - G*** S***", "0722000111 GITHINJI"])
def test_a_masked_party_is_the_recipient(payer: PayoutPayer, party: str) -> None:
    reference = in_state(payer, S.UNKNOWN)
    compared(payer, line_of(payer.get(reference), party=party))
    assert payer.state(reference) is S.PAID


@pytest.mark.parametrize("party", ["", "SAFARICOM", "NCBA BANK KENYA PLC settlement 888880"])
def test_a_line_that_names_no_phone_settles_nothing(payer: PayoutPayer, party: str) -> None:
    """What leaves the account for a bank or for M-PESA's own fees may be of the same amount."""
    reference = in_state(payer, S.UNKNOWN)
    day, changes = compared(payer, line_of(payer.get(reference), party=party))
    assert [finding.why for finding in day.findings] == [UNKNOWN_DEBIT]
    assert (changes, payer.state(reference)) == ([], S.UNKNOWN)


def test_of_two_lines_that_can_be_one_payout_neither_settles_it(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.UNKNOWN)
    payout = payer.get(reference)
    lines = (line_of(payout), line_of(payout, OTHER_RECEIPT, party="2547*****111 - J***"))
    day, changes = compared(payer, *lines)
    assert [finding.why for finding in day.findings] == [UNKNOWN_DEBIT, UNKNOWN_DEBIT]
    assert (changes, payer.state(reference)) == ([], S.UNKNOWN)


def test_a_line_whose_payout_is_known_later_is_looked_into_no_more(payer: PayoutPayer) -> None:
    first, second = in_state(payer, S.UNKNOWN), in_state(payer, S.UNKNOWN)
    line = line_of(payer.get(first))
    (finding,) = compared(payer, line)[0].findings
    assert payer.reviews(finding.about) == [UNKNOWN_DEBIT]
    payer.says(paid(payer.get(second), OTHER_RECEIPT))
    day, _ = compared(payer, line)
    assert (list(day.settled), payer.reviews(finding.about)) == ([first], [])


def test_the_tariff_is_of_the_payouts_that_the_statement_lists(payer: PayoutPayer) -> None:
    in_state(payer, S.PAID)
    day, _ = compared(payer)
    assert day.tariff == Money(0)


def test_a_line_to_somebody_else_or_of_another_amount_settles_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.UNKNOWN)
    payout = payer.get(reference)
    elsewhere = line_of(payout, party=f"{OTHER_PAYEE.msisdn} - BARAKA MFANO")
    dearer = line_of(payout, OTHER_RECEIPT, payout.amount + A_SHILLING)
    day, changes = compared(payer, elsewhere, dearer)
    assert [finding.why for finding in day.findings] == [UNKNOWN_DEBIT, UNKNOWN_DEBIT]
    assert (changes, payer.state(reference)) == ([], S.UNKNOWN)


def test_a_paid_payout_whose_line_says_otherwise_is_for_an_admin(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.PAID)
    day, _ = compared(payer, line_of(payer.get(reference), amount=AMOUNT + A_SHILLING))
    assert left_over(day) == [(reference, DIFFERS)]
    assert payer.reviews(reference) == [DIFFERS]


def test_a_paid_payout_that_the_statement_lacks_is_for_an_admin_until_it_is_listed(
    payer: PayoutPayer,
) -> None:
    reference = in_state(payer, S.PAID)
    day, _ = compared(payer)
    assert left_over(day) == [(reference, NOT_ON_STATEMENT)]
    assert payer.reviews(reference) == [NOT_ON_STATEMENT]
    longer, _ = compared(payer, line_of(payer.get(reference)))
    assert (longer.agrees, payer.reviews(reference)) == (True, [])


def test_a_payment_of_nobody_here_keeps_its_name_and_is_found_by_it(payer: PayoutPayer) -> None:
    strange = ShortCodeLine(STRANGE, DAY, AMOUNT, "254799000999 - NOBODY HERE")
    (first,) = compared(payer, strange)[0].findings
    (again,) = compared(payer, strange)[0].findings
    assert (
        first
        == again
        == PayoutFinding(
            first.about,
            UNKNOWN_DEBIT,
            AMOUNT,
            f"M-PESA receipt {STRANGE}, {AMOUNT}, {strange.party}",
        )
    )
    assert payer.reviews(first.about) == [UNKNOWN_DEBIT]
    assert payer.store.tx.short_code_lines.of_finding(first.about) == strange


def test_a_day_compared_twice_says_the_same_and_pays_once(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.UNKNOWN)
    line = line_of(payer.get(reference))
    compared(payer, line)
    available = payer.available()
    again, changes = compared(payer, line)
    assert (again.agrees, again.settled, changes) == (True, [], [])
    assert payer.available() == available


def test_a_returned_payout_that_the_statement_lists_is_owed(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.RETURNED)
    available = payer.available()
    payout = payer.get(reference)
    compared(payer, line_of(payout))
    assert payer.state(reference) is S.PAID_AFTER_RETURN
    assert (payer.available(), payer.owed()) == (available, payout.quote.total.cents)


def test_payouts_of_another_day_are_not_missing(payer: PayoutPayer) -> None:
    in_state(payer, S.PAID)
    day, _ = compared(payer, day=DAY + timedelta(days=1))
    assert (day.agrees, day.lines) == (True, 0)
