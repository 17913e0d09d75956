"""What the handlers of float purchases, payouts and batches share: a second person, codes, and how
one ends."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers import approvals as approval_handlers
from bot.handlers.outcomes import outcome_facts
from bot.handlers.state_words import say_reason
from bot.handlers.wrong_codes import code_exit, report_wrong_code
from flows.engine.host import Exit
from services import approvals, spending
from services.approvals import AwaitingApproval
from services.domain.approval import Decision
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.payout import Payout
from services.domain.payout_batch import Batch, BatchState
from services.domain.refusal import Refusal
from services.domain.spending import S, Shortfall, Spending, SpendingState, binding, is_in
from services.otp import NotPassed
from services.spending import CodeSent


def is_for_a_colleague(turn: TurnContext, quoted: Spending) -> bool:
    """Whether the yes asks a colleague first, since none has agreed."""
    given = turn.tx.approvals.get(quoted.reference)
    is_given = given is not None and given.decision is Decision.APPROVED
    return approvals.is_needed(turn.person.partner, quoted.amount) and not is_given


def alone_up_to(turn: TurnContext) -> Money:
    """Above this amount a colleague must agree."""
    partner = turn.person.partner
    return Money(partner.approve_above_cents or 0, partner.currency)


def short(shortfall: Shortfall) -> Exit:
    sets = {
        "total": shortfall.total,
        "available": shortfall.available,
        "missing": shortfall.missing,
    }
    return Exit("short", sets=sets)


def awaits(turn: TurnContext, flow: str, awaiting: AwaitingApproval[S]) -> Exit:
    """Ask the colleagues, once."""
    if awaiting.fresh:
        approval_handlers.notify_approvers(turn, awaiting)
    above = None if awaiting.fresh else turn.say(f"{flow}.awaits.not_yet")
    return Exit("awaits", sets={"until": awaiting.approval.ends_at}, above=above)


def send_code(turn: TurnContext, sent: CodeSent[S]) -> None:
    operation: Spending = sent.operation
    amount, fees, total = operation.amount, operation.quote.fees, operation.quote.total
    if isinstance(operation, Payout):
        facts = {"amount": amount, "fees": fees, "payee": operation.recipient}
        turn.send_code(sent.issued, "sms.payout_code", facts)
        return
    if isinstance(operation, Batch):
        turn.send_code(sent.issued, "sms.batch_code", {"count": operation.rows, "total": total})
        return
    facts = {
        "amount": amount,
        "fees": str(fees).removeprefix(f"{fees.currency} "),
        "total": str(total).removeprefix(f"{total.currency} "),
        "destination": operation.masked_destination,
    }
    turn.send_code(sent.issued, "sms.float_code", facts)


def resend_code(turn: TurnContext, operation: str, over: str) -> Exit | Refusal | None:
    """Refusals: ``over`` if it is nothing of this person's, those of ``spending.resend``."""
    app, found = turn.app, spending.own(turn.tx, turn.person, operation)
    if found is None:
        return Refusal(over)
    result = spending.resend(
        turn.tx, app.keys, app.random, turn.person, found, limits=app.policy.code_limits
    )
    match result:
        case Refusal():
            return result
        case CodeSent():
            send_code(turn, result)
            return None
        case _:
            return exit_of_ended(turn, result)


def code_was_checked(
    turn: TurnContext, operation: str, code: str, result: Spending | NotPassed | Refusal
) -> Exit | Refusal:
    """The exit for what a typed code led to; guesses are logged."""
    match result:
        case Refusal():
            return Exit("cancelled")
        case NotPassed():
            asked = spending.get(turn.tx, operation)
            assert asked is not None, "its code was just checked"
            report_wrong_code(turn, binding(asked), result, code)
            return Refusal.of("wrong_code", left=result.tries_left)
    if is_in(result, SpendingState.AUTHORISED) or result.state is BatchState.RUNNING:
        return Exit("right")
    if is_in(result, SpendingState.OTP_LOCKED):
        report_wrong_code(turn, binding(result), NotPassed(OtpStatus.LOCKED), code)
    return exit_of_ended(turn, result)


def exit_if_code_ended(turn: TurnContext, operation: str) -> Exit | None:
    found = spending.own(turn.tx, turn.person, operation)
    if found is None:
        return Exit("cancelled")
    found = spending.as_of_now(turn.tx, found)
    return None if is_in(found, SpendingState.OTP_SENT) else exit_of_ended(turn, found)


def exit_of_ended(turn: TurnContext, ended: Spending) -> Exit:
    """The exit for one that has ended, or no longer waits for its code."""
    match ended.state.value:
        case SpendingState.OTP_EXPIRED:
            return Exit("otp_expired")
        case SpendingState.OTP_LOCKED:
            exit_name = code_exit(turn, OtpStatus.LOCKED, turn.person.phone)
            assert exit_name is not None
            return Exit(exit_name)
        case SpendingState.REFUSED:
            assert ended.reason is not None
            reason = say_reason(turn.app.texts, turn.language, ended.reference, ended.reason)
            facts: dict[str, object] = {"reason": reason, "reference": ended.reference}
            if isinstance(ended, Batch):
                facts |= {"count": ended.rows, "amount": ended.amount}
            return Exit("declined", facts)
        case _:
            return Exit("cancelled")


def outcome(turn: TurnContext, operation: str) -> Exit | None:
    """How it has ended, for whoever comes back to it; ``None`` while they go on waiting."""
    found = spending.get(turn.tx, operation)
    if found is None or found.is_undecided:
        return None
    return Exit(outcome_exit(found), outcome_facts(turn.tx, turn.app.texts, found))


def outcome_exit(ended: Spending) -> str:
    """The exit that the outcome takes from the waiting Do node."""
    return ended.state.value.lower()
