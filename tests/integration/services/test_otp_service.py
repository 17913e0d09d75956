"""One-time codes on a real database: who passes, who is locked, and who must wait."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.security.keyring import Keyring
from services import otp
from services.domain.money import Money
from services.domain.otp import Binding, Otp, OtpStatus, Purpose
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed, Passed
from storage.transaction import SqliteTx
from tests.kit.plain_store import OTHER_PHONE, PHONE, PlainStore

OLD, NEW = Keyring({"1": b"1" * 32}), Keyring({"2": b"2" * 32, "1": b"1" * 32})
PENDING, LOCKED, EXPIRED, REVOKED, USED = (
    OtpStatus.PENDING,
    OtpStatus.LOCKED,
    OtpStatus.EXPIRED,
    OtpStatus.REVOKED,
    OtpStatus.USED,
)


class Codes:
    """Draws and checks codes, each in a transaction of its own."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.random = random.Random(1)
        self.keys = OLD
        self.people = {code: store.person(code).id for code in ("DEMO", "ACME", "THIRD", "FOUR")}

    def binding(self, operation: str = "FL-1", partner: str = "DEMO") -> Binding:
        return Binding(
            Purpose.FLOAT_PURCHASE,
            operation,
            partner,
            self.people[partner],
            Money(5_015_000),
            "400187",
        )

    def ask(self, binding: Binding, phone: Phone = PHONE) -> Issued | Refusal:
        account = ("telegram", "1") if binding.purpose.proves else None
        return self.store.do(
            lambda tx: otp.generate(tx, self.keys, self.random, binding, phone, account)
        )

    def issue(self, binding: Binding, phone: Phone = PHONE) -> Issued:
        issued = self.ask(binding, phone)
        assert isinstance(issued, Issued), issued
        return issued

    def check(self, binding: Binding, code: str) -> Passed | NotPassed:
        return self.store.do(lambda tx: otp.validate(tx, self.keys, binding, code))

    def newest(self, operation: str = "FL-1") -> Otp:
        newest = self.store.do(lambda tx: tx.otps.newest(operation))
        assert newest is not None
        return newest

    def lock(self, operation: str, phone: Phone = PHONE, partner: str = "DEMO") -> None:
        """Three wrong codes for this operation."""
        binding = self.binding(operation, partner)
        issued = self.issue(binding, phone)
        for _ in range(3):
            self.check(binding, wrong(issued.code))
        assert self.newest(operation).status is LOCKED


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


@pytest.fixture
def codes(fresh_store: PlainStore) -> Codes:
    return Codes(fresh_store)


# Right and wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", list(Purpose))
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


# Another code -----------------------------------------------------------------------------------


def test_a_resend_kills_the_code_before(codes: Codes) -> None:
    binding = codes.binding()
    first = codes.issue(binding)
    codes.store.wait(seconds=30)
    second = codes.issue(binding)
    assert first.code != second.code
    assert codes.check(binding, first.code) == NotPassed(PENDING, 2)
    assert codes.check(binding, second.code) == Passed()


def test_a_resend_wipes_the_sealed_messages_of_the_code_before(codes: Codes) -> None:
    first = codes.issue(codes.binding())
    for channel in ("sms", "mail"):
        sealed = codes.keys.seal(first.code)
        codes.store.do(
            lambda tx, channel=channel, sealed=sealed: tx.outbox.add(  # type: ignore[misc]
                channel, "x", kind="code", text=sealed, otp=first.otp.id
            )
        )
    codes.store.wait(seconds=30)
    codes.issue(codes.binding())
    rows = codes.store.conn.execute("SELECT state, text FROM outbox").fetchall()
    assert rows == [("dead", "")] * 2


@pytest.mark.parametrize("end", ["used", "locked", "expired", "killed"])
def test_however_a_code_ends_its_messages_are_wiped(codes: Codes, end: str) -> None:
    binding = codes.binding()
    issued = codes.issue(binding)
    sealed = codes.keys.seal(issued.code)
    codes.store.do(
        lambda tx: tx.outbox.add("sms", "x", kind="code", text=sealed, otp=issued.otp.id)
    )
    if end == "used":
        codes.check(binding, issued.code)
    elif end == "locked":
        for _ in range(3):
            codes.check(binding, wrong(issued.code))
    elif end == "expired":
        codes.store.wait(minutes=10)
        codes.check(binding, issued.code)
    else:
        codes.store.do(lambda tx: otp.revoke(tx, "FL-1"))
    assert codes.newest().status == end
    assert codes.store.conn.execute("SELECT state, text FROM outbox").fetchall() == [("dead", "")]


