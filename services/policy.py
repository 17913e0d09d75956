"""Rules of this installation, passed from settings to the use cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.domain.money import Money
from services.domain.otp import CODE_LIMITS, CodeLimits
from services.domain.topup import TopUp


@dataclass(frozen=True, slots=True)
class PaybillDetails:
    """Where to pay without a prompt, as M-PESA asks for it: ``paybill_no`` is the business number,
    ``account`` the account number with ``{reference}`` in it. ``has_till``: QR pictures have a till
    to pay into."""

    paybill_no: str
    account: str
    has_till: bool = False

    def account_of(self, topup: TopUp) -> str:
        return self.account.format(reference=topup.account_reference)


@dataclass(frozen=True, slots=True)
class Policy:
    """``short_code`` is where bought float goes; without one no float is sold.

    ``topup_code_above``: a top-up above it needs a code, ``None`` for never. ``phone_freeze`` is
    how long purchases are frozen after a person's number changed (facts: one-time codes).
    ``flood_turns`` of one account are answered per ``flood_window``. ``by_hand`` is how to top up
    without a prompt, ``None`` if the bank does not notify us of payments. ``prompts_own`` and
    ``prompts_other`` limit the prompts per hour to one phone across partners, by people registered
    with it and by everybody else, ``None`` for no limit. ``admin_alerts``: admins are also messaged
    when an item about money enters their queue. ``float_part_shillings``: the bank was asked, and
    takes an amount of float with cents. ``code_limits`` are the quotas of one-time
    codes. ``ussd_float_max`` is the most float that a desk PIN buys, ``None`` for no limit of its
    own. ``payout_short_code`` is what customers are paid from; without one nobody is paid. A
    Result that calls a payout above ``payout_confirm_above`` paid is confirmed by a query first,
    ``None`` for none.
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
    float_part_shillings: bool = False
    code_limits: CodeLimits = CODE_LIMITS
    ussd_float_max: Money | None = None
    payout_short_code: str | None = None
    payout_confirm_above: Money | None = None


NO_CODES = Policy()  # no float sold, and no codes asked for
