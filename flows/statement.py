"""A statement of a period as a document, or a chart of the balance."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Do, End, Flow, Option
from flows.parsers.values import AskedPeriod
from services.domain.document import Period


class StatementData(BaseModel):
    model_config = ConfigDict(frozen=True)

    period: Period | None = None
    format: str | None = None


MADE = {
    "made": "made",
    "unknown": "failed",
    "failed": "failed",
    "too_long": "too_long",
    "refused": "refused",
}
PERIOD = (
    Choose("period", options=(), suggest="periods", into="period", to="format", typed="days"),
    Ask("days", into="period", parse=AskedPeriod(), to="format"),
)

STATEMENT = Flow(
    "statement",
    version=1,
    data=StatementData,
    start="period",
    in_menu=False,
    nodes=(
        *PERIOD,
        Choose(
            "format",
            options=tuple(
                Option(name, to="make", puts={"format": name}) for name in ("pdf", "csv", "chart")
            ),
        ),
        Do(
            "make",
            use_case="request_document",
            args=("period", "format"),
            on=MADE,
            waits=True,
        ),
        End("made"),
        End("failed"),
        End("too_long"),
        End("refused"),
    ),
)
