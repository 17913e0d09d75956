"""What flows call is declared, and nobody changes a right without changing it here too."""

from __future__ import annotations

import pytest

from bot.context import TurnContext
from bot.handlers.declaring import DeclarationError, Handlers
from bot.turns.registry import HANDLERS
from flows.catalogue import all_flows
from flows.engine.check_calls import calls
from flows.engine.declarations import HandlerKind
from flows.engine.host import Exit
from services.domain.ids import Reference
from services.domain.partner import Right

# By right: everything that acts. What is only shown is in no need of a list of its own, because a
# flow may show no more than its own right covers.
ACTS = frozenset({HandlerKind.USE_CASE, HandlerKind.CODE_CHECK, HandlerKind.ACTION})
RIGHTS = {
    None: """
        check_join_code join_code_stands open_invite resend_join_code send_join_code
    """,
    Right.VIEW: """
        approve_pin_stands ask_mail ask_number batch_code_stands batch_stands cancel_batch
        cancel_ceiling cancel_contact cancel_float cancel_payout cancel_pin cancel_thaw
        cancel_topup ceiling_code_stands check_batch check_float check_mail_code
        check_number_code check_operation check_payout check_topup contact_code_stands
        float_code_stands float_pin_stands float_stands forget_phone payout_code_stands
        payout_stands pin_change_stands pin_code_stands request_document resend_contact_code
        set_language thaw_code_stands topup_code_stands topup_pin_stands topup_stands
    """,
    Right.MOVE_MONEY: """
        accept_doubled_rows ask_pin buy_float check_batch_code check_float_code
        check_float_pin check_payout_code check_topup_code check_topup_pin choose_pin
        confirm_batch confirm_float confirm_payout delete_recipient expect_topup open_batch
        pay_failed_rows price_batch prove_pin read_payout_file repeat_pin request_float
        request_payout resend_batch_code resend_float_code resend_payout_code
        resend_pin_code resend_topup_code run_batch save_recipient secure_topup
        send_batch_result send_payout send_result set_float_mark set_notice set_wallet_mark
        start_another_topup start_topup stop_batch
    """,
    Right.APPROVE: """
        approve_float check_approve_pin decline_float
    """,
    Right.INVITE: """
        invite_own name_own unlink_own
    """,
    Right.SET_RULES: """
        ask_ceiling ask_thaw block_own check_ceiling_code check_thaw_code
        check_webhook_url clear_second find_own_block freeze_payouts make_webhook
        remove_webhook resend_ceiling_code resend_thaw_code revoke_own_api_key
        rotate_own_api_key set_second switch_on_webhook test_webhook unblock_own
    """,
    Right.ADMIN: """
        add_partner approve_proposal ask_bank ask_mpesa_balances block_desk chart_activity
        clean_up compare_fee compare_limit compare_mark count_hearers decline_proposal
        export_document find_broadcast find_codes find_desk_block find_match find_unknown
        invite_to make_api_key name_of open_dashboard open_proposal pause_payouts
        propose_adjustment propose_assignment propose_dismissal propose_match
        propose_resolution release_account resume_partner resume_payouts revoke_api_key
        rotate_api_key run_job search set_fee set_limit set_mark start_broadcast
        stop_broadcast suspend_partner unblock_desk unlink_from unlock_codes whose_limits
    """,
}


def test_what_acts_needs_the_right_that_is_written_here() -> None:
    written = {name: needs for needs, names in RIGHTS.items() for name in names.split()}
    assert {handler.name: handler.needs for handler in HANDLERS if handler.kind in ACTS} == written


def test_only_preferences_may_be_changed_while_the_partner_is_suspended() -> None:
    allowed = {handler.name for handler in HANDLERS if handler.while_suspended}
    assert allowed == {"set_wallet_mark", "set_float_mark", "set_notice"}


BY_PREFIX = (HandlerKind.PROGRESS, HandlerKind.RECALL)  # of an operation, whatever the flow


def test_everything_that_is_declared_is_called() -> None:
    called = {
        (call.kind, call.name)
        for flow in all_flows()
        for node in flow.nodes
        for call in calls(flow, node)
    }
    called |= {(HandlerKind.ACTION, flow.cancel_use_case) for flow in all_flows()}
    counts = {name for flow in all_flows() for name in (flow.counted_by, flow.phone_count)}
    called |= {(HandlerKind.COUNT, name) for name in counts if name is not None}
    declared = {
        (handler.kind, handler.name) for handler in HANDLERS if handler.kind not in BY_PREFIX
    }
    assert declared <= called


def test_nothing_is_declared_without_a_right() -> None:
    with pytest.raises(TypeError, match="needs"):
        Handlers().use_case("start_thing")  # type: ignore[call-arg]


def test_nothing_is_declared_twice() -> None:
    handlers = Handlers()

    def start(turn: TurnContext) -> Exit:
        return Exit("done")

    handlers.use_case("start_thing", needs=Right.VIEW)(start)
    with pytest.raises(DeclarationError, match="use case start_thing is declared twice"):
        Handlers(handlers, handlers)


def test_an_operation_is_a_reference_so_that_its_partner_is_checked() -> None:
    def cancel(turn: TurnContext, operation: str) -> None: ...

    def check(turn: TurnContext, operation: Reference) -> None: ...

    Handlers().action("check_thing", needs=Right.VIEW)(check)
    with pytest.raises(DeclarationError, match="operation is no Reference"):
        Handlers().action("cancel_thing", needs=Right.VIEW)(cancel)
