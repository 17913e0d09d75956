"""Doubtful words: beside them, neither a refusal nor a success is final."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.bank import NotPaid, Rejected, StillOpen
from services.domain.doubtful_words import doubts, normalised, says_no, says_yes
from services.domain.mpesa import Reason, is_doubtful, read_failed, read_refusal
from services.gateways.ncba.collections_wire import read_initiate
from services.gateways.openbanking.purchase_wire import read_purchase
from tests.kit.bank_replies import CREDENTIALS, refused, reply
from tests.kit.mpesa_texts import CLEAR, DOUBTFUL, OUTCOMES

# --- M-PESA's own texts -------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "code", "reason", "final"), OUTCOMES)
def test_a_text_of_mpesas_own_means_what_the_facts_say(
    text: str, code: str, reason: Reason, final: bool
) -> None:
    assert read_failed(text) == NotPaid(reason, final, text)
    assert read_refusal(text) is reason
    assert not is_doubtful(text)


@pytest.mark.parametrize(("text", "code", "reason", "final"), OUTCOMES)
def test_its_code_with_it_changes_nothing(
    text: str, code: str, reason: Reason, final: bool
) -> None:
    said = f"{code}: {text}"
    assert read_failed(said) == NotPaid(reason, final, said)


@pytest.mark.parametrize(("text", "code", "reason", "final"), OUTCOMES)
def test_the_code_of_another_outcome_beside_it_leaves_it_open(
    text: str, code: str, reason: Reason, final: bool
) -> None:
    other = "1032" if reason is not Reason.CANCELLED else "2001"
    answer = read_failed(text, [other])
    assert not isinstance(answer, NotPaid) or not answer.final


def test_a_code_decides_beside_words_of_doubt() -> None:
    assert read_failed("2001: wrong PIN, please try again").final  # type: ignore[union-attr]
    assert read_refusal("17: try again after two minutes") is Reason.SAME_AMOUNT_SOON
    assert not is_doubtful("17: try again after two minutes")


@pytest.mark.parametrize(
    "text",
    [
        "Failed: request 2001 was lost, try again",
        "Batch 1032 not found",
        "Your reference 8006 is unknown",
        "Queue position 1037",
    ],
)
def test_a_number_that_does_not_stand_where_a_code_does_is_none(text: str) -> None:
    assert read_failed(text) == StillOpen(text)


# --- Doubt --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", DOUBTFUL)
def test_doubt_is_seen(text: str) -> None:
    assert doubts(text)
    assert is_doubtful(text)


@pytest.mark.parametrize("text", DOUBTFUL)
@pytest.mark.parametrize("around", ["{}", "Request cancelled. {}", "{} (wrong PIN)"])
def test_a_failure_with_doubt_in_it_is_never_final(text: str, around: str) -> None:
    answer = read_failed(around.format(text))
    assert not isinstance(answer, NotPaid) or not answer.final


@given(st.sampled_from(DOUBTFUL), st.sampled_from(["", "  ", "\t", "!", "… "]), st.booleans())
def test_neither_case_nor_marks_hide_a_doubt(text: str, mark: str, upper: bool) -> None:
    written = text.upper() if upper else text
    assert doubts(f"{mark}{written}{mark}")


@given(st.sampled_from(DOUBTFUL))
def test_doubt_survives_other_joints(text: str) -> None:
    assert doubts(normalised(text).replace(" ", "_"))
    assert doubts(normalised(text).replace(" ", "-"))


@pytest.mark.parametrize(
    "text",
    [
        "Debit account blocked",
        "Invalid TelephoneNo: use 254XXXXXXXXX",
        "Invalid Network or TransactionType",
        "The balance is insufficient for the transaction",
        "Kosa lisilojulikana 77",
        "Unlimited",
        "Timeline closed",
        "Plate rented",
        "",
    ],
)
def test_a_plain_no_is_no_doubt(text: str) -> None:
    assert not doubts(text)


@pytest.mark.parametrize(
    "word", ["kes ", "not ", "code ", "transaction ", "no ", "payment of ", "status ", "a " * 9]
)
def test_a_long_text_is_asked_in_reasonable_time(word: str) -> None:
    text = word * (64 * 1024 // len(word))
    began = process_time()
    doubts(text)
    says_yes(text)
    says_no(text)
    assert process_time() - began < 1


@pytest.mark.parametrize("text", CLEAR)
def test_a_refusal_in_clear_words_stays_one(text: str) -> None:
    assert not doubts(text)
    assert isinstance(read_initiate(refused(text)), Rejected)
    for status in (400, 403):
        assert isinstance(read_initiate(reply(status, message=text)), Rejected)
        assert isinstance(read_purchase(reply(status, message=text), CREDENTIALS), Rejected)
    known = reply(200, resultCode="051", statusDescription=text)
    assert isinstance(read_purchase(known, CREDENTIALS), Rejected)
