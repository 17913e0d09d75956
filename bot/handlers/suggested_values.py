"""Values that people are offered as buttons, so that they need not be typed."""

from __future__ import annotations

from collections.abc import Sequence

from services.domain.money import Money

SUGGESTED = 3  # amounts or phones offered at once


def with_usual_amounts(recent: Sequence[Money], usual: Sequence[Money]) -> Sequence[Money]:
    """A person's recent amounts, the smallest first, filled up with the usual ones."""
    more = [amount for amount in usual if amount not in recent]
    return [*sorted(recent), *more][:SUGGESTED]
