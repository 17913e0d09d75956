"""A code may be checked before it is used: every check counts, the use of a right one does not."""

from __future__ import annotations

from datetime import timedelta

from services import otp
from services.domain.otp import LIFE, OtpStatus
from services.otp import Issued, NotPassed, Passed, Verified
from tests.kit.one_time_codes import Codes
from tests.kit.plain_store import PHONE


def _verify(codes: Codes, issued: Issued, code: str | None = None) -> Verified | NotPassed:
    binding = issued.otp.binding
    return codes.store.do(lambda tx: otp.verify(tx, codes.keys, binding, code or issued.code))


def _wrong(issued: Issued) -> str:
    return f"{(int(issued.code) + 1) % 1_000_000:06d}"


def test_a_right_code_can_still_be_used(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    assert _verify(codes, issued) == Verified(2)
    assert codes.check(issued.otp.binding, issued.code) == Passed()
    assert codes.check(issued.otp.binding, issued.code) == NotPassed(OtpStatus.USED)


def test_right_at_the_last_attempt_its_use_costs_none(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    assert _verify(codes, issued, _wrong(issued)) == NotPassed(OtpStatus.PENDING, 2)
    assert _verify(codes, issued, _wrong(issued)) == NotPassed(OtpStatus.PENDING, 1)
    assert _verify(codes, issued) == Verified(0)
    assert _verify(codes, issued) == Verified(0)
    assert codes.check(issued.otp.binding, issued.code) == Passed()


def test_a_wrong_one_after_it_was_right_still_counts(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    _verify(codes, issued)
    assert codes.check(issued.otp.binding, _wrong(issued)) == NotPassed(OtpStatus.PENDING, 1)
    assert codes.check(issued.otp.binding, issued.code) == Passed()


def test_with_no_attempts_left_a_wrong_one_locks_it(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    for _ in range(3):
        _verify(codes, issued)
    assert codes.check(issued.otp.binding, _wrong(issued)) == NotPassed(OtpStatus.LOCKED)
    assert codes.check(issued.otp.binding, issued.code) == NotPassed(OtpStatus.LOCKED)


def test_three_wrong_checks_lock_it(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    answers = [_verify(codes, issued, _wrong(issued)) for _ in range(3)]
    assert answers[-1] == NotPassed(OtpStatus.LOCKED)
    assert _verify(codes, issued) == NotPassed(OtpStatus.LOCKED)


def test_right_before_its_end_it_is_refused_after_it(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    _verify(codes, issued)
    codes.store.wait(seconds=LIFE.total_seconds())
    assert codes.check(issued.otp.binding, issued.code) == NotPassed(OtpStatus.EXPIRED)


def test_a_right_check_does_not_count_against_its_person(codes: Codes) -> None:
    for number in range(3):
        issued = codes.issue(codes.binding(f"FL-{number}"))
        for _ in range(2):
            _verify(codes, issued, _wrong(issued))
        _verify(codes, issued)
        codes.store.wait(minutes=31)
    failed = codes.store.tx.otps.failed_attempts(PHONE, codes.store.now - timedelta(days=1))
    assert failed == 6
    assert not otp.is_locked(codes.store.tx, PHONE)
