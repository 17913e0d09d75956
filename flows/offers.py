"""What to do with an amount or a phone that was typed at the menu, without a command."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Call, Choose, Flow, Option
from flows.parsers.values import Amount, KenyanMobile
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.phone import Phone


class OfferData(BaseModel):
    model_config = ConfigDict(frozen=True)

    amount: Money | None = None
    phone: Phone | None = None


OFFER_AMOUNT = Flow(
    "offer_amount",
    version=1,
    data=OfferData,
    start="amount",
    needs=Right.MOVE_MONEY,
    in_menu=False,
    ussd=True,
    has_command=False,
    nodes=(
        Ask("amount", into="amount", parse=Amount("offer"), to="spend"),
        Choose("spend", options=(Option("topup", to="topup"), Option("float", to="float"))),
        Call("topup", flow="topup", gives={"amount": "amount"}),
        Call("float", flow="float", gives={"amount": "amount"}),
    ),
)

OFFER_PHONE = Flow(
    "offer_phone",
    version=1,
    data=OfferData,
    start="phone",
    needs=Right.MOVE_MONEY,
    in_menu=False,
    ussd=True,
    has_command=False,
    nodes=(
        Ask("phone", into="phone", parse=KenyanMobile(), to="use"),
        Choose("use", options=(Option("topup", to="topup"),)),
        Call("topup", flow="topup", gives={"phone": "phone"}),
    ),
)
