"""Everything known about one reference, in chronological order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from bot.context import TurnContext
from bot.handlers.admin.timeline_subjects import Timeline, find_timeline
from bot.handlers.admin.wording import to_the_second
from bot.handlers.declaring import Handlers
from bot.handlers.state_words import check_acts
from flows.engine.host import View
from services import outcome_queries, spending
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.payout import is_payout
from services.domain.refusal import Refusal

HANDLERS = Handlers()

LINES_MAX = 3_300  # characters of all lines; with the summary above them less than 4,000


@HANDLERS.view("timeline", needs=Right.ADMIN, shows=("lines", "reference", "what"))
def timeline(turn: TurnContext, reference: Reference) -> View | None:
    subject = find_timeline(turn, reference)
    if subject is None:
        return None
    lines = [f"{to_the_second(turn, at)}  {words}" for at, words in in_order(turn, subject)]
    lines = shortened(turn, lines)
    facts = {"reference": reference, "what": subject.summary, "lines": "\n".join(lines)}
    acts = check_acts(reference, may_ask=subject.can_be_queried)
    return View(facts, acts=acts)


def in_order(turn: TurnContext, subject: Timeline) -> Iterator[tuple[datetime, str]]:
    """When, and what, one line an entry; consecutive calls with the same outcome share one."""
    entries = sorted(subject.entries, key=lambda entry: (entry.at, entry.kind))
    for key, run in groupby(entries, key=lambda entry: entry.key):
        if not key:
            yield from ((entry.at, entry.text) for entry in run)
            continue
        calls = list(run)
        facts = {
            "call": key[0],
            "outcome": key[1],
            "ms": max(entry.milliseconds for entry in calls),
            "count": len(calls),
            "until": to_the_second(turn, calls[-1].at),
        }
        line = turn.say("trace.line.call" if len(calls) == 1 else "trace.line.calls", facts)
        yield calls[0].at, line


def shortened(turn: TurnContext, lines: Sequence[str]) -> list[str]:
    """The first and last lines, if all of them are too long for one message."""
    if sum(len(line) + 1 for line in lines) <= LINES_MAX:
        return list(lines)
    first, last = _fitting(lines), _fitting(lines[::-1])[::-1]
    count = len(lines) - len(first) - len(last)
    return [*first, turn.say("trace.line.left_out", {"count": count}), *last]


def _fitting(lines: Sequence[str]) -> list[str]:
    """As many lines as fit into half of ``LINES_MAX``."""
    room, fitting = LINES_MAX // 2, []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        fitting.append(line)
    return fitting


@HANDLERS.action("ask_bank", needs=Right.ADMIN)
def ask_bank(turn: TurnContext, operation: Reference) -> Refusal | None:
    """Query the bank, or M-PESA about a payout, at once if it may have something new to say; this
    is audited."""
    asked = outcome_queries.query_now(turn.tx, operation)
    of_payout = is_payout(operation)
    if asked is None:
        return Refusal("mpesa_not_asked" if of_payout else "bank_not_asked")
    turn.audit(asked.partner, "mpesa_asked" if of_payout else "bank_asked", operation)
    return None


def possible_acts(turn: TurnContext, reference: str) -> frozenset[str]:
    """The act with which ``ask_bank`` would ask, if it would."""
    found = turn.tx.topups.get(reference) or spending.get(turn.tx, reference)
    return check_acts(reference, may_ask=found is not None and found.can_be_queried)
