"""Calls about batches of payouts. A system sends the rows, looks and stops; people approve them and
type the code in the chat."""

from __future__ import annotations

from typing import Any

from bot.calls import reading
from bot.calls.answers import FieldError, Problem, ProblemCode, Reply, TextFile, invalid, not_found
from bot.calls.batch_requests import BatchFile, BatchRequest
from bot.calls.batch_rows import read_rows
from bot.calls.caller import CHANNEL, CallContext
from bot.calls.cursor import decode_place, encode_place
from bot.calls.refusals import float_short, problem_of
from bot.handlers import approvals as approval_handlers
from bot.handlers.batch_words import result_file
from services import payout_batches_by_key
from services.approvals import AwaitingApproval
from services.domain.instant import to_rfc3339
from services.domain.payout_batch import Batch, BatchResult, is_batch
from services.domain.public_batch import PublicBatch
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.payout_batches import Doubles

_NOBODY = (
    "Nobody can answer for this batch and type its code: you have no single owner, and whoever made"
    " this key is none of your people who may move money. Have one of them replace the key in the"
    " chat."
)


def create(
    call: CallContext, request: BatchRequest | BatchFile, *, accept_doubles: bool
) -> Reply | Problem:
    """Store the rows, and ask a second person; all of it or nothing."""
    rows = read_rows(call, request)
    if isinstance(rows, Problem):
        return rows
    maker = payout_batches_by_key.maker_for(call.tx, call.key, call.partner)
    if maker is None:
        return invalid(FieldError("", _NOBODY))
    asked = payout_batches_by_key.ask_for_approval(
        call.tx,
        call.app.random,
        call.app.policy,
        maker,
        CHANNEL,
        call.key.id,
        call.turn.key,
        rows,
        accept_doubles=accept_doubles,
    )
    match asked:
        case Refusal():
            return problem_of(call.app.texts, asked)
        case Doubles():
            return _doubled(asked)
        case Shortfall():
            return float_short(asked)
        case AwaitingApproval(operation=batch):
            approval_handlers.notify_approvers(call.acts_with(maker), asked)
            return show(call, batch.reference)


def _doubled(doubles: Doubles) -> Problem:
    """With what is repeated, if it is something of earlier, and the rows that repeat."""
    reference = None
    if doubles.same_rows is not None:
        reference = doubles.same_rows.reference
    elif doubles.paid:
        reference = doubles.paid[0][1].reference
    rows = sorted({row.number for row in doubles.in_file} | {row.number for row, _ in doubles.paid})
    return Problem(
        ProblemCode.DUPLICATE_SUSPECTED,
        "These rows were sent within a day, or some of them look like a repetition: the same amount"
        " to the same phone. If all are to be paid, say so with accept_doubles.",
        {"reference": reference, "rows": rows},
    )


def find(call: CallContext, reference: str) -> PublicBatch | None:
    """The partner's own batch, which somebody confirmed."""
    found = call.tx.public_batches.get(reference)
    return found if found is not None and found.partner == call.partner.code else None


def show(call: CallContext, reference: str) -> Reply | Problem:
    call.tx.partner_events.settle()
    found = find(call, reference)
    return not_found() if found is None else Reply(found.document(), found.reference)


def follow(call: CallContext, reference: str) -> Reply | Problem:
    """An operation, or a batch: both are followed in one way."""
    return show(call, reference) if is_batch(reference) else reading.operation(call, reference)


def rows(call: CallContext, reference: str, limit: int, cursor: str | None) -> Reply | Problem:
    batch = find(call, reference)
    if batch is None:
        return not_found()
    after = 0 if cursor is None else decode_place(reference, cursor)
    if after is None:
        return invalid(FieldError("/cursor", "This cursor was not given by us."))
    found = call.tx.payout_batches.results(reference, after, limit + 1)
    page = found[:limit]
    more = encode_place(reference, page[-1].row.number) if len(found) > limit else None
    return Reply({"data": [_row(batch, one) for one in page], "next_cursor": more})


def _row(batch: PublicBatch, result: BatchResult) -> dict[str, Any]:
    row, settled_at = result.row, result.settled_at
    return {
        "row": row.number,
        "phone_number": row.phone.msisdn,
        "amount": row.amount.decimal,
        "currency": row.amount.currency,
        "reference": row.reference,
        "name": row.name,
        "remarks": row.remarks,
        "status": result.status or batch.status.value,
        "reason": result.reason,
        "payout": result.payout,
        "receipt": result.receipt,
        "recipient_name": result.recipient_name,
        "settled_at": None if settled_at is None else to_rfc3339(settled_at),
    }


def result(call: CallContext, reference: str) -> Reply | Problem:
    """The file that people get in the chat, in English."""
    batch = find(call, reference)
    if batch is None:
        return not_found()
    results = call.tx.payout_batches.results(reference)
    content = result_file(call.app.texts, "en", results).decode()
    return Reply(None, file=TextFile(f"{reference}.csv", "text/csv; charset=utf-8", content))


def stop(call: CallContext, reference: str) -> Reply | Problem:
    """What is not on its way is not paid. One that is over stays as it is, so that a system may
    always ask again."""
    if find(call, reference) is None:
        return not_found()
    batch = call.tx.payout_batches.get(reference)
    assert batch is not None, "it was just found"
    stopped = payout_batches_by_key.stop(call.tx, batch)
    if isinstance(stopped, Batch):
        call.turn.audit(stopped.partner, "batch_stopped", reference)
        call.turn.outcomes.append(stopped)
    return show(call, reference)
