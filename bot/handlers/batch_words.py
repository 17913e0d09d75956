"""The words for a batch of payouts and its rows, also where no turn is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers.state_words import say_reason
from flows.engine.texts import Texts
from services import payout_freeze
from services.documents.batch_files import result_csv
from services.domain.payout import Payout, PayoutState
from services.domain.payout_batch import (
    Batch,
    BatchCounts,
    BatchResult,
    BatchRow,
    BatchState,
    RowFault,
)
from services.ports import Tx


def counts_facts(counts: BatchCounts) -> dict[str, Any]:
    many = {
        "paid": counts.paid,
        "failed": counts.failed,
        "unknown": counts.unknown,
        "cancelled": counts.cancelled,
        "sent": counts.sent + counts.unknown,
        "open": counts.waiting + counts.sent,
    }
    return {
        **{name: f"{count:,}" for name, count in many.items()},
        "paid_amount": counts.paid_amount,
    }


def progress_line(texts: Texts, language: str, tx: Tx, batch: Batch) -> str:
    """How many rows have ended, and how; nothing of one that never ran."""
    if batch.authorised_at is None:
        return ""
    counts = tx.payout_batches.counts(batch.reference)
    facts = {**counts_facts(counts), "count": f"{batch.rows:,}"}
    line = texts.say(language, "batch_status.counts", facts)
    if counts.unknown:
        line += texts.say(language, "batch_status.unknown", facts)
    if counts.waiting and payout_freeze.is_held_back(tx, batch.partner):
        line += texts.say(language, "batch_status.held_back", facts)
    if counts.cancelled:
        line += texts.say(language, "batch_status.cancelled", facts)
    return line


def result_file(texts: Texts, language: str, results: Iterable[BatchResult]) -> bytes:
    """The rows with what became of them, as CSV."""

    def status(result: BatchResult) -> str:
        return texts.say(language, f"batch.row_status.{result.status or 'waiting'}")

    def why(result: BatchResult) -> str:
        if result.reason is None or result.payout is None:
            return ""
        return say_reason(texts, language, result.payout, result.reason)

    return result_csv(
        results, lambda name: texts.say(language, f"batch.column.{name}"), status, why
    )


def exit_of(tx: Tx, batch: Batch) -> str:
    """The exit that the outcome takes from where it is waited for."""
    if batch.state is BatchState.STOPPED:
        return "stopped"
    return "partly" if tx.payout_batches.counts(batch.reference).failed else "done"


def fault_lines(turn: TurnContext, faults: Sequence[RowFault]) -> list[str]:
    return [
        turn.say(
            "batch.fault.line",
            {"row": fault.line, "column": fault.column, "why": say_fault(turn, fault)},
        )
        for fault in faults
    ]


def say_fault(turn: TurnContext, fault: RowFault) -> str:
    return turn.say(f"batch.fault.{fault.code}", fault.facts)


def say_row(turn: TurnContext, why: str, row: BatchRow, payout: Payout | None = None) -> str:
    """Why a row looks like a repetition: the file has it above, or it was paid."""
    facts: dict[str, Any] = {"row": row.line, "phone": row.phone, "amount": row.amount}
    if payout is None:
        return turn.say(f"batch.check.{why}", facts)
    done = payout.state in (PayoutState.PAID, PayoutState.PAID_AFTER_RETURN)
    at = payout.settled_at if done else payout.authorised_at or payout.created_at
    facts |= {"reference": payout.reference, "at": at}
    return turn.say(f"batch.check.{'paid' if done else 'under_way'}", facts)
