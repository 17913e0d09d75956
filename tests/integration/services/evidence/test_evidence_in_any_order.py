"""Statement lines, reversals and notifications about the same money book it once. Money whose owner
is unclear waits where admins look."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services import payment_notifications, payments, proposal_decisions, proposals
from services.domain.bank import Unknown
from services.domain.bank_line import BankLine
from services.domain.money import Money
from services.domain.payment import (
    BankNotification,
    Payer,
    Payment,
    PaymentState,
    SuspenseReason,
    Verdict,
)
from services.domain.phone import Phone
from services.domain.proposal import Proposal
from services.domain.reconciliation import FindingKind
from services.domain.refusal import Refusal
from services.domain.topup import TopUp, TopUpState
from services.reconciliation import closing, intake
from tests.kit.evidence_bank import (
    CENTS,
    DAY,
    FIRST,
    SECOND,
    UNNAMED,
    Bank,
    approved,
    assigned,
)
from tests.kit.plain_store import PHONE

OTHER = "254733345678"


# Reversals ---------------------------------------------------------------------------------------


def test_what_was_taken_back_stays_so_when_the_right_payment_comes(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)  # a separate payment, taken for the prompt's
    bank.takes_back(SECOND)
    bank.tells(FIRST, bank.store.now, topup.reference)
    assert bank.payment(SECOND).state is PaymentState.REVERSED
    assert (bank.collected, bank.wallet) == (1, 1)


def test_what_left_suspense_and_was_taken_back_does_not_return_there(bank: Bank) -> None:
    first, second = bank.prompt(CENTS), bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)
    bank.is_asked(first, paid=True)
    assert bank.payment(SECOND).state is PaymentState.RELEASED
    bank.takes_back(SECOND)
    bank.is_asked(second, paid=False)
    bank.tells(FIRST, bank.store.now, first.reference)
    assert bank.payment(SECOND).state is PaymentState.REVERSED
    assert (bank.collected, bank.wallet) == (1, 1)


def test_an_inferred_receipt_that_was_taken_back_can_move_on(bank: Bank) -> None:
    first = bank.prompt(CENTS)
    paid_at = bank.store.now
    bank.is_asked(first, paid=True)
    bank.store.wait(hours=5)
    second = bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)
    bank.takes_back(SECOND)
    bank.is_asked(second, paid=True)
    bank.tells(FIRST, paid_at, "DEMO")
    assert bank.worker.get(first.reference).receipt == FIRST
    assert bank.worker.get(second.reference).receipt == SECOND
    assert (bank.collected, bank.wallet) == (1, 1)


def test_who_names_a_top_up_waits_where_what_was_taken_back_may_have_paid_another(
    bank: Bank,
) -> None:
    first, second = bank.prompt(CENTS), bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)
    bank.is_asked(first, paid=True)
    bank.takes_back(SECOND)
    bank.tells(FIRST, bank.store.now, first.reference)
    assert bank.payment(FIRST).why is SuspenseReason.PAID_AGAIN
    bank.is_asked(second, paid=True)
    assert (bank.collected, bank.wallet) == (1, 1)


def test_a_payment_that_may_prove_to_be_a_top_ups_is_taken_back_when_that_is_known(
    bank: Bank,
) -> None:
    first, second = bank.prompt(CENTS), bank.prompt(CENTS)
    bank.tells(FIRST, bank.store.now)
    bank.takes_back(FIRST)
    assert bank.payment(FIRST).state is PaymentState.IN_SUSPENSE
    bank.is_asked(first, paid=True)
    bank.is_asked(second, paid=False)
    bank.takes_back(FIRST)  # the statement is read again
    assert (bank.collected, bank.wallet) == (0, 0)


def test_a_payment_that_is_nobodys_is_taken_back_from_suspense(bank: Bank) -> None:
    first, second = bank.prompt(CENTS), bank.prompt(CENTS)
    bank.tells(FIRST, bank.store.now)
    bank.is_asked(first, paid=False)
    bank.is_asked(second, paid=False)
    bank.takes_back(FIRST)
    assert (bank.collected, bank.wallet) == (0, 0)


# Statement lines and what they name --------------------------------------------------------------


def test_a_line_that_names_its_top_up_frees_the_receipt_there_for_another(bank: Bank) -> None:
    first, second = bank.prompt(CENTS), bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)
    bank.is_asked(first, paid=True)
    bank.has(FIRST, first.reference, "Paybill payment")
    assert bank.payment(FIRST).why is SuspenseReason.PAID_AGAIN
    refused = Refusal.of(
        "may_have_paid", reference=bank.payment(FIRST).reference, topup=second.reference
    )
    assert assigned(bank, FIRST) == refused
    bank.is_asked(second, paid=True)
    assert bank.worker.get(first.reference).receipt == FIRST
    assert bank.worker.get(second.reference).receipt == SECOND
    assert (bank.collected, bank.wallet) == (2, 2)


@pytest.mark.parametrize("words", ["DEMO", UNNAMED])
@pytest.mark.parametrize("asked_first", [True, False])
def test_a_line_by_nobody_knows_whom_is_not_credited_beside_a_top_up_that_it_may_have_paid(
    bank: Bank, words: str, asked_first: bool
) -> None:
    topup = bank.prompt(CENTS)
    if asked_first:
        bank.is_asked(topup, paid=True)
    bank.has(FIRST, words, "Paybill payment")
    if not asked_first:
        bank.is_asked(topup, paid=True)
    assert bank.wallet == 1
    assert bank.payment(FIRST).state is PaymentState.IN_SUSPENSE


def test_a_line_by_nobody_knows_whom_is_the_partners_where_no_top_up_is_near(bank: Bank) -> None:
    bank.has(FIRST, "DEMO", "Paybill payment")
    assert bank.payment(FIRST).state is PaymentState.CREDITED
    assert bank.wallet == 1


@pytest.mark.parametrize("words", ["DEMO", UNNAMED])
def test_a_line_names_a_day_and_the_prompt_may_be_of_the_evening_before(
    bank: Bank, words: str
) -> None:
    bank.store.now = datetime(2026, 3, 2, 20, 58, tzinfo=UTC)  # two minutes before midnight
    topup = bank.prompt(CENTS)
    bank.store.wait(minutes=3)
    bank.is_asked(topup, paid=True)
    bank.store.wait(days=1)
    bank.has(FIRST, words, f"{PHONE.msisdn} ASHA", day=date(2026, 3, 3))
    assert bank.worker.get(topup.reference).receipt == FIRST
    assert (bank.collected, bank.wallet) == (1, 1)


@pytest.mark.parametrize("asked_first", [True, False])
def test_a_notification_that_says_more_than_the_line_settles_what_it_names(
    bank: Bank, asked_first: bool
) -> None:
    topup = bank.prompt(CENTS)
    if asked_first:
        bank.is_asked(topup, paid=True)
    bank.has(FIRST, "Paybill payment")
    assert bank.payment(FIRST).state is PaymentState.IN_SUSPENSE
    bank.tells(FIRST, bank.store.now, topup.reference)
    if not asked_first:
        bank.is_asked(topup, paid=True)
    assert bank.worker.get(topup.reference).receipt == FIRST
    assert (bank.collected, bank.wallet) == (1, 1)
    assert bank.store.tx.evidence.open_review_reasons(bank.payment(FIRST).reference) == []


@pytest.mark.parametrize("line_first", [True, False])
def test_a_line_that_names_a_top_up_and_no_receipt_is_its_line(
    bank: Bank, line_first: bool
) -> None:
    topup = bank.prompt(CENTS)
    if not line_first:
        bank.tells(FIRST, bank.store.now, topup.reference)
    day = bank.has(f"PAID {topup.reference}")
    if line_first:
        bank.tells(FIRST, bank.store.now, topup.reference)
        day = bank.has(f"PAID {topup.reference}")
    assert day.closed_at is not None
    assert (bank.collected, bank.wallet) == (1, 1)


def test_a_partners_code_is_not_taken_for_a_receipt(bank: Bank) -> None:
    bank.store.person("KARIBUSHOP")  # ten characters, like a receipt
    bank.has(FIRST, "KARIBUSHOP", f"PAYBILL {PHONE.msisdn} ASHA")
    assert bank.payment(FIRST).partner == "KARIBUSHOP"


def test_a_word_of_ten_letters_is_no_receipt_beside_one_with_a_digit(bank: Bank) -> None:
    bank.has(FIRST, "DEMO", f"{PHONE.msisdn} ASHA", "COLLECTION")
    assert bank.wallet == 1


@pytest.mark.parametrize(
    "words",
    [
        ("S123456789", f"{UNNAMED}#DEMO"),
        ("FT26061ABCDE", "DEMO", "COLLECTION"),
        (f"{FIRST}-254712345678", "S123456789", "DEMO"),
    ],
    ids=["the bank's own number", "a word of ten letters", "the receipt beside a phone"],
)
def test_a_line_with_another_number_is_no_second_payment(bank: Bank, words: tuple[str]) -> None:
    bank.tells(FIRST, bank.store.now, "DEMO")
    day = bank.has(*words)
    assert (bank.collected, bank.wallet) == (1, 1)
    assert day.closed_at is None or bank.store.count("SELECT count(*) FROM external_payments") == 1


def test_a_line_of_the_next_day_with_another_number_is_no_second_payment(bank: Bank) -> None:
    bank.store.now = datetime(2026, 3, 2, 20, 59, tzinfo=UTC)  # a minute before midnight
    bank.tells(FIRST, bank.store.now, "DEMO")
    left = bank.has("S123456789", f"{UNNAMED}#DEMO", day=DAY + timedelta(days=1))
    assert (bank.collected, bank.wallet) == (1, 1)
    assert left.closed_at is None


def test_the_banks_own_number_for_a_named_top_up_is_no_second_payment(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.tells(FIRST, bank.store.now, topup.reference)
    left = bank.has("S123456789", f"{UNNAMED}#{topup.reference}")
    assert (bank.collected, bank.wallet) == (1, 1)
    assert left.closed_at is None


def test_a_line_without_a_receipt_does_not_pay_what_is_paid_in_already(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.is_asked(topup, paid=False)
    bank.tells(FIRST, bank.store.now, "DEMO")
    left = bank.has(f"PAID {topup.reference}")
    assert (bank.collected, bank.wallet) == (1, 1)
    assert [found.about for found in left.findings if found.kind is FindingKind.UNKNOWN_CREDIT] == [
        topup.reference
    ]


def test_a_line_without_a_receipt_may_be_that_of_what_nobody_knows(bank: Bank) -> None:
    topup = bank.worker.expect(CENTS)
    assert isinstance(topup, TopUp)
    bank.tells(FIRST, bank.store.now, UNNAMED, payer=OTHER)
    bank.has(f"PAID {topup.reference}")
    assert bank.collected == 1


def test_a_line_that_names_the_top_up_takes_a_known_payment_out_of_suspense(bank: Bank) -> None:
    topup = bank.worker.expect(CENTS)
    assert isinstance(topup, TopUp)
    bank.tells(FIRST, bank.store.now, UNNAMED, payer=OTHER)
    assert bank.payment(FIRST).state is PaymentState.IN_SUSPENSE
    bank.has(FIRST, topup.reference)
    assert bank.worker.get(topup.reference).state is TopUpState.PAID
    assert bank.wallet == 1


def test_a_line_settles_a_prompt_that_may_never_have_been_sent(bank: Bank) -> None:
    topup = bank.worker.ask(CENTS, PHONE, again=True)
    assert isinstance(topup, TopUp)
    bank.worker.sent(topup.reference, Unknown("read timeout"))
    bank.tells(FIRST, bank.store.now, UNNAMED, payer="")
    assert bank.has(FIRST, topup.reference).closed_at is not None
    assert bank.worker.get(topup.reference).state is TopUpState.PAID


@pytest.mark.parametrize("by_line", [True, False])
def test_who_names_another_partners_top_up_later_is_heard_by_admins(
    bank: Bank, *, by_line: bool
) -> None:
    bank.prompt(CENTS)  # one partner's, never paid
    acme = replace(bank.store.person("ACME"), phone=Phone(OTHER))
    bank.worker.person = acme
    by_hand = bank.worker.expect(CENTS)
    assert isinstance(by_hand, TopUp)
    bank.tells(FIRST, bank.store.now)  # from the first partner's phone
    if by_line:
        bank.has(FIRST, by_hand.reference)
    else:
        bank.tells(FIRST, bank.store.now, by_hand.reference)
    arrived = bank.payment(FIRST)
    assert arrived.partner == "DEMO"
    assert bank.store.tx.evidence.open_review_reasons(arrived.reference) == [payments.NAMES_ANOTHER]


def test_a_dismissal_does_not_cover_what_was_told_after_it_was_proposed(bank: Bank) -> None:
    bank.prompt(CENTS)
    bank.worker.person = replace(bank.store.person("ACME"), phone=Phone(OTHER))
    by_hand = bank.worker.expect(CENTS)
    assert isinstance(by_hand, TopUp)
    about = bank.tells(FIRST, bank.store.now).reference
    bank.store.do(lambda tx: tx.evidence.open_review(about, payments.DIFFERS))
    proposed = bank.store.do(
        lambda tx: proposals.propose_dismissal(tx, bank.random, "admin:1", about, "compared")
    )
    assert isinstance(proposed, Proposal)
    bank.tells(FIRST, bank.store.now, by_hand.reference)
    assert approved(bank, proposed) == Refusal.of("proposal_overtaken", reference=about)
    assert payments.NAMES_ANOTHER in bank.store.tx.evidence.open_review_reasons(about)


def test_a_line_that_was_dismissed_is_no_evidence_when_it_is_read_again(bank: Bank) -> None:
    bank.tells(FIRST, bank.store.now, "DEMO")
    (found,) = (
        one for one in bank.has(SECOND, "DEMO").findings if one.kind is FindingKind.UNKNOWN_CREDIT
    )
    proposed = bank.store.do(
        lambda tx: proposals.propose_dismissal(tx, bank.random, "admin:1", found.id, "a mistake")
    )
    assert isinstance(proposed, Proposal)
    bank.store.do(
        lambda tx: proposal_decisions.approve(tx, "admin:2", "terminal", "2", proposed.id)
    )
    bank.has(FIRST, "DEMO")
    bank.has(SECOND, "DEMO")
    assert (bank.collected, bank.wallet) == (1, 1)


@pytest.mark.parametrize("written", ["254712345678", "+254712345678", "0712345678", "712345678"])
def test_a_hashed_payer_is_known_however_the_number_was_written(bank: Bank, written: str) -> None:
    topup = bank.prompt(CENTS)
    hashed = hashlib.sha256(written.encode()).hexdigest()
    bank.tells(FIRST, bank.store.now, "DEMO", payer=hashed)
    bank.is_asked(topup, paid=True)
    assert (bank.collected, bank.wallet) == (1, 1)


@pytest.mark.parametrize("ahead", [timedelta(hours=2), -timedelta(days=8)])
def test_a_notification_of_a_time_that_cannot_be_true_credits_nobody(
    bank: Bank, ahead: timedelta
) -> None:
    payment = Payment(
        FIRST, Money(CENTS), bank.store.now + ahead, "DEMO", Payer(OTHER), "ncba.notification"
    )
    told = BankNotification("digest", Verdict.TAKEN, "{}", FIRST, payment)
    taken = bank.store.do(
        lambda tx: payment_notifications.record_notification(tx, bank.random, told)
    )
    assert not taken.accepted
    assert [type(one) for one in taken.effects] == [payments.RefusedNotification]
    assert (bank.collected, bank.wallet) == (0, 0)


def test_two_payments_of_one_amount_are_two_when_each_has_its_line(bank: Bank) -> None:
    bank.tells(FIRST, bank.store.now, "DEMO")
    bank.has(SECOND, "DEMO", f"{PHONE.msisdn} ASHA")
    assert bank.wallet == 1
    bank.has(FIRST, "DEMO", f"{PHONE.msisdn} ASHA")
    bank.has(SECOND, "DEMO", f"{PHONE.msisdn} ASHA")
    assert (bank.collected, bank.wallet) == (2, 2)


def test_a_line_in_another_currency_is_left_over(bank: Bank) -> None:
    line = BankLine.of(DAY, Money(CENTS, "USD"), (FIRST, "DEMO"), is_credit=True)
    numbered = intake.with_peers([line])
    bank.store.do(lambda tx: intake.record_lines(tx, bank.random, "file", numbered))
    day, _ = bank.store.after(DAY, lambda tx: closing.close_day(tx, bank.random, DAY, "file"))
    assert len(day.findings) == 1
    assert bank.wallet == 0


def test_a_copy_of_what_was_taken_is_received_whatever_the_settings_are_now(bank: Bank) -> None:
    payment = Payment(FIRST, Money(CENTS), bank.store.now, "DEMO", Payer(PHONE.msisdn), "ncba")
    taken = BankNotification("digest", Verdict.TAKEN, "{}", FIRST, payment)
    refused = BankNotification("digest", Verdict.BAD_CREDENTIALS, "{}", FIRST)
    for notification in (taken, refused):
        answer = bank.store.do(
            lambda tx, one=notification: payment_notifications.record_notification(
                tx, bank.random, one
            )  # type: ignore[misc]
        )
        assert answer.accepted
    assert bank.wallet == 1
