"""A balance with float that payouts hold is one page of a phone, in every language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flows.engine.texts import Texts
from services.domain.money import Money

TEXTS = Texts.load()
PAGE_MAX = 152  # septets without the footer (facts: USSD 2)
MILLIONS = Money(999_999_900)


@pytest.mark.parametrize("language", TEXTS.languages)
def test_millions_and_what_is_held_of_them_fit(language: str) -> None:
    held = {"available": MILLIONS, "held": MILLIONS}
    facts = {
        "partner": "FINSAFE",
        "at": datetime(2026, 12, 30, 20, 59, tzinfo=UTC),
        **dict.fromkeys(("wallet", "available", "float"), MILLIONS),
        "low": "",
        "held": TEXTS.say(language, "balance.show.held", held, short=True),
    }
    page = TEXTS.say(language, "balance.show.ask", facts, short=True)
    assert str(MILLIONS) in page.splitlines()[-1]
    assert len(page) <= PAGE_MAX
