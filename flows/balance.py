"""The partner's balance. Read-only."""

from __future__ import annotations

from pydantic import BaseModel

from flows.engine.nodes import Flow, Look


class BalanceData(BaseModel):
    pass


BALANCE = Flow(
    "balance",
    version=1,
    data=BalanceData,
    start="show",
    ussd=True,
    nodes=(Look("show", view="balance"),),
)
