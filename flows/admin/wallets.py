"""A partner's balance and history as admins see them. Read-only."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.admin.search import ASKS
from flows.engine.nodes import Ask, Flow, Look
from flows.parsers.people import KnownPartner
from services.domain.ids import Reference
from services.domain.partner import Right


class WalletData(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str | None = None
    reference: Reference | None = None


# Partners' people have their own flows for these commands.
BALANCE_OF = Flow(
    "balanceof",
    version=1,
    data=WalletData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    command="balance",
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="show"),
        Look("show", view="balance_of", args=("code",)),
    ),
)

HISTORY_OF = Flow(
    "historyof",
    version=1,
    data=WalletData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    command="history",
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="list"),
        Look("list", view="history_of", args=("code",), into="reference", to="detail"),
        Look(
            "detail",
            view="operation_of",
            args=("reference", "code"),
            acts=ASKS,
        ),
    ),
)
