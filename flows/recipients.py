"""Recipients that are saved under a name, to be paid again."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Call, Choose, Do, End, Flow, Option
from flows.parsers.recipients import Payee, RecipientName
from flows.parsers.values import KenyanMobile
from services.domain.partner import Right
from services.domain.phone import Phone


class RecipientsData(BaseModel):
    model_config = ConfigDict(frozen=True)

    payee: Phone | None = None
    name: str | None = None


RECIPIENTS = Flow(
    "recipients",
    version=1,
    data=RecipientsData,
    start="list",
    needs=Right.MOVE_MONEY,
    in_menu=False,
    nodes=(
        Choose(
            "list",
            view="recipients",
            is_menu=True,
            suggest="recipients",
            suggested_first=True,
            into="payee",
            to="one",
            options=(Option("add", to="phone"),),
            typed="which",
        ),
        Ask("which", into="payee", parse=Payee(), to="one"),
        Choose(
            "one",
            view="recipient",
            args=("payee",),
            options=(Option("pay", to="pay"), Option("delete", to="forget")),
        ),
        Call("pay", flow="pay", gives={"payee": "payee"}),
        Do(
            "forget",
            use_case="delete_recipient",
            args=("payee",),
            on={"deleted": "list", "refused": "refused"},
        ),
        Ask("phone", into="payee", parse=KenyanMobile(), to="name"),
        Ask("name", into="name", parse=RecipientName(), to="save", free_text=True),
        Do(
            "save",
            use_case="save_recipient",
            args=("payee", "name"),
            on={"saved": "saved", "again": "name", "refused": "refused"},
        ),
        End("saved", opens=("pay", "recipients")),
        End("refused", opens=("recipients",)),
    ),
)
