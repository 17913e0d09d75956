"""A statement of a period as a document, or a chart of the balance."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Do, End, Flow, Option
from flows.parsers.values import StatementPeriod
from services.domain.document import Period


class StatementData(BaseModel):
    model_config = ConfigDict(frozen=True)

    period: Period | None = None
    format: str | None = None


DOCUMENT_EXITS = {
    "made": "made",
    "unknown": "failed",
    "failed": "failed",
    "too_long": "too_long",
    "refused": "refused",
}
PERIOD_NODES = (
    Choose("period", options=(), suggest="periods", into="period", to="format", typed="days"),
    Ask("days", into="period", parse=StatementPeriod(), to="format"),
)

STATEMENT = Flow(
    "statement",
    version=1,
    data=StatementData,
    start="period",
    in_menu=False,
    nodes=(
        *PERIOD_NODES,
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
            on=DOCUMENT_EXITS,
        ),
        End("made", opens=("statement",)),
        End("failed", opens=("statement",)),
        End("too_long", opens=("statement",)),
        End("refused", opens=("statement",)),
    ),
)
