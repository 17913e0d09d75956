"""How far each day is reconciled with the bank's statement."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Flow, Look
from services.domain.partner import Right


class DaysData(BaseModel):
    model_config = ConfigDict(frozen=True)


DAYS = Flow(
    "days",
    version=1,
    data=DaysData,
    start="list",
    needs=Right.ADMIN,
    in_menu=False,
    counted_by="open_days",
    nodes=(Look("list", view="days"),),
)
