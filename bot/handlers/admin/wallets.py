"""A partner's balance and history as admins see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.partners import get
from bot.handlers.balance import balance_of
from bot.handlers.history import operation_of, operations_of
from bot.handlers.signatures import ViewBuilder
from flows.engine.host import View


def balance(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    return balance_of(turn, get(turn, args["code"]), "balanceof.show")


def history(turn: TurnContext, args: Mapping[str, Any], cursor: str | None) -> View:
    return operations_of(turn, args["code"], cursor, "historyof.list")


def operation(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    return operation_of(turn, args["code"], args["reference"], masked=True)


VIEWS: dict[str, ViewBuilder] = {
    "balance_of": balance,
    "history_of": history,
    "operation_of": operation,
}
