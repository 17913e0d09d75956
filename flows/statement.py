"""A statement of a period as a document, or a chart of the balance, of the wallet or the float."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Do, End, Flow, Node, Option
from flows.parsers.values import StatementPeriod
from services.domain.document import Period
from services.domain.ledger import AccountKind


class StatementData(BaseModel):
    """Without an ``account`` it is the wallet."""

    model_config = ConfigDict(frozen=True)

    period: Period | None = None
    account: AccountKind | None = None
    format: str | None = None


DOCUMENT_EXITS = {
    "made": "made",
    "unknown": "failed",
    "failed": "failed",
    "too_long": "too_long",
    "refused": "refused",
}


def statement_nodes(formats: Sequence[str]) -> tuple[Node, ...]:
    """From the days to the format, for the wallet and for the float; each leads to the other, so
    that most people, who want the wallet, are not asked which."""
    wallet = _questions("", formats, other=AccountKind.FLOAT, there="float_")
    return (*wallet, *_questions("float_", formats, other=AccountKind.WALLET, there=""))


def _questions(
    here: str, formats: Sequence[str], *, other: AccountKind, there: str
) -> tuple[Node, ...]:
    """``here`` and ``there`` begin the names of the nodes for this account and the other."""
    switch = {"account": other.value}
    return (
        Choose(
            f"{here}period",
            options=(
                Option("days", to=f"{here}days"),
                Option(other, to=f"{there}period", puts=switch),
            ),
            suggest="periods",
            suggested_first=True,
            into="period",
            to=f"{here}format",
            typed=f"{here}days",
        ),
        Ask(f"{here}days", into="period", parse=StatementPeriod(), to=f"{here}format"),
        Choose(
            f"{here}format",
            options=(
                *(Option(name, to="make", puts={"format": name}) for name in formats),
                Option(other, to=f"{there}format", puts=switch),
            ),
        ),
    )


STATEMENT = Flow(
    "statement",
    version=2,
    compatible_versions=(1,),
    data=StatementData,
    start="period",
    in_menu=False,
    nodes=(
        *statement_nodes(("pdf", "csv", "chart")),
        Do(
            "make",
            use_case="request_document",
            args=("period", "format", "account"),
            on=DOCUMENT_EXITS,
        ),
        End("made", opens=("statement",)),
        End("failed", opens=("statement",)),
        End("too_long", opens=("statement",)),
        End("refused", opens=("statement",)),
    ),
)
