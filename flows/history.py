"""Past operations, newest first, and one operation in detail. Read-only."""

from __future__ import annotations

from pydantic import BaseModel

from flows.engine.nodes import Flow, Look, Repeat
from services.domain.ids import Reference


class HistoryData(BaseModel):
    reference: Reference | None = None


# At the end of an operation that nobody can tell about yet: see how it stands, and ask the bank.
DETAILS = Repeat(at="detail", fills=("reference",), flow="history")

HISTORY = Flow(
    "history",
    version=1,
    data=HistoryData,
    start="list",
    ussd=True,
    nodes=(
        Look("list", view="history", into="reference", to="detail"),
        Look(
            "detail",
            view="operation",
            args=("reference",),
            acts={"check": "check_operation", "check-payout": "check_operation"},
        ),
    ),
)
