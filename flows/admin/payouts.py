"""How payouts stand over all partners, and holding all of them back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Confirm, Do, End, Flow, Look, Option
from services.domain.partner import Right


class PayoutsData(BaseModel):
    model_config = ConfigDict(frozen=True)


PAYOUTS = Flow(
    "payouts",
    version=1,
    data=PayoutsData,
    start="show",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=(
        Look(
            "show",
            view="payouts_desk",
            options=(
                Option("balances", to="ask"),
                Option("pause", to="hold", needs="all_payouts_running"),
                Option("resume", to="release", needs="all_payouts_paused"),
            ),
        ),
        Do(
            "ask",
            use_case="ask_mpesa_balances",
            args=(),
            on={"asked": "show", "refused": "refused"},
        ),
        Confirm("hold", shows=(), yes="do_pause"),
        Do(
            "do_pause",
            use_case="pause_payouts",
            args=(),
            on={"done": "show", "refused": "refused"},
        ),
        Confirm("release", shows=(), yes="do_resume"),
        Do(
            "do_resume",
            use_case="resume_payouts",
            args=(),
            on={"done": "show", "refused": "refused"},
        ),
        End("refused", opens=("payouts",)),
    ),
)
