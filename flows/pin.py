"""Setting a desk PIN: a code proves who sets it, then it is typed twice."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows import proving
from flows.engine.nodes import Code, Do, End, Flow, SecretKind
from services.domain.ids import Reference
from services.domain.partner import Right


class PinData(BaseModel):
    """``change`` is the reference of what the code allows. The PIN itself is never here."""

    model_config = ConfigDict(frozen=True)

    change: Reference | None = None


_OVER = {"over": "code_over", "refused": "refused"}

PIN = Flow(
    "pin",
    version=1,
    data=PinData,
    start="send",
    needs=Right.MOVE_MONEY,
    operation="change",
    cancel_use_case="cancel_pin",
    in_menu=False,
    has_command=False,  # the settings lead there
    nodes=(
        Do(
            "send",
            use_case="ask_pin",
            args=(),
            on={"sent": "code", "refused": "refused"},
            gives={"sent": ("change",)},
        ),
        Code(
            "code",
            use_case="prove_pin",
            status_use_case="pin_code_stands",
            operation="change",
            on={"right": "new", **proving.EXITS},
            acts={"resend": "resend_pin_code"},
        ),
        Code(
            "new",
            use_case="choose_pin",
            status_use_case="pin_change_stands",
            operation="change",
            on={"chosen": "again", **_OVER},
            reads=SecretKind.PIN,
        ),
        Code(
            "again",
            use_case="repeat_pin",
            status_use_case="pin_change_stands",
            operation="change",
            on={"set": "done", "different": "new", **_OVER},
            reads=SecretKind.PIN,
        ),
        End("done", opens=("settings",)),
        End("refused", opens=("settings",)),
        *proving.ENDS,
    ),
)
