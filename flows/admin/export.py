"""Any partner's statement, for an admin."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Do, End, Flow, Option
from flows.parsers.people import KnownPartner
from flows.statement import DOCUMENT_EXITS, PERIOD_NODES
from services.domain.document import Period
from services.domain.partner import Right


class ExportData(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str | None = None
    period: Period | None = None
    format: str | None = None


EXPORT = Flow(
    "export",
    version=1,
    data=ExportData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="period"),
        *PERIOD_NODES,
        Choose(
            "format",
            options=tuple(
                Option(name, to="make", puts={"format": name}) for name in ("csv", "pdf")
            ),
        ),
        Do(
            "make",
            use_case="export_document",
            args=("code", "period", "format"),
            on=DOCUMENT_EXITS,
        ),
        End("made"),
        End("failed"),
        End("too_long"),
        End("refused"),
    ),
)
