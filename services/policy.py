"""What the desk itself decides, as settings gave it to the use cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.domain.money import Money


@dataclass(frozen=True, slots=True)
class Policy:
    """``short_code`` is where bought float goes; without one the desk sells none.

    ``topup_code_above``: a top-up above it needs a code, ``None`` for never. ``phone_freeze``
    is how long purchases rest after a person's number was changed (facts: one-time codes).
    ``flood_turns`` of one account are answered in a ``flood_window``.
    """

    short_code: str | None = None
    topup_code_above: Money | None = None
    phone_freeze: timedelta = timedelta(hours=24)
    otp_kept: timedelta = timedelta(days=90)
    flood_turns: int = 100
    flood_window: timedelta = timedelta(seconds=60)


NO_CODES = Policy()  # a desk that sells no float and asks for no code
