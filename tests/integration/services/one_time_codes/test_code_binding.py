"""A one-time code is valid only for its own operation and with the key it was issued under."""

from dataclasses import replace

import pytest

from bot.security.keyring import Keyring
from services import otp
from services.domain.money import Money
from services.domain.otp import Binding, Purpose
from services.otp import NotPassed, Passed
from tests.kit.one_time_codes import NEW, PENDING, Codes, wrong
from tests.kit.stored_rows import every_row

# Binding ----------------------------------------------------------------------------------------


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
    dump = every_row(codes.store.conn)
    assert "otp_validations" in dump
    assert issued.otp.digest in dump
    assert issued.code not in dump.replace(issued.otp.digest, "").replace(issued.otp.id, "")
    assert issued.code not in repr(issued)
