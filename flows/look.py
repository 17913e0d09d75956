"""See balances and what has happened; nothing here changes anything."""

from __future__ import annotations

from pydantic import BaseModel

from flows.engine.nodes import Flow, Look


class BalanceData(BaseModel):
    pass


class HistoryData(BaseModel):
    reference: str | None = None


BALANCE = Flow(
    "balance",
    version=1,
    data=BalanceData,
    start="show",
    ussd=True,
    nodes=(Look("show", view="balance"),),
)

HISTORY = Flow(
    "history",
    version=1,
    data=HistoryData,
    start="list",
    nodes=(
        Look("list", view="history", into="reference", to="detail"),
        Look("detail", view="operation", args=("reference",), acts={"check": "check_operation"}),
    ),
)
