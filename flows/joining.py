"""A stranger joins a partner by an invitation, their number, and a code sent to it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Code, Contact, Do, End, Flow
from services.domain.ids import Reference
from services.domain.phone import Phone


class JoinData(BaseModel):
    """``invite`` is its id; the link's token is never stored here."""

    model_config = ConfigDict(frozen=True)

    invite: Reference | None = None
    code: str | None = None  # of the partner
    role: str | None = None
    phone: Phone | None = None


JOIN = Flow(
    "join",
    version=2,
    compatible_versions=(1,),
    data=JoinData,
    start="open",
    needs=None,
    in_menu=False,
    command="start",
    operation="invite",
    nodes=(
        Do(
            "open",
            use_case="open_invite",
            args=(),
            on={"opened": "contact", "refused": "refused"},
            gives={"opened": ("invite", "code", "role")},
        ),
        Contact("contact", into="phone", to="send"),
        Do(
            "send",
            use_case="send_join_code",
            args=("invite", "phone"),
            on={"sent": "code", "refused": "refused"},
        ),
        Code(
            "code",
            use_case="check_join_code",
            status_use_case="join_code_stands",
            operation="invite",
            args=("phone",),
            on={
                "right": "joined",
                "rests": "rests",
                "otp_expired": "expired",
                "otp_locked": "locked",
                "number_locked": "number_locked",
                "cancelled": "over",
                "undeliverable": "undeliverable",
                "refused": "refused",
            },
            acts={"resend": "resend_join_code"},
        ),
        End("joined"),
        End("rests"),
        End("expired"),
        End("locked"),
        End("number_locked"),
        End("over"),
        End("undeliverable"),
        End("refused"),
    ),
)
