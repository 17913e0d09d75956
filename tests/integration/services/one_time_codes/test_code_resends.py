"""Resending a one-time code: what happens to the previous one, and how long a person must wait."""

import pytest

from services import otp
from services.domain.refusal import Refusal
from services.otp import NotPassed, Passed
from tests.kit.one_time_codes import PENDING, Codes, wrong


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
