"""Every row of facts: M-PESA, Outcomes, and the phrases of facts: NCBA 1."""

from __future__ import annotations

import pytest

from services.domain.bank import NotPaid, StillOpen
from services.domain.mpesa import NEEDS_ADMIN, Reason, read_failed, read_refusal

BY_CODE = [
    ("1", Reason.INSUFFICIENT, True),
    ("2", Reason.BELOW_MINIMUM, True),
    ("3", Reason.ABOVE_MAXIMUM, True),
    ("4", Reason.DAILY_LIMIT, True),
    ("8", Reason.RECEIVER_LIMIT, True),
    ("17", Reason.SAME_AMOUNT_SOON, True),
    ("26", Reason.BUSY, False),
    ("500.003.02", Reason.BUSY, False),
    ("1001", Reason.OTHER_SESSION, False),
    ("1019", Reason.EXPIRED, False),
    ("1025", Reason.NOT_SHOWN, False),
    ("9999", Reason.NOT_SHOWN, False),
    ("1032", Reason.CANCELLED, True),
    ("1036", Reason.UNREACHABLE, False),
    ("1037", Reason.UNREACHABLE, False),
    ("2001", Reason.WRONG_PIN, True),
    ("2028", Reason.NOT_SET_UP, False),
    ("SFC_IC0003", Reason.NOT_SET_UP, False),
    ("8006", Reason.PIN_LOCKED, True),
]
BY_WORDS = [
    # facts: M-PESA, the column "says"
    ("balance insufficient", Reason.INSUFFICIENT, True),
    ("below minimum", Reason.BELOW_MINIMUM, True),
    ("above maximum", Reason.ABOVE_MAXIMUM, True),
    ("would pass the daily limit", Reason.DAILY_LIMIT, True),
    ("receiving account would pass its limit", Reason.RECEIVER_LIMIT, True),
    ("same amount to the same payer within 2 minutes", Reason.SAME_AMOUNT_SOON, True),
    ("busy", Reason.BUSY, False),
    ("another session is open on the line", Reason.OTHER_SESSION, False),
    ("prompt expired", Reason.EXPIRED, False),
    ("prompt could not be shown", Reason.NOT_SHOWN, False),
    ("cancelled by the payer", Reason.CANCELLED, True),
    ("phone not reachable", Reason.UNREACHABLE, False),
    ("wrong PIN", Reason.WRONG_PIN, True),
    ("product or operator not set up", Reason.NOT_SET_UP, False),
    ("PIN locked", Reason.PIN_LOCKED, True),
    # facts: NCBA 1, final phrases
    ("Request cancelled by user", Reason.CANCELLED, True),
    ("Request Canceled", Reason.CANCELLED, True),
    ("The balance is insufficient for the transaction", Reason.INSUFFICIENT, True),
    ("Incorrect PIN entered", Reason.WRONG_PIN, True),
    ("Invalid M-PESA PIN", Reason.WRONG_PIN, True),
    ("The PIN is incorrect", Reason.WRONG_PIN, True),
    ("The initiator information is invalid - wrong PIN", Reason.WRONG_PIN, True),
    ("Transaction DECLINED", Reason.DECLINED, True),
    ("Request rejected", Reason.REJECTED, True),
    ("Limit reached", Reason.LIMIT, True),
    ("The line is locked", Reason.PIN_LOCKED, True),
    # facts: NCBA 1, soft phrases
    ("The transaction expired", Reason.EXPIRED, False),
    ("Request timed out", Reason.EXPIRED, False),
    ("User unreachable", Reason.UNREACHABLE, False),
    ("DS timeout user cannot be reached", Reason.UNREACHABLE, False),
]


@pytest.mark.parametrize(("text", "reason", "final"), BY_CODE + BY_WORDS)
def test_a_known_failure_has_its_reason_and_is_final_only_where_the_facts_say_so(
    text: str, reason: Reason, final: bool
) -> None:
    assert read_failed(text) == NotPaid(reason, final, text)


