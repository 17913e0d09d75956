"""Handlers of the batch flow: the list of files, two people and a code, and how the rows went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.context import TurnContext
from bot.handlers import listing, spendings
from bot.handlers.batch_reading import quoted_values
from bot.handlers.batch_words import (
    exit_of,
    progress_line,
    result_file,
)
from bot.handlers.declaring import Handlers
from bot.handlers.outcomes import outcome_facts
from bot.handlers.sent_files import send_file
from bot.handlers.state_words import say_reason, say_state
from bot.handlers.wrong_codes import code_facts
from flows.engine.host import Exit, OperationStarted, Recalled, View
from services import payout_batches, spending
from services.approvals import AwaitingApproval
from services.domain.ids import Reference
from services.domain.ledger import Account, AccountKind
from services.domain.partner import Right
from services.domain.payout_batch import (
    BEGUN,
    Batch,
    BatchState,
)
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.spending import CodeSent

HANDLERS = Handlers()

LISTED = 8  # batches per page


@HANDLERS.view("batches", needs=Right.MOVE_MONEY, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """Newest first. The cursor is the last batch of the previous page, if any."""
    found = turn.tx.payout_batches.page(turn.person.partner.code, cursor, LISTED + 1)
    page = found[:LISTED]
    lines = [_line(turn, batch) for batch in page]
    references = [batch.reference for batch in page]
    text, items = listing.listed(turn, references, lines, "batch.list.empty")
    more = page[-1].reference if len(found) > LISTED else None
    return View({"lines": text}, items, more, "" if cursor else None)


def _line(turn: TurnContext, batch: Batch) -> str:
    facts = {
        "at": batch.created_at,
        "reference": batch.reference,
        "count": batch.rows,
        "amount": batch.amount,
        "state": _state(turn, batch),
    }
    return turn.say("batch.list.line", facts)


def _state(turn: TurnContext, batch: Batch) -> str:
    if batch.state is BatchState.AWAITING_APPROVAL and batch.approved_digest is not None:
        return turn.say("batch_approval.state")
    return say_state(turn, batch.reference, batch.state)


@HANDLERS.use_case("open_batch", needs=Right.MOVE_MONEY)
def open_(turn: TurnContext, batch: Reference) -> Exit | Refusal:
    """Where it stands: its maker goes on there, everybody else sees how it goes."""
    found = turn.tx.payout_batches.get(batch)
    if found is None:
        return Refusal("batch_over")
    if found.person_id == turn.person.id:
        found = spending.as_of_now(turn.tx, found)
        if found.state is BatchState.AWAITING_APPROVAL:
            return Exit("awaits", sets=quoted_values(found))
        if found.state is BatchState.OTP_SENT:
            return Exit("code", sets=quoted_values(found))
    if found.state is BatchState.RUNNING:
        return Exit("run", sets=quoted_values(found))
    counts = turn.tx.payout_batches.counts(batch)
    return Exit("partly" if counts.failed or counts.cancelled else "one")


@HANDLERS.view(
    "batch", needs=Right.MOVE_MONEY, shows=("amount", "begun", "count", "how", "reference", "state")
)
def one(turn: TurnContext, batch: Reference) -> View | None:
    found = turn.tx.payout_batches.get(batch)
    if found is None:
        return None
    how = progress_line(turn.app.texts, turn.language, turn.tx, found)
    if found.reason is not None:
        why = say_reason(turn.app.texts, turn.language, batch, found.reason)
        how = turn.say("batch.one.why", {"reason": why}) + how
    acts = {"result"} if found.state in BEGUN else set()
    if found.state is BatchState.RUNNING:
        acts.add("stop")
    facts = {
        "reference": found.reference,
        "count": found.rows,
        "amount": found.amount,
        "begun": found.created_at,
        "state": _state(turn, found),
        "how": how,
    }
    return View(facts, acts=frozenset(acts))


# Two people and a code ----------------------------------------------------------------------


@HANDLERS.view("batch_quote", needs=Right.MOVE_MONEY, shows=("digest", "float_after"))
def quote(turn: TurnContext, batch: Reference) -> View:
    found = turn.tx.payout_batches.get(batch)
    assert found is not None, "it was just read"
    float_ = turn.tx.ledger.balance(Account(found.partner, AccountKind.FLOAT))
    facts = {"digest": found.digest, "float_after": float_.available - found.quote.total}
    return View(facts)


@HANDLERS.view("batch_approval", needs=Right.MOVE_MONEY, shows=("standing",))
def approval_of(turn: TurnContext, batch: Reference) -> View:
    """Whether somebody has agreed by now."""
    approval = turn.tx.approvals.get(batch)
    assert approval is not None, "what waits was asked for"
    key = "asked" if approval.decision is None else approval.decision
    facts = {"partner": approval.partner, "until": approval.ends_at}
    return View({"standing": turn.say(f"batch_approval.{key}", facts)})


@HANDLERS.use_case("confirm_batch", needs=Right.MOVE_MONEY)
def confirm(turn: TurnContext, operation: Reference, batch: Reference) -> Exit | Refusal:
    app = turn.app
    result = payout_batches.confirm(
        turn.tx, app.keys, app.random, app.policy, turn.person, operation
    )
    match result:
        case Refusal():
            return result
        case Shortfall():
            found = turn.tx.payout_batches.get(operation)
            assert found is not None, "its float is short"
            return Exit("short", sets={**quoted_values(found), **spendings.short(result).sets})
        case AwaitingApproval():
            awaits = spendings.awaits(turn, "batch", result)
            return replace(awaits, sets={})  # until when is read where it is shown
        case CodeSent():
            spendings.send_code(turn, result)
            return Exit("sent")


@HANDLERS.code_check(
    "check_batch_code",
    needs=Right.MOVE_MONEY,
    shows=("reference", "sent_to", "until"),
    tells=("amount", "count", "reason", "reference"),
)
def check_code(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app = turn.app
    result = payout_batches.authorise(
        turn.tx, app.keys, app.random, app.policy, turn.person, operation, code
    )
    exit_ = spendings.code_was_checked(turn, operation, code, result)
    if isinstance(exit_, Exit) and exit_.name == "right":
        facts = {"rows": result.rows} if isinstance(result, Batch) else {}
        turn.audit(turn.person.partner.code, "batch_started", operation, facts)
        turn.wake("payouts")
    return exit_


@HANDLERS.action("resend_batch_code", needs=Right.MOVE_MONEY)
def resend_code(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    return spendings.resend_code(turn, operation, "batch_over")


@HANDLERS.action("batch_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    return spendings.exit_if_code_ended(turn, operation)


@HANDLERS.action("cancel_batch", needs=Right.VIEW)
def cancel(turn: TurnContext, operation: Reference) -> None:
    spending.cancel(turn.tx, turn.person, operation)


# Its rows -----------------------------------------------------------------------------------

_TOLD = (
    *("amount", "at", "balance", "cancelled", "count", "failed", "fees", "float", "paid"),
    *("open", "paid_amount", "reason", "reference", "sent", "total", "unknown"),
)


@HANDLERS.use_case(
    "run_batch",
    needs=Right.MOVE_MONEY,
    waits=True,
    shows=("reference", "status"),
    tells=_TOLD,
)
def run(turn: TurnContext, operation: Reference, batch: Reference) -> OperationStarted | Refusal:
    """The float is held, and the worker takes the rows up: wait for them here."""
    found = turn.tx.payout_batches.get(operation)
    if found is None or found.state is not BatchState.RUNNING:
        return Refusal("batch_over")
    return OperationStarted(found.reference)


@HANDLERS.action("stop_batch", needs=Right.MOVE_MONEY)
def stop(turn: TurnContext, operation: Reference) -> Exit | Refusal:
    stopped = payout_batches.stop(turn.tx, turn.person.partner, operation)
    if isinstance(stopped, Refusal):
        return stopped
    turn.audit(stopped.partner, "batch_stopped", operation)
    by_system = turn.app.channel(stopped.channel).events
    is_own = stopped.person_id == turn.person.id
    if not is_own if by_system else (stopped.channel, stopped.address) != turn.sender:
        turn.outcomes.append(stopped)  # its maker is told, or the account that sent it
    return Exit("stopped", outcome_facts(turn.tx, turn.app.texts, stopped))


@HANDLERS.action("check_batch", needs=Right.VIEW)
def check_outcome(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    """How it has ended, or its live message anew; what M-PESA is silent about is asked about by
    the row."""
    return exit_if_ended(turn, operation)


@HANDLERS.action("batch_stands", needs=Right.VIEW)
def exit_if_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    found = turn.tx.payout_batches.get(operation)
    if found is None or found.state not in (BatchState.DONE, BatchState.STOPPED):
        return None
    return Exit(exit_of(turn.tx, found), outcome_facts(turn.tx, turn.app.texts, found))


@HANDLERS.progress("BA", needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    found = turn.tx.payout_batches.get(operation)
    assert found is not None
    if found.state in BEGUN:
        status = progress_line(turn.app.texts, turn.language, turn.tx, found)
        return {"reference": operation, "status": status}
    return {"reference": operation, **code_facts(turn, operation)}


@HANDLERS.recall("BA", needs=Right.MOVE_MONEY)
def recall(turn: TurnContext, operation: Reference) -> Recalled:
    return Recalled("batch", {"batch": operation})


@HANDLERS.use_case("send_result", needs=Right.MOVE_MONEY)
def send_result(turn: TurnContext, batch: Reference) -> Exit | Refusal:
    return send_result_file(turn, batch) or Exit("sent")


@HANDLERS.action("send_batch_result", needs=Right.MOVE_MONEY)
def send_result_file(turn: TurnContext, operation: Reference) -> Refusal | None:
    """The rows with what became of them, as a file."""
    if not turn.app.channel(turn.event.channel).files:
        return Refusal("no_files")
    found = turn.tx.payout_batches.get(operation)
    if found is None or found.state not in BEGUN:
        return Refusal("batch_not_running")
    results = turn.tx.payout_batches.results(operation)
    caption = turn.say("batch.result", {"reference": operation, "count": found.rows})
    content = result_file(turn.app.texts, turn.language, results)
    return send_file(turn, f"{operation}.csv", content, caption)
