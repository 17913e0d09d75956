"""Rate-limited accounts, and lifting the limit."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Choose, Do, End, Flow, Look, Option
from services.domain.partner import Right


class FloodsData(BaseModel):
    """``account`` is channel and address."""

    model_config = ConfigDict(frozen=True)

    account: str | None = None


FLOODS = Flow(
    "floods",
    version=1,
    data=FloodsData,
    start="list",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=(
        Look("list", view="floods", into="account", to="one"),
        Choose(
            "one",
            view="flood",
            args=("account",),
            options=(Option("release", to="release"),),
        ),
        Do(
            "release",
            use_case="release_account",
            args=("account",),
            on={"done": "done", "refused": "refused"},
        ),
        End("done"),
        End("refused"),
    ),
)
