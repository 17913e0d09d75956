"""Topping up the wallet by M-PESA, with a prompt or by paying the paybill directly."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import (
    Ask,
    Choose,
    Code,
    Confirm,
    Do,
    End,
    Flow,
    Option,
    Repeat,
    SecretKind,
)
from flows.history import DETAILS
from flows.parsers.values import Amount, KenyanMobile
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.phone import Phone


class TopUpData(BaseModel):
    """``reference`` is drawn early for a top-up that needs a code or a desk PIN, which is bound to
    it. ``way`` is how a top-up without a prompt is paid."""

    model_config = ConfigDict(frozen=True)

    amount: Money | None = None
    phone: Phone | None = None
    reference: Reference | None = None
    way: str | None = None


_OUTCOMES = {
    "paid": "paid",
    "paid_late": "paid_late",
    "not_paid": "declined",
    "not_paid_so_far": "declined_so_far",
    "rejected": "rejected",
    "refused": "refused",
    "duplicate": "duplicate",
    "send_unknown": "send_unknown",
    "unknown": "unknown",
}

TOPUP = Flow(
    "topup",
    version=4,
    compatible_versions=(1, 2, 3),
    data=TopUpData,
    start="amount",
    ussd=True,
    needs=Right.MOVE_MONEY,
    operation="reference",
    cancel_use_case="cancel_topup",
    nodes=(
        Ask("amount", into="amount", parse=Amount("topup"), suggest="amounts", to="payer"),
        Choose(
            "payer",
            options=(
                Option("mine", set={"phone": "my_phone"}, to="confirm"),
                Option("other", to="phone"),
                Option(
                    "paybill", to="by_hand", puts={"way": "paybill"}, needs="paybill", ussd=False
                ),
                Option("qr", to="by_hand", puts={"way": "QR"}, needs="qr", ussd=False),
            ),
            suggest="phones",
            into="phone",
            to="confirm",
            typed="phone",
        ),
        Ask("phone", into="phone", parse=KenyanMobile(), to="confirm", early=True),
        Confirm(
            "confirm",
            shows=("amount", "phone"),
            yes="secure",
            edit={"amount": "amount", "phone": "payer"},
        ),
        Do(
            "secure",
            use_case="secure_topup",
            args=("amount", "phone"),
            on={"open": "push", "sent": "code", "pin": "pin", "refused": "refused"},
            gives={"sent": ("reference",), "pin": ("reference",)},
        ),
        Code(
            "code",
            use_case="check_topup_code",
            status_use_case="topup_code_stands",
            operation="reference",
            args=("amount", "phone"),
            on={
                "right": "push",
                "otp_expired": "code_expired",
                "otp_locked": "code_locked",
                "number_locked": "number_locked",
                "cancelled": "code_over",
                "undeliverable": "undeliverable",
                "refused": "refused",
            },
            acts={"resend": "resend_topup_code"},
        ),
        Code(  # where a channel asks for no code
            "pin",
            use_case="check_topup_pin",
            status_use_case="topup_pin_stands",
            operation="reference",
            args=("amount", "phone"),
            on={
                "right": "push",
                "pin_locked": "pin_locked",
                "cancelled": "code_over",
                "refused": "refused",
            },
            reads=SecretKind.PIN,
        ),
        Do(
            "push",
            use_case="start_topup",
            args=("amount", "phone"),
            operation="reference",
            on=_OUTCOMES,
            money=True,
            acts={"check": "check_topup"},
            status_use_case="topup_stands",
        ),
        # Without a prompt: the payer types the paybill details or scans a QR code.
        Confirm(
            "by_hand",
            shows=("amount", "way"),
            yes="expect",
            edit={"amount": "amount", "way": "payer"},
        ),
        Do(
            "expect",
            use_case="expect_topup",
            args=("amount", "way"),
            on={
                "by_hand_paid": "by_hand_paid",
                "by_hand_late": "by_hand_late",
                "lapsed": "lapsed",
                "refused": "refused",
                "unknown": "unknown",
            },
            money=True,
        ),
        Confirm("duplicate", shows=("amount", "phone"), yes="push_again"),
        Do(
            "push_again",
            use_case="start_another_topup",
            args=("amount", "phone"),
            operation="reference",
            on=_OUTCOMES,
            money=True,
            acts={"check": "check_topup"},
            status_use_case="topup_stands",
        ),
        End("paid", repeats=("again",)),
        End("paid_late", repeats=("again",)),
        End("by_hand_paid", repeats=("again",)),
        End("by_hand_late", repeats=("again",)),
        End("lapsed", repeats=("again",)),
        End("declined", repeats=("again", "other")),
        End("declined_so_far", repeats=("again", "other")),
        End("rejected", repeats=("again", "other")),
        End("refused", repeats=("again",)),
        End("send_unknown", repeats=("details",)),
        End("unknown", repeats=("details",)),
        End("code_expired", repeats=("again",)),
        End("code_locked", repeats=("again",)),
        End("number_locked", opens=("balance",)),
        End("pin_locked", opens=("balance",)),
        End("code_over", repeats=("again",)),
        End("undeliverable", repeats=("again",)),
    ),
    repeats={
        "again": (
            Repeat(at="confirm", fills=("amount", "phone")),
            Repeat(at="by_hand", fills=("amount", "way")),
        ),
        "other": (Repeat(at="phone", fills=("amount",)),),
        "details": (DETAILS,),
    },
)
