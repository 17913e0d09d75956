"""Deliberate mistakes with files of payouts, one for each of their rules."""

from __future__ import annotations

from services import approvals, payout_batch_rows, payout_batches
from storage.stores.approvals import ApprovalStore
from storage.stores.payout_batches import PayoutBatchStore
from storage.stores.payouts import PayoutStore
from tests.storm import faulty_batches, faulty_payouts
from tests.storm.mistake import Mistake, all_of, caught, instead

BATCH_MISTAKES = (
    Mistake(
        "let the maker of a file agree to it",
        all_of(
            instead(approvals, "_may_second", faulty_batches.anybody),
            instead(ApprovalStore, "undecided", faulty_batches.of_the_maker_too),
        ),
        caught("batch approvals", "faults"),  # the database refuses it, too
    ),
    Mistake(
        "run a file whose digest nobody compared",
        all_of(
            instead(PayoutBatchStore, "save", faulty_batches.digest_forgotten),
            instead(payout_batches, "_why_not_now", faulty_batches.nothing_against_it),
        ),
        caught("batch approvals", "faults"),
    ),
    Mistake(
        "send a row after its file was stopped",
        instead(payout_batches, "stop", faulty_batches.only_called_stopped),
        caught("batches", "held back"),
    ),
    Mistake(
        "pay a row twice",
        instead(payout_batches, "_payout_of", faulty_batches.twice),
        caught("batch rows", "payout legs", "bank"),
    ),
    Mistake(
        "keep what a stopped row holds",
        instead(payout_batch_rows, "payout_voided", faulty_batches.nothing),
        caught("payout legs", "float held"),
    ),
    Mistake(
        "run a file without its code",
        instead(payout_batches.spending, "check_code", faulty_payouts.any_code_of_theirs),
        caught("batch approvals", "payout codes", "codes"),
    ),
    Mistake(
        "call a file done while rows are open",
        instead(PayoutBatchStore, "has_open_rows", faulty_batches.no),
        caught("batches"),
    ),
    Mistake(
        "pay in a file what was paid since it was read",
        instead(PayoutBatchStore, "repeated_since", faulty_batches.nothing_against_it),
        caught("batch repeats"),
    ),
    Mistake(
        "pay what a file has paid since the quote",
        instead(PayoutStore, "has_row_since", faulty_batches.no),
        caught("batch repeats"),
    ),
    Mistake(
        "hold another sum than the rows cost",
        instead(payout_batches, "payout_holds", faulty_batches.twice_as_dear),
        caught("payouts", "payout legs", "float held"),
    ),
)
