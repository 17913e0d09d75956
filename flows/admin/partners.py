"""Partners: listing, viewing, adding and suspending them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Confirm, Do, End, Flow, Look
from flows.parsers.people import KnownPartner, NewPartner
from services.domain.partner import Right


class PartnerData(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str | None = None


PARTNERS = Flow(
    "partners",
    version=1,
    data=PartnerData,
    start="list",
    needs=Right.ADMIN,
    nodes=(
        Look("list", view="partners", into="code", to="one"),
        Look("one", view="partner", args=("code",)),
    ),
)

PARTNER = Flow(
    "partner",
    version=1,
    data=PartnerData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="one"),
        Look("one", view="partner", args=("code",)),
    ),
)

NEW_PARTNER = Flow(
    "newpartner",
    version=1,
    data=PartnerData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=NewPartner(), to="confirm"),
        Confirm("confirm", shows=("code",), yes="add", edit={"code": "code"}),
        Do(
            "add", use_case="add_partner", args=("code",), on={"done": "done", "refused": "refused"}
        ),
        End("done"),
        End("refused"),
    ),
)


def _switch(name: str, use_case: str) -> Flow:
    return Flow(
        name,
        version=1,
        data=PartnerData,
        start="code",
        needs=Right.ADMIN,
        in_menu=False,
        takes_argument=True,
        nodes=(
            Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="confirm"),
            Confirm("confirm", shows=("code",), yes="do"),
            Do("do", use_case=use_case, args=("code",), on={"done": "done", "refused": "refused"}),
            End("done"),
            End("refused"),
        ),
    )


SUSPEND = _switch("suspend", "suspend_partner")
RESUME = _switch("resume", "resume_partner")
