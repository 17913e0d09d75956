"""Handlers of the batch flow for what a file says: its bad rows, what looks like a repetition, and
its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers import spendings
from bot.handlers.batch_words import (
    fault_lines,
    say_fault,
    say_row,
)
from bot.handlers.declaring import Handlers
from bot.handlers.sent_files import send_file
from flows.engine.event import FILE_NOT_FETCHED, FILE_TOO_LARGE
from flows.engine.host import Exit, View
from flows.parsers.payout_file import read_payout_file, read_rows
from services import payout_batches, spending
from services.documents.batch_files import faults_csv
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.payout_batch import (
    BEGUN,
    Batch,
    BatchRow,
    BatchState,
    RowFault,
)
from services.domain.refusal import Refusal
from services.payout_batches import Doubles

HANDLERS = Handlers()

NAMED = 8  # rows that a text names before a file lists them
_NOT_FETCHED = {FILE_TOO_LARGE: "file_too_large", FILE_NOT_FETCHED: "file_not_fetched"}


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
    shown = lines[:NAMED]
    if len(lines) > NAMED:
        shown.append(turn.say("batch.check.more", {"count": len(lines) - NAMED}))
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
    lines += [line for _, line in rows[:NAMED]]
    if len(rows) > NAMED:
        lines.append(turn.say("batch.check.more", {"count": len(rows) - NAMED}))
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
        return Exit("short", sets={**quoted_values(batch), **exit_.sets})
    return Exit("confirm", sets=quoted_values(batch))


def quoted_values(batch: Batch) -> Mapping[str, Any]:
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
