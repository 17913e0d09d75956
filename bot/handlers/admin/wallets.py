"""A partner's balance and history as admins see them."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.admin.partners import get
from bot.handlers.balance import balance_of
from bot.handlers.declaring import Handlers
from bot.handlers.history import operation_of, operations_of
from flows.engine.host import View
from services.domain.ids import Reference
from services.domain.partner import Right

HANDLERS = Handlers()


@HANDLERS.view(
    "balance_of",
    needs=Right.ADMIN,
    shows=("at", "available", "float", "held", "low", "partner", "wallet"),
)
def balance(turn: TurnContext, code: str) -> View:
    return balance_of(turn, get(turn, code), "balanceof.show")


@HANDLERS.view("history_of", needs=Right.ADMIN, shows=("lines", "partner"))
def history(turn: TurnContext, code: str, cursor: str | None) -> View:
    return operations_of(turn, code, cursor, "historyof.list")


@HANDLERS.view(
    "operation_of",
    needs=Right.ADMIN,
    shows=("begun", "reason", "receipt", "reference", "settled", "state", "what"),
)
def operation(turn: TurnContext, reference: Reference, code: str) -> View | None:
    return operation_of(turn, code, reference, masked=True)
