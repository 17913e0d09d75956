"""The functions that flows may call, by the names that flows use, and the rights they need."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers import (
    admin,
    approvals,
    balance,
    blocks,
    contacts,
    float,
    history,
    inviting,
    joining,
    people,
    statement,
    topup,
)
from bot.handlers import settings as settings_handlers
from bot.handlers.signatures import Action, CodeCheck, Progress, Suggester, UseCase, ViewBuilder
from services.domain.partner import Right
from services.domain.refusal import Refusal


def _check_operation(turn: TurnContext, operation: str) -> Refusal | None:
    """Check an operation of either kind from the history."""
    if operation.startswith("FL"):
        return float.check(turn, operation)
    topup.check(turn, operation)
    return None


USE_CASES: dict[str, UseCase] = {
    "secure_topup": topup.secure,
    "start_topup": topup.start,
    "start_another_topup": topup.start_another,
    "expect_topup": topup.expect,
    "request_float": float.request,
    "confirm_float": float.confirm,
    "buy_float": float.buy,
    "set_wallet_mark": settings_handlers.set_wallet_mark,
    "set_float_mark": settings_handlers.set_float_mark,
    "set_notice": settings_handlers.set_notification,
    "set_second": settings_handlers.set_approval_threshold,
    "clear_second": settings_handlers.clear_approval_threshold,
    "set_language": settings_handlers.set_language,
    "forget_phone": settings_handlers.forget_phone,
    "request_document": statement.request,
    "export_document": statement.export,
    **approvals.USE_CASES,
    **blocks.USE_CASES,
    **contacts.USE_CASES,
    **inviting.USE_CASES,
    **joining.USE_CASES,
    **people.USE_CASES,
    **admin.USE_CASES,
}
# The right that a step needs when it acts, whatever the screen with its button required.
REQUIRED_RIGHTS: dict[str, Right] = {
    "start_topup": Right.MOVE_MONEY,
    "start_another_topup": Right.MOVE_MONEY,
    "expect_topup": Right.MOVE_MONEY,
    "confirm_float": Right.MOVE_MONEY,
    "approve_float": Right.APPROVE,
    "decline_float": Right.APPROVE,
    "invite_own": Right.INVITE,
    "unlink_own": Right.INVITE,
    "set_second": Right.SET_RULES,
    "clear_second": Right.SET_RULES,
    "block_own": Right.SET_RULES,
    "unblock_own": Right.SET_RULES,
    "check_topup_code": Right.MOVE_MONEY,
    "check_float_code": Right.MOVE_MONEY,
}
CODE_CHECKS: dict[str, CodeCheck] = {
    "check_topup_code": topup.check_code,
    "check_float_code": float.check_code,
    **contacts.CODE_CHECKS,
    **joining.CODE_CHECKS,
}
ACTIONS: dict[str, Action] = {
    "check_topup": topup.check_outcome,
    "resend_topup_code": topup.resend_code,
    "cancel_topup": topup.cancel,
    "check_float": float.check_outcome,
    "check_operation": _check_operation,
    "topup_code_stands": topup.exit_if_code_ended,
    "float_code_stands": float.exit_if_code_ended,
    "resend_float_code": float.resend_code,
    "cancel_float": float.cancel,
    **contacts.ACTIONS,
    **joining.ACTIONS,
    **admin.ACTIONS,
}
PROGRESS: dict[str, Progress] = {
    "TU": topup.progress,
    "FL": float.progress,
    "ST": statement.progress,
    **contacts.PROGRESS,
    **joining.PROGRESS,
}
VIEWS: dict[str, ViewBuilder] = {
    "balance": balance.own_balance,
    "history": history.operations,
    "operation": history.operation,
    "settings": settings_handlers.settings,
    "notices": settings_handlers.notification_preferences,
    "notice": settings_handlers.notification_preference,
    "phones": settings_handlers.phones,
    **approvals.VIEWS,
    **blocks.VIEWS,
    **people.VIEWS,
    **admin.VIEWS,
}
SUGGESTERS: dict[str, Suggester] = {**people.SUGGESTERS, **blocks.SUGGESTERS, **admin.SUGGESTERS}
