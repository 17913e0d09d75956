"""Buying B2C float from the wallet, approved by a one-time code."""

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
    SecretKind,
)
from flows.history import DETAILS
from flows.parsers.values import Amount
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right


class FloatData(BaseModel):
    """``purchase`` is the reference; ``fees`` and ``total`` come from its quote. ``available`` and
    ``missing`` are set when the wallet is short."""

    model_config = ConfigDict(frozen=True)

    amount: Money | None = None
    purchase: Reference | None = None
    fees: Money | None = None
    total: Money | None = None
    available: Money | None = None
    missing: Money | None = None
    until: datetime | None = None  # how long it waits for a second person


_QUOTED = ("purchase", "fees", "total")
_SHORT = ("total", "available", "missing")
_SHOWN = ("amount", "fees", "total")
_CODE_ENDS = {
    "otp_expired": "expired",
    "otp_locked": "locked",
    "number_locked": "number_locked",
    "cancelled": "over",
    "declined": "declined",
    "refused": "refused",
}

FLOAT = Flow(
    "float",
    version=3,
    compatible_versions=(1, 2),
    data=FloatData,
    start="amount",
    ussd=True,
    needs=Right.MOVE_MONEY,
    operation="purchase",
    cancel_use_case="cancel_float",
    nodes=(
        Ask("amount", into="amount", parse=Amount("float"), suggest="float_amounts", to="quote"),
        Do(
            "quote",
            use_case="request_float",
            args=("amount",),
            operation="purchase",
            on={"quoted": "confirm", "short": "short", "again": "amount", "refused": "refused"},
            gives={"quoted": _QUOTED, "short": _SHORT},
        ),
        Choose(
            "short",
            options=(Option("topup", to="add"), Option("amount", to="amount")),
        ),
        Call("add", flow="topup", at="payer", gives={"amount": "missing"}, to="quote"),
        Confirm(
            "confirm",
            shows=_SHOWN,
            yes="send_code",
            edit={"amount": "amount"},
            after_edit="quote",
            view="quote",
            args=("purchase",),
        ),
        Do(
            "send_code",
            use_case="confirm_float",
            args=_SHOWN,
            operation="purchase",
            on={
                "sent": "code",
                "pin": "pin",
                "awaits": "awaits",
                "requoted": "confirm",
                "short": "short",
                "refused": "refused",
            },
            gives={"requoted": _QUOTED, "short": _SHORT, "awaits": ("until",)},
        ),
        Confirm("awaits", shows=(*_SHOWN, "until"), yes="send_code", waits_for_others=True),
        Code(
            "code",
            use_case="check_float_code",
            status_use_case="float_code_stands",
            operation="purchase",
            on={"right": "buy", **_CODE_ENDS},
            acts={"resend": "resend_float_code"},
        ),
        Code(  # where a channel asks for no code
            "pin",
            use_case="check_float_pin",
            status_use_case="float_pin_stands",
            operation="purchase",
            on={
                "right": "buy",
                "pin_locked": "pin_locked",
                "declined": "declined",
                "cancelled": "over",
                "refused": "refused",
            },
            reads=SecretKind.PIN,
        ),
        Do(
            "buy",
            use_case="buy_float",
            args=_SHOWN,
            operation="purchase",
            on={
                "succeeded": "bought",
                "failed": "failed",
                "unknown": "unknown",
                "refused": "refused",
            },
            money=True,
            acts={"check": "check_float"},
            status_use_case="float_stands",
        ),
        End("bought", repeats=("again",)),
        End("failed", repeats=("again",)),
        End("unknown", repeats=("details",)),
        End("expired", repeats=("again",)),
        End("locked", repeats=("again",)),
        End("number_locked", opens=("balance",)),
        End("pin_locked", opens=("balance",)),
        End("over", repeats=("again", "details")),
        End("declined", repeats=("again",)),
        End("refused", repeats=("again",)),
    ),
    repeats={
        "again": (Repeat(at="quote", fills=("amount",)),),
        "details": (DETAILS,),
    },
)
