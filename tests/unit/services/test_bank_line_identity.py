"""The identity of a bank line is stored, so it must not change for the same words on each side."""

from __future__ import annotations

from datetime import date

from services.domain.bank_line import BankLine
from services.domain.money import Money


def line(*, is_credit: bool) -> BankLine:
    return BankLine.of(
        date(2026, 3, 1), Money(150_000), ("UMOJA SHOP", "774451"), is_credit=is_credit
    )


def test_it_stays_what_it_was() -> None:
    assert line(is_credit=True).identity == (
        "c3f5caaee9cbaf6ea50048a158be6d63977946b645b25affcf76da3b24e53dd0"
    )
    assert line(is_credit=False).identity == (
        "d0307cabc488794be14cce2bec3167227b984a29cd6ca5479ed51f9fb729a74a"
    )
