"""One-time codes in a real database: which pass, how many tries they allow, how long they last."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services import otp
from services.domain.otp import Purpose
from services.otp import NotPassed, Passed
from tests.kit.one_time_codes import EXPIRED, LOCKED, PENDING, REVOKED, USED, Codes, wrong

# Right and wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [one for one in Purpose if one is not Purpose.APPROVAL])
def test_a_right_code_passes_once(codes: Codes, purpose: Purpose) -> None:
    binding = replace(codes.binding(), purpose=purpose)
    issued = codes.issue(binding)
    assert codes.check(binding, issued.code) == Passed()
    assert codes.check(binding, issued.code) == NotPassed(USED)
    assert codes.newest().attempts == 1


def test_a_wrong_code_says_how_many_tries_are_left_and_the_third_locks(codes: Codes) -> None:
    binding = codes.binding()
    issued = codes.issue(binding)
    bad = wrong(issued.code)
    answers = [codes.check(binding, bad) for _ in range(3)]
    assert answers == [NotPassed(PENDING, 2), NotPassed(PENDING, 1), NotPassed(LOCKED)]
    assert codes.check(binding, issued.code) == NotPassed(LOCKED)
    assert codes.newest().attempts == 3


def test_a_right_code_at_the_third_try_passes(codes: Codes) -> None:
    binding = codes.binding()
    issued = codes.issue(binding)
    for _ in range(2):
        codes.check(binding, wrong(issued.code))
    assert codes.check(binding, issued.code) == Passed()


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "é", "0" * 10_000])
def test_what_is_no_code_counts_and_does_not_pass(codes: Codes, typed: str) -> None:
    codes.issue(codes.binding())
    assert codes.check(codes.binding(), typed) == NotPassed(PENDING, 2)


def test_without_a_code_nothing_passes(codes: Codes) -> None:
    assert codes.check(codes.binding(), "123456") == NotPassed(REVOKED)


# Time -------------------------------------------------------------------------------------------


def test_a_code_passes_just_before_ten_minutes(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    codes.store.wait(minutes=10, milliseconds=-1)
    assert codes.check(codes.binding(), issued.code) == Passed()


def test_a_code_does_not_pass_at_ten_minutes(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    codes.store.wait(minutes=10)
    assert codes.check(codes.binding(), issued.code) == NotPassed(EXPIRED)
    newest = codes.newest()
    assert (newest.status, newest.attempts) == (EXPIRED, 0)


def test_status_names_an_expired_code_so(codes: Codes) -> None:
    codes.issue(codes.binding())
    codes.store.wait(minutes=10, milliseconds=-1)
    before = codes.store.do(lambda tx: otp.status(tx, "FL-1"))
    codes.store.wait(milliseconds=1)
    after = codes.store.do(lambda tx: otp.status(tx, "FL-1"))
    assert before is not None
    assert after is not None
    assert (before.status, after.status) == (PENDING, EXPIRED)


def test_clean_up_marks_expired_ones_and_forgets_old_ones(codes: Codes) -> None:
    kept = timedelta(days=90)
    codes.issue(codes.binding("FL-1"))
    codes.store.wait(minutes=10, milliseconds=-1)
    assert codes.store.do(lambda tx: otp.clean_up(tx, kept, 500)) == ([], 0)
    codes.store.wait(milliseconds=1)
    assert codes.store.do(lambda tx: otp.clean_up(tx, kept, 500)) == (["FL-1"], 0)
    codes.store.wait(days=90, minutes=-10)
    assert codes.store.do(lambda tx: otp.clean_up(tx, kept, 500)) == ([], 0)
    codes.store.wait(milliseconds=1)
    assert codes.store.do(lambda tx: otp.clean_up(tx, kept, 500)) == ([], 1)
