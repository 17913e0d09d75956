"""Handlers of the batch flow: files of payouts, from what a file says to how its rows went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.context import TurnContext
from bot.handlers import listing, spendings
from bot.handlers.batch_words import (
    exit_of,
    fault_lines,
    progress_line,
    result_file,
    say_fault,
    say_row,
)
from bot.handlers.declaring import Handlers
from bot.handlers.outcomes import outcome_facts
from bot.handlers.sent_files import send_file
from bot.handlers.state_words import say_reason, say_state
from bot.handlers.wrong_codes import code_facts
from flows.engine.event import FILE_NOT_FETCHED, FILE_TOO_LARGE
from flows.engine.host import Exit, OperationStarted, Recalled, View
from flows.parsers.payout_file import read_payout_file, read_rows
from services import payout_batches, spending
from services.approvals import AwaitingApproval
from services.documents.batch_files import faults_csv
from services.domain.ids import Reference
from services.domain.ledger import Account, AccountKind
from services.domain.partner import Right
from services.domain.payout_batch import (
    BEGUN,
    Batch,
    BatchRow,
    BatchState,
    RowFault,
)
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.payout_batches import Doubles
from services.spending import CodeSent

HANDLERS = Handlers()

LISTED = 8  # batches per page, and rows that a text names before a file lists them
_NOT_FETCHED = {FILE_TOO_LARGE: "file_too_large", FILE_NOT_FETCHED: "file_not_fetched"}


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
            return Exit("awaits", sets=_quoted(found))
        if found.state is BatchState.OTP_SENT:
            return Exit("code", sets=_quoted(found))
    if found.state is BatchState.RUNNING:
        return Exit("run", sets=_quoted(found))
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


# What a file says ---------------------------------------------------------------------------


@HANDLERS.use_case("read_payout_file", needs=Right.MOVE_MONEY)
def read(turn: TurnContext) -> Exit | Refusal:
    """The file that this event has brought. The one before, that nobody confirmed, is forgotten
    whatever this one says."""
    refusal = _forget_the_last(turn)
    if refusal is not None:
        return refusal
    if turn.event.option:
        return Refusal(_NOT_FETCHED[turn.event.option])
    rows = read_payout_file(turn.event.content)
    if isinstance(rows, Refusal):
        return rows
    found = read_rows(rows)
    limits = payout_batches.check_rows(turn.tx, turn.person.partner.code, found.priced)
    if faults := [*found.faults, *limits]:
        return _faulty(turn, sorted(faults, key=lambda fault: fault.number))
    return _take(turn, turn.event.text, found.rows)


@HANDLERS.use_case("pay_failed_rows", needs=Right.MOVE_MONEY)
def pay_failed(turn: TurnContext, batch: Reference) -> Exit | Refusal:
    """The rows of an earlier batch whose money came back, as a new one."""
    refusal = _forget_the_last(turn)
    earlier = turn.tx.payout_batches.get(batch)
    if refusal is not None or earlier is None or earlier.state not in BEGUN:
        return refusal or Refusal("batch_over")
    rows = payout_batches.failed_rows(turn.tx, earlier)
    return _take(turn, earlier.name, rows) if rows else Refusal("batch_none_failed")


def _forget_the_last(turn: TurnContext) -> Refusal | None:
    quoted = turn.tx.payout_batches.quoted(*turn.sender)
    if quoted is not None:
        spending.drop_quote(turn.tx, quoted)
    return payout_batches.check_may_send(turn.tx, turn.app.policy, turn.person)


def _take(turn: TurnContext, name: str, rows: Sequence[BatchRow]) -> Exit | Refusal:
    app, person = turn.app, turn.person
    taken = payout_batches.request(
        turn.tx, app.random, app.policy, person, *turn.sender, turn.key, name, rows
    )
    match taken:
        case Refusal():
            return taken
        case (Batch() as batch, Doubles() as doubles):
            return _doubled(turn, batch, doubles) if doubles else _priced(turn, batch)
        case faults:
            return _faulty(turn, faults)


def _faulty(turn: TurnContext, faults: Sequence[RowFault]) -> Exit:
    """Every bad row is named: in the text where they are few, else in a file as well."""
    lines = fault_lines(turn, faults)
    shown = lines[:LISTED]
    if len(lines) > LISTED:
        shown.append(turn.say("batch.check.more", {"count": len(lines) - LISTED}))
        if turn.app.channel(turn.event.channel).files:
            caption = turn.say("batch.check.file", {"count": len(lines)})
            said = [say_fault(turn, fault) for fault in faults]
            content = faults_csv(faults, said, _column_words(turn))
            send_file(turn, "hazina-rows.csv", content, caption)
    bad = len({fault.number for fault in faults})
    problem = turn.say("batch.check.bad", {"count": bad, "lines": "\n".join(shown)})
    return Exit("check", sets={"batch": None, "problem": problem})


def _doubled(turn: TurnContext, batch: Batch, doubles: Doubles) -> Exit:
    lines = []
    if doubles.same_rows is not None:
        facts = {"reference": doubles.same_rows.reference, "at": doubles.same_rows.created_at}
        lines.append(turn.say("batch.check.same_rows", facts))
    rows = [(row, say_row(turn, "in_file", row)) for row in doubles.in_file]
    rows += [(row, say_row(turn, "paid", row, payout)) for row, payout in doubles.paid]
    rows.sort(key=lambda one: one[0].number)
    lines += [line for _, line in rows[:LISTED]]
    if len(rows) > LISTED:
        lines.append(turn.say("batch.check.more", {"count": len(rows) - LISTED}))
    problem = turn.say("batch.check.doubled", {"lines": "\n".join(lines)})
    return Exit("check", sets={"batch": batch.reference, "problem": problem})


@HANDLERS.view("batch_check", needs=Right.MOVE_MONEY, shows=("why",))
def check(turn: TurnContext, batch: Reference | None, problem: str | None) -> View:
    return View({"why": problem or ""})


@HANDLERS.use_case("accept_doubled_rows", needs=Right.MOVE_MONEY)
def accept(turn: TurnContext, batch: Reference | None) -> Exit | Refusal:
    if batch is None:
        return Refusal("batch_over")
    taken = payout_batches.accept_doubles(turn.tx, turn.person, batch)
    return taken if isinstance(taken, Refusal) else _priced(turn, taken)


@HANDLERS.use_case("price_batch", needs=Right.MOVE_MONEY)
def price(turn: TurnContext, batch: Reference) -> Exit | Refusal:
    found = payout_batches.own_batch(turn.tx, turn.person, batch)
    if found is None or found.state is not BatchState.QUOTED:
        return Refusal("batch_over")
    return _priced(turn, found)


def _priced(turn: TurnContext, batch: Batch) -> Exit:
    short = payout_batches.shortfall(turn.tx, batch)
    if short is not None:
        exit_ = spendings.short(short)
        return Exit("short", sets={**_quoted(batch), **exit_.sets})
    return Exit("confirm", sets=_quoted(batch))


def _quoted(batch: Batch) -> Mapping[str, Any]:
    quote = batch.quote
    return {
        "batch": batch.reference,
        "rows": batch.rows,
        "amount": quote.amount,
        "fees": quote.fees,
        "total": quote.total,
    }


def _column_words(turn: TurnContext) -> Mapping[str, str]:
    return {name: turn.say(f"batch.column.{name}") for name in ("line", "column", "why")}


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
            return Exit("short", sets={**_quoted(found), **spendings.short(result).sets})
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
