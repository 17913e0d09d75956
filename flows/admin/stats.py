"""Usage figures, and the same as a chart."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Choose, Do, End, Flow, Option
from flows.statement import DOCUMENT_EXITS
from services.domain.partner import Right


class StatsData(BaseModel):
    model_config = ConfigDict(frozen=True)


STATS = Flow(
    "stats",
    version=1,
    data=StatsData,
    start="figures",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=(
        Choose(
            "figures",
            view="stats",
            options=(
                Option("again", to="figures"),
                Option("screens", to="screens"),
                Option("chart", to="make"),
            ),
        ),
        Choose("screens", view="screens", options=(Option("figures", to="figures"),)),
        Do("make", use_case="chart_activity", args=(), on=DOCUMENT_EXITS),
        End("made"),
        End("failed"),
        End("too_long"),
        End("refused"),
    ),
)
