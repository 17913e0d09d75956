"""The service's own health."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Flow, Look
from services.domain.partner import Right


class HealthData(BaseModel):
    model_config = ConfigDict(frozen=True)


HEALTH = Flow(
    "health",
    version=1,
    data=HealthData,
    start="show",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=(Look("show", view="health"),),
)
