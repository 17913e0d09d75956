"""Any partner's statement, of its wallet or its float, for an admin."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Do, End, Flow
from flows.parsers.people import KnownPartner
from flows.statement import DOCUMENT_EXITS, statement_nodes
from services.domain.document import Period
from services.domain.ledger import AccountKind
from services.domain.partner import Right


class ExportData(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str | None = None
    period: Period | None = None
    account: AccountKind | None = None
    format: str | None = None


EXPORT = Flow(
    "export",
    version=2,
    compatible_versions=(1,),
    data=ExportData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="period"),
        *statement_nodes(("csv", "pdf")),
        Do(
            "make",
            use_case="export_document",
            args=("code", "period", "format", "account"),
            on=DOCUMENT_EXITS,
        ),
        End("made"),
        End("failed"),
        End("too_long"),
        End("refused"),
    ),
)