@pytest.mark.parametrize(("text", "reason", "final"), BY_CODE + BY_WORDS)
def test_case_does_not_matter(text: str, reason: Reason, final: bool) -> None:
    assert read_failed(text.upper()) == NotPaid(reason, final, text.upper())
    assert read_failed(text.lower()) == NotPaid(reason, final, text.lower())


@pytest.mark.parametrize(("text", "reason", "final"), BY_CODE + BY_WORDS)
def test_a_refused_prompt_request_is_read_by_the_same_table(
    text: str, reason: Reason, final: bool
) -> None:
    assert read_refusal(text) is reason


@pytest.mark.parametrize("code", [code for code, _, _ in BY_CODE])
@pytest.mark.parametrize("around", ["{}: something", "[{}] something", "Failed, ResultCode: {}"])
def test_a_code_is_found_inside_a_description(code: str, around: str) -> None:
    expected = next(reason for known, reason, _ in BY_CODE if known == code)
    answer = read_failed(around.format(code))
    assert isinstance(answer, NotPaid)
    assert answer.reason is expected


@pytest.mark.parametrize(
    "text",
    [
        "The transaction is still under processing",
        "the transaction is STILL UNDER PROCESSING, wrong PIN",
        "System internal error.",
        "Error occurred while processing query",
        "Error occurred while processing query: request cancelled",
        "4999",
        "500.001.1001",
        "[500.001.1001] The transaction is being processed, 1032",
    ],
)
def test_what_is_said_while_the_payer_still_types_is_never_final(text: str) -> None:
    assert read_failed(text) == StillOpen(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "processed",
        "Transaction not found",
        "Something new",
        "777",
        "10321",  # not a whole token
        "x1032",
        "500.003.021",
        "1032.50",
        "1,032",
        "Try again in 2 minutes",  # short codes occur in ordinary sentences
        "1-3 business days",
        "2 minutes left",
        "Payment of KES 2001 received",  # an amount, not a code
        "Payment of 2001 KES received",
        "Amount 8006 noted",
        "Unlimited",
        "Invalid request",
        "The pin code",
    ],
)
def test_an_unknown_text_is_never_final(text: str) -> None:
    assert read_failed(text) == StillOpen(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Declined due to limit rule: less than the minimum amount", Reason.BELOW_MINIMUM),
        ("Declined: would exceed daily transfer limit", Reason.DAILY_LIMIT),
        ("Limit of the receiver would be passed", Reason.RECEIVER_LIMIT),
        ("Rejected: wrong PIN", Reason.WRONG_PIN),
        ("Wrong PIN, line locked", Reason.PIN_LOCKED),
        ("17: Rule limited", Reason.SAME_AMOUNT_SOON),
        ("8 - limit", Reason.RECEIVER_LIMIT),
        ("The balance is insufficient for KES 2001", Reason.INSUFFICIENT),
    ],
)
def test_the_more_telling_words_win(text: str, reason: Reason) -> None:
    answer = read_failed(text)
    assert isinstance(answer, NotPaid)
    assert answer.reason is reason


def test_a_text_with_a_soft_and_a_final_word_is_not_final() -> None:
    answer = read_failed("The prompt expired or was cancelled")
    assert isinstance(answer, NotPaid)
    assert not answer.final


@pytest.mark.parametrize("text", ["", "No", "System internal error.", "Invalid TelephoneNo"])
def test_an_unreadable_refusal_is_the_banks_own(text: str) -> None:
    assert read_refusal(text) is Reason.BANK_REFUSED


def test_what_only_an_admin_can_mend_is_marked_as_ours() -> None:
    assert {Reason.NOT_SET_UP, Reason.RECEIVER_LIMIT, Reason.BANK_REFUSED} == NEEDS_ADMIN


def test_a_very_long_description_is_read_in_reasonable_time() -> None:
    assert read_failed("daily wrong receiver " * 3000) == StillOpen("daily wrong receiver " * 3000)
