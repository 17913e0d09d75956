"""Handlers of the top-up flow where a channel asks for a desk PIN instead of a code."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers import desk_pin
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit
from services import desk_pins, topups
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.otp import Purpose
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.otp import Passed

HANDLERS = Handlers()


@HANDLERS.code_check(
    "check_topup_pin",
    needs=Right.MOVE_MONEY,
    shows=(),
    tells=("amount", "at", "balance", "phone", "reason", "reference"),
)
def check_pin(
    turn: TurnContext, operation: Reference, code: str, amount: Money, phone: Phone
) -> Exit | Refusal:
    binding = topups.code_binding(turn.person, operation, amount, phone)
    answer = desk_pins.approve(turn.tx, turn.app.keys, turn.app.policy, turn.person, binding, code)
    return Exit("right") if isinstance(answer, Passed) else desk_pin.exit_of(turn, answer)


@HANDLERS.action("topup_pin_stands", needs=Right.VIEW)
def exit_if_not_asked(turn: TurnContext, operation: Reference) -> Exit | None:
    asked = turn.tx.desk_pins.asked(operation, Purpose.WALLET_TOPUP)
    is_own = asked is not None and asked.person_id == turn.person.id
    return None if is_own and turn.tx.topups.get(operation) is None else Exit("cancelled")
