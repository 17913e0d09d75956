"""Handlers of the float flow where a channel asks for a desk PIN instead of a code."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers import desk_pin
from bot.handlers.declaring import Handlers
from bot.handlers.spendings import exit_of_ended
from flows.engine.host import Exit
from services import float_by_pin
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.refusal import Refusal
from services.domain.spending import CONFIRMABLE, is_in

HANDLERS = Handlers()


@HANDLERS.code_check(
    "check_float_pin",
    needs=Right.MOVE_MONEY,
    shows=("reference",),
    tells=("amount", "at", "balance", "fees", "float", "reason", "reference", "total"),
)
def check_pin(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app = turn.app
    result = float_by_pin.authorise(turn.tx, app.keys, app.policy, turn.person, operation, code)
    match result:
        case Purchase(state=PurchaseState.AUTHORISED):
            return Exit("right")
        case Purchase():
            return exit_of_ended(turn, result)
        case Refusal("float_over"):
            return Exit("cancelled")
        case _:
            return desk_pin.exit_of(turn, result)


@HANDLERS.action("float_pin_stands", needs=Right.VIEW)
def exit_if_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    purchase = float_by_pin.as_of_now(turn.tx, turn.person, operation)
    if purchase is None:
        return Exit("cancelled")
    return None if is_in(purchase, *CONFIRMABLE) else exit_of_ended(turn, purchase)
