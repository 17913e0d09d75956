"""Paying a customer from float, approved by a one-time code."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import (
    Ask,
    Call,
    Choose,
    Code,
    Confirm,
    Do,
    End,
    Flow,
    Option,
    Repeat,
)
from flows.history import DETAILS
from flows.parsers.recipients import Payee
from flows.parsers.values import Amount
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.phone import Phone


class PayData(BaseModel):
    """``payout`` is the reference; ``fees`` and ``total`` come from its quote. ``available`` and
    ``missing`` are set when the float is short."""

    model_config = ConfigDict(frozen=True)

    payee: Phone | None = None
    amount: Money | None = None
    payout: Reference | None = None
    fees: Money | None = None
    total: Money | None = None
    available: Money | None = None
    missing: Money | None = None
    until: datetime | None = None  # how long it waits for a second person


_QUOTED = ("payout", "fees", "total")
_SHORT = ("total", "available", "missing")
_SHOWN = ("payee", "amount", "fees", "total")
_ORDERED = ("payee", "amount", "fees")

PAY = Flow(
    "pay",
    version=1,
    data=PayData,
    start="payee",
    needs=Right.MOVE_MONEY,
    operation="payout",
    cancel_use_case="cancel_payout",
    after_help=True,
    nodes=(
        Ask("payee", into="payee", parse=Payee(), suggest="payees", to="amount"),
        Ask(
            "amount",
            into="amount",
            parse=Amount("pay"),
            suggest="paid_amounts",
            args=("payee",),
            to="quote",
            early=True,
        ),
        Do(
            "quote",
            use_case="request_payout",
            args=("payee", "amount"),
            operation="payout",
            on={"quoted": "confirm", "short": "short", "again": "amount", "refused": "refused"},
            gives={"quoted": _QUOTED, "short": _SHORT},
        ),
        Choose("short", options=(Option("float", to="buy"), Option("amount", to="amount"))),
        Call("buy", flow="float", at="quote", gives={"amount": "missing"}, to="quote"),
        Confirm(
            "confirm",
            shows=_SHOWN,
            yes="send_code",
            edit={"amount": "amount", "payee": "payee"},
            after_edit="quote",
            view="payout_quote",
            args=("payout", "payee", "amount"),
        ),
        Do(
            "send_code",
            use_case="confirm_payout",
            args=_ORDERED,
            operation="payout",
            on={"sent": "code", "awaits": "awaits", "short": "short", "refused": "refused"},
            gives={"short": _SHORT, "awaits": ("until",)},
        ),
        Confirm("awaits", shows=(*_SHOWN, "until"), yes="send_code", waits_for_others=True),
        Code(
            "code",
            use_case="check_payout_code",
            status_use_case="payout_code_stands",
            operation="payout",
            on={
                "right": "send",
                "otp_expired": "expired",
                "otp_locked": "locked",
                "number_locked": "number_locked",
                "cancelled": "over",
                "declined": "declined",
                "refused": "refused",
            },
            acts={"resend": "resend_payout_code"},
        ),
        Do(
            "send",
            use_case="send_payout",
            args=_SHOWN,
            operation="payout",
            on={
                "paid": "paid",
                "returned": "returned",
                "unknown": "unknown",
                "paid_after_return": "paid_late",
                "refused": "refused",
            },
            money=True,
            acts={"check": "check_payout"},
            status_use_case="payout_stands",
        ),
        End("paid", repeats=("again", "save")),
        End("returned", repeats=("again",)),
        End("unknown", repeats=("details",)),
        End("paid_late", repeats=("details",)),
        End("expired", repeats=("again",)),
        End("locked", repeats=("again",)),
        End("number_locked", opens=("balance",)),
        End("over", repeats=("again", "details")),
        End("declined", repeats=("again",)),
        End("refused", repeats=("again",)),
    ),
    repeats={
        "again": (Repeat(at="quote", fills=("payee", "amount")),),
        "save": (Repeat(at="name", fills=("payee",), flow="recipients"),),
        "details": (DETAILS,),
    },
)
