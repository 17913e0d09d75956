"""Letting a partner's frozen payouts go on, which needs a code."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows import proving
from flows.engine.nodes import Code, Do, End, Flow
from services.domain.ids import Reference
from services.domain.partner import Right


class ThawData(BaseModel):
    """``change`` is the reference of what the code allows."""

    model_config = ConfigDict(frozen=True)

    change: Reference | None = None


THAW = Flow(
    "thaw",
    version=1,
    data=ThawData,
    start="send",
    needs=Right.SET_RULES,
    operation="change",
    cancel_use_case="cancel_thaw",
    in_menu=False,
    has_command=False,  # the settings lead there
    nodes=(
        Do(
            "send",
            use_case="ask_thaw",
            args=(),
            on={"sent": "code", "refused": "refused"},
            gives={"sent": ("change",)},
        ),
        Code(
            "code",
            use_case="check_thaw_code",
            status_use_case="thaw_code_stands",
            operation="change",
            on={"right": "thawed", **proving.EXITS},
            acts={"resend": "resend_thaw_code"},
        ),
        End("thawed", opens=("settings", "pay")),
        End("refused", opens=("settings",)),
        *proving.ENDS,
    ),
)
