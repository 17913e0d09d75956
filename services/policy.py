"""What the desk itself decides, as settings gave it to the use cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.domain.money import Money
from services.domain.topup import TopUp


@dataclass(frozen=True, slots=True)
class PaybillDetails:
    """Where money is paid to without a prompt, as M-PESA asks for it: ``paybill_no`` is its
    business number, ``account`` the account number with ``{reference}`` in it. A QR picture
    ``has_till`` to pay into."""

    paybill_no: str
    account: str
    has_till: bool = False

    def account_of(self, topup: TopUp) -> str:
        return self.account.format(reference=topup.account_reference)


@dataclass(frozen=True, slots=True)
class Policy:
    """``short_code`` is where bought float goes; without one the desk sells none.

    ``topup_code_above``: a top-up above it needs a code, ``None`` for never. ``phone_freeze``
    is how long purchases rest after a person's number was changed (facts: one-time codes).
    ``flood_turns`` of one account are answered in a ``flood_window``. ``by_hand`` is how a wallet
    is topped up without a prompt, ``None`` where the bank does not tell us of payments.
    ``prompts_own`` and ``prompts_other`` are prompts an hour to one phone over all partners, by
    those whose registered number it is and by everybody else, ``None`` for any number.
    ``admin_alerts``: admins are written to as well when something of money comes on their list.
    """

    short_code: str | None = None
    topup_code_above: Money | None = None
    phone_freeze: timedelta = timedelta(hours=24)
    otp_kept: timedelta = timedelta(days=90)
    flood_turns: int = 100
    flood_window: timedelta = timedelta(seconds=60)
    prompts_own: int | None = None
    prompts_other: int | None = None
    by_hand: PaybillDetails | None = None
    admin_alerts: bool = False


NO_CODES = Policy()  # a desk that sells no float and asks for no code
