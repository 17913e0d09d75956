"""How much a partner's key may pay customers in a day without a code: an owner sets it with one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows import proving
from flows.engine.nodes import Ask, Choose, Code, Do, End, Flow
from flows.parsers.values import Amount
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right


class CeilingData(BaseModel):
    """``key`` is an id, never a key itself; ``change`` is the reference of what the code allows."""

    model_config = ConfigDict(frozen=True)

    key: Reference | None = None
    ceiling: Money | None = None
    change: Reference | None = None


CEILING = Flow(
    "ceiling",
    version=1,
    data=CeilingData,
    start="key",
    needs=Right.SET_RULES,
    operation="change",
    cancel_use_case="cancel_ceiling",
    in_menu=False,
    has_command=False,  # the settings lead there
    nodes=(
        Choose(
            "key",
            view="payout_ceilings",
            is_menu=True,
            options=(),
            suggest="paying_api_keys",
            into="key",
            to="amount",
        ),
        Ask("amount", into="ceiling", parse=Amount("mark", or_none=True), to="send"),
        Do(
            "send",
            use_case="ask_ceiling",
            args=("key", "ceiling"),
            on={"sent": "code", "refused": "refused"},
            gives={"sent": ("change",)},
        ),
        Code(
            "code",
            use_case="check_ceiling_code",
            status_use_case="ceiling_code_stands",
            operation="change",
            args=("key", "ceiling"),
            on={"right": "done", **proving.EXITS, "refused": "refused"},
            acts={"resend": "resend_ceiling_code"},
        ),
        End("done", opens=("keys", "settings")),
        End("refused", opens=("settings",)),
        *proving.ENDS,
    ),
)
