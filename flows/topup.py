"""Add money to the wallet by an M-PESA prompt."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.nodes import Ask, Choose, Confirm, Do, End, Flow, Option
from flows.parse import Amount, KenyanMobile
from services.domain.money import Money
from services.domain.phone import Phone


class TopUpData(BaseModel):
    model_config = ConfigDict(frozen=True)

    amount: Money | None = None
    phone: Phone | None = None


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
    version=1,
    data=TopUpData,
    start="amount",
    ussd=True,
    moves_money=True,
    nodes=(
        Ask("amount", into="amount", parse=Amount("topup"), suggest="amounts", to="payer"),
        Choose(
            "payer",
            options=(
                Option("mine", set={"phone": "my_phone"}, to="confirm"),
                Option("other", to="phone"),
            ),
            suggest="phones",
            into="phone",
            to="confirm",
            typed="phone",
        ),
        Ask("phone", into="phone", parse=KenyanMobile(), to="confirm"),
        Confirm(
            "confirm",
            shows=("amount", "phone"),
            yes="push",
            edit={"amount": "amount", "phone": "payer"},
        ),
        Do(
            "push",
            use_case="start_topup",
            args=("amount", "phone"),
            on=_OUTCOMES,
            money=True,
            waits=True,
            acts={"check": "check_topup"},
        ),
        Confirm("duplicate", shows=("amount", "phone"), yes="push_again"),
        Do(
            "push_again",
            use_case="start_another_topup",
            args=("amount", "phone"),
            on=_OUTCOMES,
            money=True,
            waits=True,
            acts={"check": "check_topup"},
        ),
        End("paid"),
        End("paid_late"),
        End("declined"),
        End("declined_so_far"),
        End("rejected"),
        End("refused"),
        End("send_unknown"),
        End("unknown"),
    ),
)
