"""How many one-time codes a partner and a phone can get, and which phones are locked."""

from datetime import timedelta

import pytest

from services import otp
from services.domain.otp import CODE_LIMITS
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed, Passed
from storage.transaction import StoreTx
from tests.kit.one_time_codes import LOCKED, Codes, wrong
from tests.kit.plain_store import OTHER_PHONE, PHONE


def phone_of(number: int) -> Phone:
    return Phone(f"2547{number:08d}")


def test_a_partner_has_five_codes_an_hour(codes: Codes) -> None:
    for n in range(5):
        codes.issue(codes.binding(f"FL-{n}"), phone_of(n))
    again = codes.store.now + timedelta(hours=1)
    assert codes.ask(codes.binding("FL-6"), phone_of(6)) == Refusal.of("otp_too_many", again=again)
    codes.issue(codes.binding("FL-7", "ACME"), phone_of(6))
    codes.store.wait(hours=1, milliseconds=-1)
    assert isinstance(codes.ask(codes.binding("FL-6"), phone_of(6)), Refusal)
    codes.store.wait(milliseconds=1)
    codes.issue(codes.binding("FL-6"), phone_of(6))


def test_a_partner_has_fifteen_codes_a_day(codes: Codes) -> None:
    began = codes.store.now
    for n in range(15):
        codes.issue(codes.binding(f"FL-{n}"), phone_of(n))
        codes.store.wait(hours=1)
    again = began + timedelta(days=1)
    assert codes.ask(codes.binding("FL-x"), phone_of(99)) == Refusal.of("otp_too_many", again=again)
    codes.store.now = again - timedelta(milliseconds=1)
    assert isinstance(codes.ask(codes.binding("FL-x"), phone_of(99)), Refusal)
    codes.store.now = again
    codes.issue(codes.binding("FL-x"), phone_of(99))


def test_a_phone_has_five_codes_an_hour_over_all_partners(codes: Codes) -> None:
    for n in range(5):
        codes.issue(codes.binding(f"FL-{n}", ("DEMO", "ACME")[n % 2]))
    again = codes.store.now + timedelta(hours=1)
    refused = codes.binding("FL-6", "THIRD")
    assert codes.ask(refused) == Refusal.of("otp_too_many", again=again)
    codes.issue(codes.binding("FL-7", "THIRD"), OTHER_PHONE)
    codes.store.wait(hours=1)
    codes.issue(refused)


def test_a_phone_has_ten_codes_a_day_over_all_partners(codes: Codes) -> None:
    began = codes.store.now
    for n in range(10):
        codes.issue(codes.binding(f"FL-{n}", ("DEMO", "ACME")[n % 2]))
        codes.store.wait(hours=1)
    again = began + timedelta(days=1)
    refused = codes.binding("FL-x", "THIRD")
    assert codes.ask(refused) == Refusal.of("otp_too_many", again=again)
    codes.store.now = again - timedelta(milliseconds=1)
    assert isinstance(codes.ask(refused), Refusal)
    codes.store.now = again
    codes.issue(refused)


def test_codes_drawn_while_the_clock_was_ahead_take_nobodys_place(codes: Codes) -> None:
    codes.store.wait(days=3)
    for n in range(5):
        codes.issue(codes.binding(f"FL-{n}"))
    codes.store.wait(days=-3)
    codes.store.tx = StoreTx(codes.store.conn)  # the clock is corrected, then a restart
    codes.issue(codes.binding("FL-6"))


def test_a_refused_code_kills_nothing(codes: Codes) -> None:
    """Someone who asks too often keeps their current code."""
    for n in range(5):
        issued = codes.issue(codes.binding(f"FL-{n}"))
    codes.store.wait(seconds=40)
    binding = codes.binding("FL-4")
    assert isinstance(codes.ask(binding), Refusal)
    assert codes.check(binding, issued.code) == Passed()


def test_three_locked_codes_in_a_day_lock_the_phone_until_it_is_unlocked(codes: Codes) -> None:
    for n, partner in enumerate(("DEMO", "ACME", "DEMO")):
        assert not codes.store.do(lambda tx: otp.is_locked(tx, PHONE))
        codes.lock(f"FL-{n}", partner=partner)
        codes.store.wait(hours=2)
    binding = codes.binding("FL-9", "THIRD")
    assert codes.store.do(lambda tx: otp.is_locked(tx, PHONE))
    assert codes.ask(binding) == Refusal("otp_locked")
    codes.store.wait(days=400)
    assert codes.ask(binding) == Refusal("otp_locked")
    assert isinstance(codes.ask(codes.binding("FL-8"), OTHER_PHONE), Issued)
    assert codes.store.do(lambda tx: otp.unlock(tx, PHONE, "admin"))
    assert not codes.store.do(lambda tx: otp.unlock(tx, PHONE, "admin"))
    codes.issue(binding)


def test_locked_codes_from_before_an_unlocking_count_no_more(codes: Codes) -> None:
    for n in range(3):
        codes.lock(f"FL-{n}")
    codes.store.wait(hours=1)
    codes.store.do(lambda tx: otp.unlock(tx, PHONE, "admin"))
    for n in range(3, 5):
        codes.store.wait(seconds=1)
        codes.lock(f"FL-{n}")
        assert not codes.store.do(lambda tx: otp.is_locked(tx, PHONE))
    codes.lock("FL-5")
    assert codes.store.do(lambda tx: otp.is_locked(tx, PHONE))


@pytest.mark.parametrize(("apart", "is_locked"), [(timedelta(hours=24, seconds=-1), True),
                                                  (timedelta(hours=24), False)])  # fmt: skip
def test_locked_codes_count_for_a_day(codes: Codes, apart: timedelta, is_locked: bool) -> None:
    codes.lock("FL-1")
    codes.store.now += apart
    codes.lock("FL-2")
    codes.lock("FL-3")
    assert codes.store.do(lambda tx: otp.is_locked(tx, PHONE)) is is_locked


def test_a_live_code_still_passes_when_its_phone_is_locked(codes: Codes) -> None:
    """The purchase checks the lock itself; the code remains valid."""
    issued = codes.issue(codes.binding("FL-9"))
    codes.store.do(lambda tx: tx.otps.lock(PHONE))
    assert codes.check(codes.binding("FL-9"), issued.code) == Passed()


def test_one_wrong_try_ends_a_live_code_of_a_locked_phone(codes: Codes) -> None:
    """Otherwise each code live at the time of locking would allow three more guesses."""
    binding = codes.binding("FL-9")
    issued = codes.issue(binding)
    codes.store.do(lambda tx: tx.otps.lock(PHONE))
    assert codes.check(binding, wrong(issued.code)) == NotPassed(LOCKED)
    assert codes.check(binding, issued.code) == NotPassed(LOCKED)


def test_limits_can_be_raised_for_an_installation(codes: Codes) -> None:
    limits = CODE_LIMITS.times(2)
    for n in range(10):
        issued = codes.ask(codes.binding(f"FL-{n}"), phone_of(n), limits)
        assert isinstance(issued, Issued)
    assert isinstance(codes.ask(codes.binding("FL-x"), phone_of(99), limits), Refusal)
