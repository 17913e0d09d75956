"""A link that opens the dashboard in a browser."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Do, End, Flow
from services.domain.partner import Right


class DashboardData(BaseModel):
    model_config = ConfigDict(frozen=True)


DASHBOARD = Flow(
    "dashboard",
    version=1,
    data=DashboardData,
    start="open",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=(
        Do("open", use_case="open_dashboard", args=(), on={"sent": "sent", "refused": "refused"}),
        End("sent"),
        End("refused"),
    ),
)