def test_cool_downs_grow_and_the_fourth_send_is_refused(codes: Codes) -> None:
    binding = codes.binding()
    codes.issue(binding)
    for seconds in (30, 60):
        assert codes.ask(binding) == Refusal.of("otp_cool_down", seconds=seconds)
        codes.store.wait(seconds=seconds, milliseconds=-1)
        assert codes.ask(binding) == Refusal.of("otp_cool_down", seconds=1)
        codes.store.wait(milliseconds=1)
        codes.issue(binding)
    codes.store.wait(hours=30)
    assert codes.ask(binding) == Refusal("otp_sends")


def test_a_killed_code_of_another_operation_stays_live(codes: Codes) -> None:
    one = codes.issue(codes.binding("FL-1"))
    codes.issue(codes.binding("FL-2"))
    codes.store.do(lambda tx: otp.revoke(tx, "FL-2"))
    assert codes.check(codes.binding("FL-1"), one.code) == Passed()


# Limits -----------------------------------------------------------------------------------------


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
    codes.store.tx = SqliteTx(codes.store.conn)  # the clock was put right, and we began anew
    codes.issue(codes.binding("FL-6"))


def test_a_refused_code_kills_nothing(codes: Codes) -> None:
    """Somebody who asks too often keeps the code they have."""
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
    """The purchase asks again; the code itself is as good as it was."""
    issued = codes.issue(codes.binding("FL-9"))
    codes.store.do(lambda tx: tx.otps.lock(PHONE))
    assert codes.check(codes.binding("FL-9"), issued.code) == Passed()


def test_one_wrong_try_ends_a_live_code_of_a_locked_phone(codes: Codes) -> None:
    """Else each code that lived at the locking would be good for three guesses more."""
    binding = codes.binding("FL-9")
    issued = codes.issue(binding)
    codes.store.do(lambda tx: tx.otps.lock(PHONE))
    assert codes.check(binding, wrong(issued.code)) == NotPassed(LOCKED)
    assert codes.check(binding, issued.code) == NotPassed(LOCKED)


# Bound ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": Purpose.WALLET_TOPUP},
        {"partner": "ACME"},
        {"person_id": 4242},
        {"amount": Money(5_015_001)},
        {"amount": Money(5_015_000, "USD")},
        {"destination": "400188"},
    ],
)
def test_a_code_does_not_pass_for_anything_else(codes: Codes, changes: dict[str, object]) -> None:
    issued = codes.issue(codes.binding())
    other = replace(codes.binding(), **changes)  # type: ignore[arg-type]
    assert codes.check(other, issued.code) == NotPassed(PENDING, 2)
    assert codes.check(codes.binding(), issued.code) == Passed()


def test_a_code_of_another_operation_does_not_pass_and_is_known_as_foreign(codes: Codes) -> None:
    mine, other = codes.binding("FL-1"), codes.binding("FL-2")
    issued, theirs = codes.issue(mine), codes.issue(other)

    def foreign(code: str, of: Binding = mine) -> bool:
        return codes.store.do(lambda tx: otp.is_foreign(tx, codes.keys, of, code))

    assert codes.check(mine, theirs.code) == NotPassed(PENDING, 2)
    assert foreign(theirs.code)
    assert not foreign(issued.code)
    assert not foreign(wrong(theirs.code))
    assert not foreign(theirs.code, codes.binding("FL-1", "ACME"))
    codes.store.wait(minutes=10)
    assert not foreign(theirs.code)


# Keys -------------------------------------------------------------------------------------------


def test_a_code_from_before_a_change_of_keys_still_passes(codes: Codes) -> None:
    issued = codes.issue(codes.binding("FL-1"))
    codes.keys = NEW
    after = codes.issue(codes.binding("FL-2"))
    assert (codes.newest("FL-1").pepper_id, codes.newest("FL-2").pepper_id) == ("1", "2")
    assert codes.check(codes.binding("FL-1"), issued.code) == Passed()
    assert codes.check(codes.binding("FL-2"), after.code) == Passed()


def test_a_code_whose_key_is_gone_does_not_pass(codes: Codes) -> None:
    issued = codes.issue(codes.binding())
    codes.keys = Keyring({"2": b"2" * 32})
    assert codes.check(codes.binding(), issued.code) == NotPassed(PENDING, 2)


def test_the_code_stands_in_no_column_of_any_table(codes: Codes) -> None:
    binding = codes.binding()
    issued = codes.issue(binding)
    sealed = codes.keys.seal(f"Code {issued.code}.")
    codes.store.do(
        lambda tx: tx.outbox.add("sms", "x", kind="code", text=sealed, otp=issued.otp.id)
    )
    codes.check(binding, wrong(issued.code))
    codes.check(binding, issued.code)
    dump = "\n".join(codes.store.conn.iterdump())
    assert "otp_validations" in dump
    assert issued.otp.digest in dump
    assert issued.code not in dump.replace(issued.otp.digest, "").replace(issued.otp.id, "")
    assert issued.code not in repr(issued)
