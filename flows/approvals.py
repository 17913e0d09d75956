"""Approving or declining a colleague's large purchase or payout, or a file of payouts."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Choose, Code, Do, End, Flow, Look, Option, SecretKind
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.phone import Phone


class ApproveData(BaseModel):
    """``reference`` is the operation's, which cannot change while it waits. ``who`` asked for
    ``amount``: of float, to ``recipient``, or in so many ``rows`` of a file."""

    model_config = ConfigDict(frozen=True)

    reference: Reference | None = None
    who: str | None = None
    amount: Money | None = None
    recipient: Phone | None = None
    rows: int | None = None


_DECIDED = ("who", "amount")
_PAYOUT_DECIDED = (*_DECIDED, "recipient")
_BATCH_DECIDED = (*_DECIDED, "rows")


APPROVE = Flow(
    "approve",
    version=4,
    compatible_versions=(1, 2, 3),
    data=ApproveData,
    start="list",
    needs=Right.APPROVE,
    operation="reference",
    in_menu=False,
    ussd=True,
    phone_count="approvals",
    nodes=(
        Look("list", view="approvals", into="reference", to="one"),
        Choose(
            "one",
            view="approval",
            args=("reference",),
            options=(Option("yes", to="agree"), Option("no", to="decline")),
        ),
        Do(
            "agree",
            use_case="approve_float",
            args=("reference",),
            on={
                "approved": "approved",
                "system_approved": "system_approved",
                "payout_approved": "payout_approved",
                "payout_system_approved": "payout_system_approved",
                "batch_approved": "batch_approved",
                "pin": "pin",
                "refused": "refused",
            },
            gives={
                "approved": _DECIDED,
                "system_approved": _DECIDED,
                "payout_approved": _PAYOUT_DECIDED,
                "payout_system_approved": _PAYOUT_DECIDED,
                "batch_approved": _BATCH_DECIDED,
                "pin": _DECIDED,
            },
        ),
        Code(  # where a channel asks for no code
            "pin",
            use_case="check_approve_pin",
            status_use_case="approve_pin_stands",
            operation="reference",
            on={
                "approved": "approved",
                "system_approved": "system_approved",
                "payout_approved": "payout_approved",
                "payout_system_approved": "payout_system_approved",
                "pin_locked": "pin_locked",
                "refused": "refused",
            },
            reads=SecretKind.PIN,
        ),
        Do(
            "decline",
            use_case="decline_float",
            args=("reference",),
            on={
                "declined": "declined",
                "payout_declined": "payout_declined",
                "batch_declined": "batch_declined",
                "refused": "refused",
            },
            gives={
                "declined": _DECIDED,
                "payout_declined": _PAYOUT_DECIDED,
                "batch_declined": _BATCH_DECIDED,
            },
        ),
        End("approved", opens=("approve",)),
        End("system_approved", opens=("approve",)),  # a partner's system asked for it
        End("declined", opens=("approve",)),
        End("payout_approved", opens=("approve",)),
        End("payout_system_approved", opens=("approve",)),
        End("payout_declined", opens=("approve",)),
        End("batch_approved", opens=("approve",)),
        End("batch_declined", opens=("approve",)),
        End("pin_locked", opens=("approve",)),
        End("refused", opens=("approve",)),
    ),
)
